"""The API's description: OpenAPI 3.1, made from the code that answers."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from tellback.api.described import PROBLEM, complete, refusals
from tellback.api.v1 import api
from tellback.intake.schemas import VERSIONS

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
#: What the intake door may refuse with, beside what the API may.
ENDED = "This version has ended"
DOOR = ("400", "401", "403", "413", "415", "422", "429", "503")


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
    complete(document, below="/api/v1/")
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
    ended = refusals("400")["400"] | {"description": ENDED}
    return {**refusals(*DOOR), "410": ended}


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
