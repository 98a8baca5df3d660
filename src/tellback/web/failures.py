"""What a caller is told when a page failed: that the database does not answer, or that it was our fault."""

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from tellback.kernel.errors import TellbackError, Unavailable
from tellback.platform.problems import problem_of

AWAY = "The database does not answer, so nothing was changed. Try again in a moment."
RETRY_AFTER = 5
#: Addresses whose callers are programs.
FOR_PROGRAMS = ("/api/", "/hooks/", "/schemas/", "/metrics", "/widget", "/v1/", "/v2/")


class Failed(TellbackError):
    """Something that we did not foresee."""

    code, status, title = "internal", 500, "Something failed on our side"


class OnlyForForms(TellbackError):
    """A page was asked for where only a form is sent to."""

    code, status, title = "method-not-allowed", 405, "There is no page here"


class NoEmptyRefusals:
    """Somebody who reloads what a form led to, or keeps its address, reads what happened, not an empty page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; a refusal of the method that says nothing gets words."""
        response = self.get_response(request)
        if response.status_code != OnlyForForms.status or wants_problem(request.path):
            return response
        if not isinstance(response, HttpResponse) or response.content:
            return response
        told = tell(request, OnlyForForms("This address only takes what a form sends. Nothing was changed."))
        told["Allow"] = response.get("Allow", "POST")
        return told


def wants_problem(path: str) -> bool:
    """Whether who asks here reads problem documents and not pages."""
    return path.startswith(FOR_PROGRAMS)


def failed(request: HttpRequest) -> HttpResponse:
    """The answer to an error that nothing has handled; Django calls it while handling that."""
    error: TellbackError = Failed("Nothing was half-saved. Try again; if it stays, tell whoever runs this Tellback.")
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        error = Unavailable(AWAY, retry_after=RETRY_AFTER)
    return tell(request, error)


def tell(request: HttpRequest, error: TellbackError) -> HttpResponse:
    """An error as whoever asked reads it: a problem document, or a page that needs no database."""
    problem = problem_of(error)
    if wants_problem(request.path):
        return HttpResponse(problem.body, status=problem.status, headers=problem.headers)
    # Without the request: the frame of a page would ask the database again.
    response = HttpResponse(render_to_string("refused.html", {"error": error}), status=error.status)
    if "retry-after" in problem.headers:
        response["Retry-After"] = problem.headers["retry-after"]
    return response
