"""Reading a request's body: never more than its limit, and strictly as JSON."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from tellback.edge.errors import BadJson, TooLarge, WrongMediaType
from tellback.intake.schemas.lax import LaxFeedbackV1
from tellback.intake.schemas.v1 import FeedbackV1
from tellback.kernel.errors import FieldError, Invalid, said_plainly
from tellback.platform.strict_json import read_json

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Payload = TypeVar("Payload", bound=BaseModel)
#: What becomes of fields that a version does not know.
Unknown = Literal["forbid", "ignore"]
REFUSAL = "The feedback was not accepted; see errors for each field."


async def read_body(headers: dict[str, str], receive: Receive, *, limit: int) -> bytes:
    """The whole body. Raises `TooLarge` as soon as it is longer than `limit` bytes, `BadJson` when it breaks off."""
    return b"".join([chunk async for chunk in chunks_of(headers, receive, limit=limit)])


async def chunks_of(headers: dict[str, str], receive: Receive, *, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises as `read_body` does."""
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"A request may have {limit} bytes; this one has {length[:20]}.")
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadJson("The connection closed before the whole request arrived.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"A request may have {limit} bytes; this one has more.")
        yield chunk
        if not message.get("more_body"):
            return


def require_json(headers: dict[str, str]) -> None:
    """Raises `WrongMediaType` unless the request says that it is plain JSON."""
    if media_type_of(headers) != "application/json":
        raise WrongMediaType("Set the header Content-Type: application/json.")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise WrongMediaType("Send the body as it is, without Content-Encoding.")


def media_type_of(headers: dict[str, str]) -> str:
    """The media type that a request states, without its parameters."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def parse_v1(body: bytes, *, model: type[FeedbackV1] = FeedbackV1, unknown: Unknown = "forbid") -> FeedbackV1:
    """The payload, checked strictly but for `LaxFeedbackV1`.

    Raises `Invalid` with a pointer per field, `BadJson` when it is not JSON.
    """
    try:
        return model.model_validate_json(body, strict=model is not LaxFeedbackV1, extra=unknown)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if any(problem["type"] == "json_invalid" for problem in found):
            raise BadJson(f"The request is not valid JSON: {found[0]['msg']}.") from None
        raise _invalid(error) from None


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, read strictly (`platform.strict_json`). Raises `BadJson` with what is wrong."""
    try:
        return read_json(body)
    except ValueError as error:
        raise BadJson(f"The request is not valid JSON: {error}.") from None


def check(model: type[Payload], value: Any, *, unknown: Unknown = "forbid") -> Payload:
    """The value as this payload. Raises `Invalid` with a pointer per field."""
    if not isinstance(value, dict):
        raise Invalid(REFUSAL, errors=[FieldError("", "must be an object")])
    try:
        return model.model_validate(value, extra=unknown)
    except ValidationError as error:
        raise _invalid(error) from None


def pointer_to(path: Sequence[object]) -> str:
    """The JSON pointer (RFC 6901) of a place, given the names and indexes that lead to it."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _invalid(error: ValidationError) -> Invalid:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [FieldError(pointer_to(one["loc"]), said_plainly(one["type"], one["msg"])) for one in found[:100]]
    return Invalid(REFUSAL, errors=errors)
