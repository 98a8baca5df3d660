"""Secrets that we must be able to read again, sealed at rest: AES-256-GCM under a key derived from the secret key.

What a sealed text is about (its table and row) is bound into it, so that one copied to another row does not open.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from tellback.kernel.errors import Unavailable

_VERSION = "s1."
_NONCE_BYTES = 12


def seal(secret: str, *, about: str) -> str:
    """The secret as it may be stored. `about` names where it belongs; opening it needs the same."""
    return _VERSION + base64.urlsafe_b64encode(seal_bytes(secret.encode(), about=about)).decode()


def seal_bytes(content: bytes, *, about: str) -> bytes:
    """The same for content of any size that fits into memory."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, content, about.encode())


def unseal(sealed: str, *, about: str) -> str:
    """The secret that was sealed. Raises `Unavailable` when it belongs elsewhere, or the secret key is another one."""
    try:
        raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
    except ValueError as error:
        raise _cannot_open() from error
    return unseal_bytes(raw, about=about).decode()


def unseal_bytes(sealed: bytes, *, about: str) -> bytes:
    """The content that was sealed. Raises `Unavailable` like `unseal`."""
    try:
        return AESGCM(_key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
    except (ValueError, InvalidTag) as error:
        raise _cannot_open() from error


def _cannot_open() -> Unavailable:
    return Unavailable(
        "A stored secret cannot be opened. Was TELLBACK_SECRET_KEY changed? Set the old one again, or make the "
        "secret anew."
    )


def _key() -> bytes:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"tellback.sealing.1")
    return derive.derive(settings.SECRET_KEY.encode())
