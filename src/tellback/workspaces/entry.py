"""One-time links that let an owner in from the terminal, without a password."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from tellback.kernel.errors import Forbidden
from tellback.workspaces.models import User

SALT = "tellback.entry"
VALID_FOR = timedelta(minutes=60)


def issue_entry_token(*, user: User, now: datetime) -> str:
    """A signed token that lets this user in once, within an hour.

    It ends when it is used, since it names the last sign-in.
    """
    return signing.dumps([str(user.id), _seen(user), now.timestamp()], salt=SALT)


def redeem_entry_token(*, token: str, now: datetime) -> User:
    """The user whom the token lets in. Raises `Forbidden` when it is wrong, old or used."""
    try:
        user_id, seen, issued = signing.loads(token, salt=SALT)
        user = User.objects.get(id=UUID(user_id), is_active=True)
    except (signing.BadSignature, User.DoesNotExist, ValueError) as error:
        raise Forbidden("This sign-in link is not valid. Start Tellback again to get a new one.") from error
    if seen != _seen(user) or now.timestamp() - issued > VALID_FOR.total_seconds():
        raise Forbidden("This sign-in link was used or is too old. Start Tellback again to get a new one.")
    return user


def _seen(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
