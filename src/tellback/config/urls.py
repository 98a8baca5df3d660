"""Every address of the product, each package's pages under their own prefix."""

from django.urls import URLPattern, URLResolver, include, path

from tellback.api.operations import livez, metrics, readyz
from tellback.api.schema import openapi
from tellback.api.schemas import list_schemas, schema
from tellback.api.v1 import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("schemas/", list_schemas),
    path("schemas/feedback-<str:version>.json", schema),
    path("api/openapi.json", openapi),
    path("api/v1/", api.urls),
    path("", include("tellback.widget.urls")),
    path("sign-in/", include("tellback.workspaces.pages.sign_in")),
    path("", include("tellback.workspaces.pages.urls")),
    path("", include("tellback.intake.pages.urls")),
    path("", include("tellback.understanding.pages.urls")),
    path("", include("tellback.themes.pages.urls")),
    path("", include("tellback.triage.pages.urls")),
    path("", include("tellback.boards.pages.urls")),
    path("", include("tellback.loop.pages.urls")),
    path("", include("tellback.insights.pages.urls")),
    path("", include("tellback.widget.pages.urls")),
]

handler500 = "tellback.web.failures.failed"
