"""The API itself: how bodies are read, and how every refusal is told."""

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from tellback.api.callers import TeamOnly, allowance_headers
from tellback.api.errors import BadJson, TooLarge, WrongMediaType
from tellback.kernel.errors import FieldError, Invalid, TellbackError, Unauthenticated, Unavailable, said_plainly
from tellback.platform.loop_config import get_loop_config
from tellback.platform.problems import problem_of
from tellback.platform.strict_json import read_json

logger = logging.getLogger("django.request")
REFUSAL = "The request is not valid; see errors for each field."


class StrictParser(Parser):
    """Bodies are JSON of a bounded size, read as strictly as the intake door reads them."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The JSON value. Raises `TooLarge`, `WrongMediaType` and `BadJson`."""
        most = get_loop_config().ingestion.max_payload_size_v2
        if len(request.body) > most:
            raise TooLarge(f"A request may have {most} bytes; this one has {len(request.body)}.")
        if request.content_type != "application/json":
            raise WrongMediaType("Set the header Content-Type: application/json.")
        try:
            return read_json(request.body)
        except ValueError as error:
            raise BadJson(f"The request is not valid JSON: {error}.") from None


class Api(NinjaAPI):
    """Answers that say what is left of the caller's limit, and that nobody else may keep."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """The answer to be filled."""
        response = super().create_temporal_response(request)
        for name, value in {**allowance_headers(request), "Cache-Control": "no-store"}.items():
            response.headers[name] = value
        return response


def make_api() -> NinjaAPI:
    """An API without operations yet."""
    api = Api(
        title="Tellback",
        version="1",
        description="Feedback in, tellback out.",
        auth=TeamOnly(),
        parser=StrictParser(),
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
    )
    api.add_exception_handler(TellbackError, _refuse)
    api.add_exception_handler(HttpError, _refuse_reading)
    api.add_exception_handler(AuthenticationError, _refuse_stranger)
    api.add_exception_handler(ValidationError, _refuse_input)
    api.add_exception_handler(OperationalError, _say_unavailable)
    api.add_exception_handler(InterfaceError, _say_unavailable)
    api.add_exception_handler(Exception, _say_failed)
    return api


def problem_response(error: TellbackError, headers: dict[str, str] | None = None) -> HttpResponse:
    """The problem of an error, as Django answers it."""
    problem = problem_of(error)
    return HttpResponse(
        problem.body,
        status=problem.status,
        headers={**(headers or {}), **problem.headers, "Cache-Control": "no-store"},
    )


def _refuse(request: HttpRequest, error: "TellbackError | type[TellbackError]") -> HttpResponse:
    assert isinstance(error, TellbackError)
    return problem_response(error, allowance_headers(request))


def _refuse_stranger(_request: HttpRequest, _error: object) -> HttpResponse:
    return problem_response(Unauthenticated("Send an API key in the header Authorization: Bearer tb_…"))


def _refuse_reading(request: HttpRequest, error: "HttpError | type[HttpError]") -> HttpResponse:
    """What the parser raised, which ninja wraps."""
    assert isinstance(error, HttpError)
    cause = error.__cause__
    return _refuse(request, cause if isinstance(cause, TellbackError) else BadJson("The request cannot be read."))


def _say_unavailable(_request: HttpRequest, _error: object) -> HttpResponse:
    return problem_response(Unavailable("The database does not answer, so nothing was done. Try again in a moment."))


def _say_failed(request: HttpRequest, error: object) -> HttpResponse:
    """The outermost ring: what nobody foresaw is logged whole, and told in one sentence."""
    logger.error("%s %s failed", request.method, request.path, exc_info=error if isinstance(error, Exception) else None)
    return problem_response(TellbackError("This is a fault of ours. It was noted; nothing was changed."))


def _refuse_input(request: HttpRequest, error: "ValidationError | type[ValidationError]") -> HttpResponse:
    assert isinstance(error, ValidationError)
    errors = [
        FieldError(_pointer(one["loc"]), said_plainly(str(one["type"]), str(one["msg"]))) for one in error.errors[:100]
    ]
    return _refuse(request, Invalid(REFUSAL, errors=errors))


def _pointer(place: tuple[object, ...]) -> str:
    """The JSON pointer of a place: into the body, or to a parameter by its name.

    Ninja names a parameter's model before it, where the value is one of a list.
    """
    is_within = place[0] == "body" or (len(place) > 2 and isinstance(place[2], str))
    inside = place[2:] if is_within else place[1:]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in inside)
