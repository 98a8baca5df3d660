"""Addresses under which one attachment can be seen for a while by whoever has them: signed, and nothing to guess."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from tellback.intake.models import Attachment
from tellback.kernel.errors import NotFound

_SALT = "tellback.attachment"
LIFETIME = timedelta(hours=1)


def public_address(attachment: Attachment) -> str:
    """An address of this attachment that holds for an hour. Give it only to people who may see its item."""
    return settings.BASE_URL + public_path(attachment)


def public_path(attachment: Attachment) -> str:
    """The same, for a page of ours."""
    named = {"w": str(attachment.workspace_id), "a": str(attachment.id)}
    return f"/files/{signing.dumps(named, salt=_SALT)}"


def read_address(signed: str) -> tuple[UUID, UUID]:
    """The workspace and the attachment that an address names. Raises `NotFound` when it holds no more."""
    try:
        named = signing.loads(signed, salt=_SALT, max_age=LIFETIME)
        return UUID(named["w"]), UUID(named["a"])
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        raise NotFound("This address of a file no longer holds. Ask for a new one.") from None
