"""Django's entry for this package."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.intake"
    label = "intake"
