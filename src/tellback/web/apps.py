"""Django's entry for this package."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.web"
    label = "web"
