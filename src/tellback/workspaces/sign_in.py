"""How people sign in, where django-allauth's defaults are not ours."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """People are let in by the team, or known from their feedback: there is no open registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the library's signature
        """Nobody makes an account out of nothing."""
        return False
