"""What the description says of each operation of the API beside what the code says itself: refusals, keys, headers."""

from collections.abc import Iterator
from typing import Any

from tellback.platform.problems import TYPE_ROOT

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened and what to do, for a person"},
        "code": {"type": "string", "description": "Stable, for programs"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "RFC 6901, into the body; or / and a parameter's name",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": f"{TYPE_ROOT}invalid",
            "title": "The input is not valid",
            "status": 422,
            "detail": "The request is not valid; see errors for each field.",
            "code": "invalid",
            "errors": [{"pointer": "/summary", "detail": "String should have at least 1 character"}],
        }
    ],
}
REFUSALS = {
    "400": "The body is not JSON",
    "401": "No key, or one that is not known",
    "403": "This key may not do this",
    "404": "There is no such feedback in this workspace",
    "409": "Its status does not allow that",
    "412": "It has changed since it was read",
    "413": "The body is too long",
    "415": "Send application/json",
    "422": "A field is wrong, or the idempotency key was used for something else",
    "429": "Too many requests; Retry-After says when to come back",
    "503": "Nothing was done; Retry-After says when to try again",
}
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key (tb_…). A widget key (pk_…) sends feedback, and votes for who identified",
}
#: Whom each kind of caller must show: a key, or also nothing.
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "TeamOnly": [{"Key": []}],
    "Visitors": [{"Key": []}],
    "Anybody": [{"Key": []}, {}],
}
_HEADERS: dict[str, str] = {
    "RateLimit": "What is left of this minute (draft-ietf-httpapi-ratelimit-headers)",
    "RateLimit-Policy": "How many requests a minute are allowed",
    "ETag": "State of what is shown, for If-Match",
    "Location": "Where it can be read",
    "Idempotency-Replayed": "true, when nothing was done because it had been done before",
    "Retry-After": "Seconds",
}


def complete(document: dict[str, Any], *, below: str) -> None:
    """Say of every operation below a path what may come back, and who may ask."""
    for path, operations in document["paths"].items():
        if path.startswith(below):
            for method, operation in operations.items():
                _complete(path, method, operation)
    document["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    document["components"]["securitySchemes"] = {"Key": KEY}


def refusals(*codes: str) -> dict[str, Any]:
    """The responses of these statuses."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": REFUSALS[code], "content": problem} for code in codes}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    (kind,) = operation["security"][0]
    operation["security"] = _SECURITY[kind]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _stated(parameter["schema"])
    operation["responses"] = {str(code): response for code, response in operation["responses"].items()}
    for code, response in operation["responses"].items():
        names = ["RateLimit", "RateLimit-Policy", *_headers_of(code, method, path, operation)]
        response["headers"] = _headers(*names)
    for code, refusal in refusals(*_codes(path, method, operation)).items():
        operation["responses"][code] = refusal
        if code in {"429", "503"}:
            refusal["headers"] = _headers("Retry-After")


def _stated(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; it is never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}


def _codes(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from ("401", "403", "422", "429", "503")
    if "{feedback_id}" in path or {} in operation["security"]:
        yield "404"
    if "requestBody" in operation:
        yield from ("400", "413", "415")
        if "{feedback_id}" in path and not path.endswith("/vote/"):
            yield "409"
    if method == "patch":
        yield "412"


def _headers_of(code: str, method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    if path.endswith("{feedback_id}/") or (method == "post" and path.count("/") > 5 and "vote" not in path):
        yield "ETag"
    if "{feedback_id}" not in path and method == "post":
        yield "Location"
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])) and code == "200":
        yield "Idempotency-Replayed"


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
