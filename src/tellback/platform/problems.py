"""Problems as every door reports them: RFC 9457 `application/problem+json`."""

from dataclasses import dataclass
from typing import Any

import orjson

from tellback.kernel.errors import TellbackError, TooMany, Unavailable

CONTENT_TYPE = "application/problem+json"
TYPE_ROOT = "urn:tellback:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal, ready to send."""

    status: int
    headers: dict[str, str]
    body: bytes


def problem_of(error: TellbackError) -> Problem:
    """The problem of an error as a response; 429 and 503 say when to come back."""
    headers = {"content-type": CONTENT_TYPE}
    if isinstance(error, TooMany | Unavailable):
        headers["retry-after"] = str(error.retry_after)
    return Problem(error.status, headers, orjson.dumps(problem_document(error)))


def problem_document(error: TellbackError, *, below: str = "") -> dict[str, Any]:
    """The problem document of an error. `below` is the JSON pointer of what the error's own pointers lead into."""
    document: dict[str, Any] = {
        "type": TYPE_ROOT + error.stable_code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.stable_code,
    }
    if error.errors:
        document["errors"] = [{"pointer": below + field.pointer, "detail": field.detail} for field in error.errors]
    return document
