"""Django's entry for this package."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class IntakeConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.intake"
    label = "intake"

    def ready(self) -> None:
        """Have every room say what it holds of people (module `privacy`) and which rows it takes (module `landing`)."""
        autodiscover_modules("privacy", "landing")
