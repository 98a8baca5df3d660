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
BATCH = {
    "oneOf": [
        {"type": "array", "items": {"$ref": "#/components/schemas/FeedbackV2"}, "minItems": 1, "maxItems": 100},
        {
            "type": "object",
            "required": ["items"],
            "additionalProperties": False,
            "properties": {
                "items": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/FeedbackV2"},
                    "minItems": 1,
                    "maxItems": 100,
                }
            },
        },
    ]
}
BATCH_RESULTS = {
    "type": "object",
    "required": ["accepted", "refused", "results"],
    "properties": {
        "accepted": {"type": "integer", "description": "Stored now or before"},
        "refused": {"type": "integer"},
        "results": {
            "type": "array",
            "description": "One for each item, in the order sent",
            "items": {
                "oneOf": [
                    {
                        "allOf": [{"$ref": "#/components/schemas/Accepted"}],
                        "required": ["index"],
                        "properties": {"index": {"type": "integer"}},
                    },
                    {
                        "type": "object",
                        "required": ["index", "status", "problem"],
                        "properties": {
                            "index": {"type": "integer"},
                            "status": {"const": "refused"},
                            "problem": {"$ref": "#/components/schemas/Problem"},
                        },
                    },
                ]
            },
        },
    },
}
#: Version 2 with files beside it.
FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["feedback"],
            "properties": {
                "feedback": {"$ref": "#/components/schemas/FeedbackV2"},
                "files": {
                    "type": "array",
                    "maxItems": 5,
                    "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                },
            },
        },
        "encoding": {"feedback": {"contentType": "application/json"}},
    }
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
    schemas.update({"Problem": PROBLEM, "Accepted": ACCEPTED, "Batch": BATCH, "BatchResults": BATCH_RESULTS})
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
    document["paths"]["/v2/feedback"]["post"]["requestBody"]["content"] |= FORM
    document["paths"]["/v2/feedback/batch"] = {"post": _batch()}
    return document


def _batch() -> dict[str, Any]:
    results = _json("BatchResults", "application/json")
    return {
        "operationId": "send_feedback_batch",
        "summary": "Send up to a hundred pieces of feedback, version 2",
        "description": "Each item has its own idempotency key and its own result, so a batch can be sent again whole.",
        "security": [{"Key": []}],
        "requestBody": {"required": True, "content": _json("Batch", "application/json")},
        "responses": {
            "202": {"description": "All of them are stored", "content": results},
            "207": {"description": "One or more were refused, the others are stored", "content": results},
            **_refusals(),
        },
    }


def _refusals() -> dict[str, Any]:
    problem = _json("Problem", "application/problem+json")
    return {code: {"description": text, "content": problem} for code, text in REFUSALS.items()}


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
            **_refusals(),
        },
    }


def _json(name: str, content_type: str) -> dict[str, Any]:
    return {content_type: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
