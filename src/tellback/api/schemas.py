"""The published payload versions, as JSON Schema at /schemas/."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse

from tellback.intake.schemas import VERSIONS

CONTENT_TYPE = "application/schema+json"


def schema_address(version: str) -> str:
    """Where a version's schema is served; also its `$id`."""
    return f"{settings.BASE_URL}/schemas/feedback-{version}.json"


def list_schemas(_request: HttpRequest) -> JsonResponse:
    """Every version with the address of its schema and of the door that takes it."""
    versions = [
        {"version": version, "schema": schema_address(version), "endpoint": f"{settings.BASE_URL}/{version}/feedback"}
        for version in VERSIONS
    ]
    return JsonResponse({"versions": versions})


def schema(_request: HttpRequest, version: str) -> JsonResponse:
    """The JSON Schema (2020-12) of one version."""
    if version not in VERSIONS:
        raise Http404
    return JsonResponse(document(version), content_type=CONTENT_TYPE)


def document(version: str) -> dict[str, Any]:
    """The schema of a version, with the names that are sent."""
    described = VERSIONS[version].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address(version),
        **described,
    }
