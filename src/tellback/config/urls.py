"""Every address of the product, each package's pages under their own prefix."""

from django.urls import URLPattern, URLResolver, path

from tellback.platform.health import livez, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez),
    path("readyz", readyz),
]
