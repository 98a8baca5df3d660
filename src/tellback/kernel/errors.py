"""The errors of the product: one root, a stable code and a sentence for a person.

Each door maps them once: to problem+json, to a form error, or to an exit code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `pointer` is a JSON pointer (RFC 6901) into the input."""

    pointer: str
    detail: str


#: What a validator says in words of its own, by the kind of the problem.
_PLAINLY = {
    "extra_forbidden": "There is no such field here",
    "missing": "This is needed",
    "string_pattern_mismatch": "This does not have the form that is needed here",
}


def said_plainly(kind: str, message: str) -> str:
    """What is wrong with a field, for a person; `message` where that is plain enough."""
    return _PLAINLY.get(kind, message)


class TellbackError(Exception):
    """Root of all errors meant for a person. `str(error)` says what happened and what to do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.stable_code = code or self.code


class Invalid(TellbackError):
    """The input does not say what it must; nothing was written."""

    code, status, title = "invalid", 422, "The input is not valid"


class NotFound(TellbackError):
    """No such thing here, or none that the caller may see."""

    code, status, title = "not-found", 404, "Not found"


class Forbidden(TellbackError):
    """The caller is known and may not do this."""

    code, status, title = "forbidden", 403, "Not allowed"


class Unauthenticated(TellbackError):
    """The caller did not prove who they are."""

    code, status, title = "unauthenticated", 401, "Sign in or send a valid key"


class Conflict(TellbackError):
    """Somebody else changed it, or the state does not allow it."""

    code, status, title = "conflict", 409, "Conflict"


class TooMany(TellbackError):
    """A limit was reached; `retry_after` seconds from now there is room again."""

    code, status, title = "too-many-requests", 429, "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(TellbackError):
    """Something we depend on does not answer; what was sent was not kept. Try again later."""

    code, status, title = "unavailable", 503, "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
