"""Django's entry for this package."""

from django.apps import AppConfig


class TriageConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.triage"
    label = "triage"
