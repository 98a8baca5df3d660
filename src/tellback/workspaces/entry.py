"""One-time links that let an owner in from the terminal, without a password."""

from typing import Any
from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from tellback.kernel.errors import Forbidden
from tellback.workspaces.models import User


class _EntryTokens(PasswordResetTokenGenerator):
    """Django's own one-time tokens: signed, dated, and void after the next sign-in."""

    key_salt = "tellback.workspaces.entry"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        """Void also once the person was signed out everywhere."""
        return f"{super()._make_hash_value(user, timestamp)}{user.session_epoch}"


_tokens = _EntryTokens()


def entry_path(*, user: User) -> str:
    """The path that lets this user in once, until the next sign-in, for at most PASSWORD_RESET_TIMEOUT seconds."""
    return f"/admin/enter/{user.id.hex}/{_tokens.make_token(user)}"


def redeem_entry(*, user_id: str, token: str) -> User:
    """The user whom the link lets in. Raises `Forbidden` when it is wrong, old or used."""
    try:
        user = User.objects.filter(id=UUID(user_id), is_active=True).first()
    except ValueError:
        user = None
    if user is None or not _tokens.check_token(user, token):
        raise Forbidden("This sign-in link was used, or is not valid any more. Start Tellback again to get a new one.")
    return user
