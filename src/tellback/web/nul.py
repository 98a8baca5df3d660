"""No text with the character NUL reaches a page: PostgreSQL keeps none, and no person writes it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from tellback.kernel.errors import Invalid
from tellback.web.failures import tell, wants_problem

NUL = "\x00"


class NoNul:
    """Refuses what holds it in its address, its cookies or the fields of its form, once for all pages.

    The doors for programs read what they are sent strictly, and name the place themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; the session has not been looked up by its cookie yet."""
        if any(NUL in text for text in _stated(request)):
            return refusal(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _arguments: Any, _keywords: Any) -> HttpResponseBase | None:
        """Look at the form, which is read for the protection against forgery anyway."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        fields = (text for name, texts in request.POST.lists() for text in (name, *texts))
        return refusal(request) if any(NUL in text for text in fields) else None


def _stated(request: HttpRequest) -> Iterator[str]:
    yield from request.COOKIES.values()
    if not wants_problem(request.path):
        yield request.path
        yield from (text for name, texts in request.GET.lists() for text in (name, *texts))


def refusal(request: HttpRequest) -> HttpResponseBase:
    """The answer to it."""
    return tell(request, Invalid("It holds the character NUL, which no text has. Nothing was changed."))
