"""What the widget carries after its token was checked: our own short word for “this is that person”."""

from datetime import timedelta
from uuid import UUID

from django.core import signing

from tellback.kernel.errors import Unauthenticated

LASTS = timedelta(hours=1)
_SALT = "tellback.widget-session"


def issue_session(*, workspace_id: UUID, principal_id: UUID) -> str:
    """A word that speaks for this person in this workspace for an hour, and for nothing but the widget."""
    return signing.dumps([workspace_id.hex, principal_id.hex], salt=_SALT)


def read_session(session: str, *, workspace_id: UUID) -> UUID:
    """The person for whom the session speaks. Needs no database. Raises `Unauthenticated` when it does not."""
    try:
        workspace, person = signing.loads(session[:500], salt=_SALT, max_age=LASTS)
        if workspace == workspace_id.hex:
            return UUID(person)
    except (signing.BadSignature, ValueError, TypeError):
        pass
    raise Unauthenticated("This widget session has ended. Identify again.", code="widget-session-ended")
