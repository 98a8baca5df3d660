"""The API's description: OpenAPI 3.1, made from the code that answers."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from tellback.api.v1 import api
from tellback.intake.schemas import VERSIONS

PROBLEM = {
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
                    "pointer": {"type": "string", "description": "RFC 6901, into the request"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ACCEPTED = {
    "type": "object",
    "required": ["status", "idempotencyKey", "id", "receipt"],
    "properties": {
        "status": {"type": "string", "enum": ["accepted", "duplicate"]},
        "idempotencyKey": {"type": "string"},
        "id": {"type": "string", "description": "TypeID of the raw item, raw_fb_…"},
        "receipt": {"type": "string", "format": "uri", "description": "Private page of the author"},
    },
}
REFUSALS = {
    "400": "The body is not JSON",
    "401": "No key, or one that is not known",
    "403": "This key may not be used here",
    "410": "This version has ended",
    "413": "The body is too long",
    "415": "Send application/json",
    "422": "A field is wrong, or the idempotency key was used for something else",
    "429": "Too many requests; Retry-After says when to come back",
    "503": "Not stored; Retry-After says when to try again",
}


@require_safe
def openapi(_request: HttpRequest) -> JsonResponse:
    """The description of everything under /api/v1 and of the intake door."""
    return JsonResponse(describe(api))


def describe(described: NinjaAPI) -> dict[str, Any]:
    """The OpenAPI document of the API with the intake door beside it."""
    document: dict[str, Any] = dict(described.get_openapi_schema(path_prefix="/api/v1/"))
    document["servers"] = [{"url": settings.BASE_URL}]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update({"Problem": PROBLEM, "Accepted": ACCEPTED})
    components.setdefault("securitySchemes", {})["Key"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (tb_…), or on the intake door a widget key (pk_…)",
    }
    for version, about in VERSIONS.items():
        name = about.model.__name__
        body = about.model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
        schemas.update(body.pop("$defs", {}))
        schemas[name] = body
        document["paths"][f"/{version}/feedback"] = {
            "post": _intake(version, name, retired=about.retired_at is not None)
        }
    return document


def _intake(version: str, name: str, *, retired: bool) -> dict[str, Any]:
    return {
        "operationId": f"send_feedback_{version}",
        "summary": f"Send one piece of feedback, version {version[1:]}",
        "deprecated": retired,
        "description": "Answered after it is stored. Repeating a request with the same idempotency key is harmless.",
        "security": [{"Key": []}],
        "requestBody": {"required": True, "content": _json(name, "application/json")},
        "responses": {
            "202": {"description": "Stored", "content": _json("Accepted", "application/json")},
            "200": {"description": "Stored before, same receipt", "content": _json("Accepted", "application/json")},
            **{
                code: {"description": text, "content": _json("Problem", "application/problem+json")}
                for code, text in REFUSALS.items()
            },
        },
    }


def _json(name: str, content_type: str) -> dict[str, Any]:
    return {content_type: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
