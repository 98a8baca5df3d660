"""The published payload versions, as JSON Schema at /schemas/."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse

from tellback.intake.schemas import VERSIONS, Version
from tellback.intake.schemas.lifetime import lifetime_headers, schema_address

CONTENT_TYPE = "application/schema+json"


def list_schemas(_request: HttpRequest) -> JsonResponse:
    """Every version with the address of its schema and of the door that takes it, and when it ends if it does."""
    return JsonResponse({"versions": [_summary(version, about) for version, about in VERSIONS.items()]})


def schema(_request: HttpRequest, version: str) -> JsonResponse:
    """The JSON Schema (2020-12) of one version."""
    if version not in VERSIONS:
        raise Http404
    headers = lifetime_headers(version, base_url=settings.BASE_URL)
    return JsonResponse(document(version), content_type=CONTENT_TYPE, headers=headers)


def document(version: str) -> dict[str, Any]:
    """The schema of a version, with the names that are sent."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address(version, base_url=settings.BASE_URL),
        **VERSIONS[version].schema(),
    }


def _summary(version: str, about: Version) -> dict[str, Any]:
    ending = {"deprecated_at": about.retired_at, "ends_at": about.ends_at, "successor": about.successor}
    return {
        "version": version,
        "schema": schema_address(version, base_url=settings.BASE_URL),
        "endpoint": f"{settings.BASE_URL}/{version}/feedback",
        **{name: value for name, value in ending.items() if value},
    }
