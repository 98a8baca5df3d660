"""Sealing with AES-256-GCM (NIST SP 800-38D): values under a data key, data keys under the installation's.

What a sealed value belongs to is authenticated with it, so that one that was moved elsewhere does not open.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tellback.kernel.errors import Conflict

NONCE = 12
KEY = 32


class WrongSeal(Conflict):
    """A sealed value does not belong where it was found, or was sealed with another secret."""

    code, title = "wrong-seal", "This cannot be opened"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value belongs."""

    workspace_id: UUID
    raw_item_id: UUID
    token: str

    def as_bytes(self) -> bytes:
        """The same for the same place, another for any other."""
        return b"value\0" + self.workspace_id.bytes + self.raw_item_id.bytes + self.token.encode()


@lru_cache(maxsize=2)
def master_key(secret: str) -> bytes:
    """The key that wraps data keys, derived from the installation's secret (HKDF, RFC 5869)."""
    derive = HKDF(algorithm=hashes.SHA256(), length=KEY, salt=None, info=b"tellback vault 1")
    return derive.derive(secret.encode())


def new_data_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(256)


def wrap(data_key: bytes, *, master: bytes, workspace_id: UUID, key_id: UUID) -> bytes:
    """The data key as it may be stored, bound to its row."""
    return _seal(data_key, key=master, belongs=_key_place(workspace_id, key_id))


def unwrap(wrapped: bytes, *, master: bytes, workspace_id: UUID, key_id: UUID) -> bytes:
    """The data key again. Raises `WrongSeal` when it belongs to another row or secret."""
    return _open(wrapped, key=master, belongs=_key_place(workspace_id, key_id))


def seal(value: str, *, data_key: bytes, place: Place) -> bytes:
    """The value as it may be stored, bound to its place."""
    return _seal(value.encode("utf-8", "surrogatepass"), key=data_key, belongs=place.as_bytes())


def unseal(sealed: bytes, *, data_key: bytes, place: Place) -> str:
    """The value again. Raises `WrongSeal` when it was moved, changed, or sealed under another key."""
    return _open(sealed, key=data_key, belongs=place.as_bytes()).decode("utf-8", "surrogatepass")


def _key_place(workspace_id: UUID, key_id: UUID) -> bytes:
    return b"key\0" + workspace_id.bytes + key_id.bytes


def _seal(plain: bytes, *, key: bytes, belongs: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, belongs)


def _open(sealed: bytes, *, key: bytes, belongs: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], belongs)
    except InvalidTag:
        raise WrongSeal(
            "This was sealed for another place or with another secret key, so it stays closed. If the secret key was "
            "changed, start with the former one, or set TELLBACK_VAULT_KEY to it."
        ) from None
