"""Reply tokens: what our mails carry so that an answer to them finds what it is about.

A token is the id of a row and a keyed digest of it and its workspace, in 42 characters that fit into the local part of
an address and survive being written in capitals. Nobody can make one for another row.
"""

import base64
import binascii
import hmac
import re
from uuid import UUID

from tellback.platform.digests import keyed_digest

LENGTH = 42
_DIGEST_BYTES = 10
_TOKEN = re.compile(rf"(?<![a-z0-9])[a-z2-7]{{{LENGTH}}}(?![a-z0-9])", re.IGNORECASE)


def make_token(*, workspace_id: UUID, subject_id: UUID) -> str:
    """The token of a row of this workspace; always the same one."""
    raw = subject_id.bytes + _digest(workspace_id, subject_id)
    return base64.b32encode(raw).decode().rstrip("=").lower()


def read_token(token: str, *, workspace_id: UUID) -> UUID | None:
    """The row of a token, or None for one that was not made here for this workspace."""
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _DIGEST_BYTES:
        return None
    subject_id = UUID(bytes=raw[:16])
    return subject_id if hmac.compare_digest(raw[16:], _digest(workspace_id, subject_id)) else None


def find_tokens(text: str) -> list[str]:
    """Everything in a header that has the form of a token, in lower case."""
    return [token.lower() for token in _TOKEN.findall(text)]


def _digest(workspace_id: UUID, subject_id: UUID) -> bytes:
    return bytes.fromhex(keyed_digest("reply", workspace_id.bytes + subject_id.bytes))[:_DIGEST_BYTES]
