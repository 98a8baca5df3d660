"""Django's entry for this package."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.insights"
    label = "insights"
