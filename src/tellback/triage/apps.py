"""Django's entry for this package."""

from django.apps import AppConfig


class TriageConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.triage"
    label = "triage"

    def ready(self) -> None:
        """Offer the stream what triage knows."""
        from tellback.triage import stream  # noqa: F401, PLC0415 - says so when it is loaded
