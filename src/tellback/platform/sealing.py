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
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key()).encrypt(nonce, secret.encode(), about.encode())
    return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, about: str) -> str:
    """The secret that was sealed. Raises `Unavailable` when it belongs elsewhere, or the secret key is another one."""
    try:
        raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
        return AESGCM(_key()).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()).decode()
    except (ValueError, InvalidTag) as error:
        raise Unavailable(
            "A stored secret cannot be opened. Was TELLBACK_SECRET_KEY changed? Set the old one again, or make the "
            "secret anew."
        ) from error


def _key() -> bytes:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"tellback.sealing.1")
    return derive.derive(settings.SECRET_KEY.encode())
