"""Sealing, once for everything that must be read again: AES-256-GCM (NIST SP 800-38D).

What a sealed thing belongs to (`about`) is authenticated with it, so that one that was moved elsewhere does not open.
`encrypt` and `decrypt` take a key of their own, such as a person's in the vault. A `Ring` holds the keys that are
derived (HKDF, RFC 5869) from the secrets of the installation, and names in each seal which of them it was: after a
rotation what was sealed under a former secret still opens, new seals are made under the present one, and
`platform.resealing` finds what is left to be sealed anew.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from tellback.kernel.errors import Unavailable

KEY_BYTES = 32
NONCE_BYTES = 12
#: How many bytes name a key: enough to tell the few of one installation apart.
NAME_BYTES = 4
_TEXT = "s2."


class WrongSeal(Unavailable):
    """A sealed thing does not belong where it was found, or was sealed under a secret that is not set."""

    code, title = "wrong-seal", "This cannot be opened"


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def encrypt(plain: bytes, *, key: bytes, about: bytes) -> bytes:
    """Nonce, text and tag. At most 2³² for one key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def decrypt(sealed: bytes, *, key: bytes, about: bytes) -> bytes:
    """The plain bytes. Raises `WrongSeal` when they were moved, changed, or sealed under another key."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise WrongSeal("This was sealed for another place or with another key, so it stays closed.") from None


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one purpose. `secrets` has the present secret first, then those that are still read. Never shown."""

    purpose: str
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Ring({self.purpose})"

    @property
    def name(self) -> bytes:
        """Names the present key: the first bytes of what it seals."""
        return _derived(self.purpose, self.secrets[0])[0]

    def seal(self, plain: bytes, *, about: bytes) -> bytes:
        """Sealed under the present key, whose name stands before it."""
        name, key = _derived(self.purpose, self.secrets[0])
        return name + encrypt(plain, key=key, about=name + about)

    def unseal(self, sealed: bytes, *, about: bytes) -> bytes:
        """The plain bytes. Raises `WrongSeal`, which tells a missing secret from a seal of another place."""
        name = sealed[:NAME_BYTES]
        for secret in self.secrets:
            known, key = _derived(self.purpose, secret)
            if known == name:
                return decrypt(sealed[NAME_BYTES:], key=key, about=name + about)
        raise WrongSeal(
            "This was sealed with a secret that is not set. If the secret key or the vault key was changed, name the "
            "former one in TELLBACK_SECRET_KEY_FORMER or TELLBACK_VAULT_KEY_FORMER."
        )


@lru_cache(maxsize=64)
def _derived(purpose: str, secret: str) -> tuple[bytes, bytes]:
    derive = HKDF(
        algorithm=hashes.SHA256(), length=KEY_BYTES + NAME_BYTES, salt=None, info=f"tellback {purpose}".encode()
    )
    made = derive.derive(secret.encode())
    return made[KEY_BYTES:], made[:KEY_BYTES]


def secret_ring() -> Ring:
    """For secrets that we hold, such as those of connected services: under the secret key."""
    return Ring("secrets", (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def vault_ring() -> Ring:
    """For the keys of people in the vault: under the vault key, or the secret key when there is none."""
    return Ring("vault", tuple(settings.VAULT_SECRETS))


def seal(secret: str, *, about: str) -> str:
    """The secret as it may be stored in a text. `about` names where it belongs; opening it needs the same."""
    return as_text(secret_ring().seal(secret.encode(), about=about.encode()))


def seal_bytes(content: bytes, *, about: str) -> bytes:
    """The same for content of any size that fits into memory."""
    return secret_ring().seal(content, about=about.encode())


def unseal(sealed: str, *, about: str) -> str:
    """The secret that was sealed. Raises `WrongSeal` when it belongs elsewhere, or its secret is not set."""
    return secret_ring().unseal(as_bytes(sealed), about=about.encode()).decode()


def as_text(sealed: bytes) -> str:
    """What a ring sealed, for a text. What was sealed under the same key begins alike (`text_prefix`)."""
    return f"{_TEXT}{sealed[:NAME_BYTES].hex()}.{base64.urlsafe_b64encode(sealed[NAME_BYTES:]).decode()}"


def as_bytes(text: str) -> bytes:
    """The other way. Raises `WrongSeal` for what is no sealed text."""
    mark, _, rest = text.partition(".")
    name, _, body = rest.partition(".")
    try:
        if f"{mark}." == _TEXT:
            return bytes.fromhex(name) + base64.urlsafe_b64decode(body)
    except (ValueError, binascii.Error):
        pass
    raise WrongSeal("This is not something that Tellback sealed.")


def unseal_bytes(sealed: bytes, *, about: str) -> bytes:
    """The content that was sealed. Raises `WrongSeal` like `unseal`."""
    return secret_ring().unseal(sealed, about=about.encode())


def text_prefix(ring: Ring) -> str:
    """How every text begins that the ring sealed under its present key."""
    return f"{_TEXT}{ring.name.hex()}."


def is_sealed(text: str) -> bool:
    """Whether this is a sealed text, whatever its key."""
    return text.startswith(_TEXT)
