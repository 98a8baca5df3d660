"""Django's entry for this package."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UnderstandingConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.understanding"
    label = "understanding"

    def ready(self) -> None:
        """Have the rooms above say what signals may be sorted into, in their module `taxonomy`, and guidance found."""
        autodiscover_modules("taxonomy")
        import_module("tellback.understanding.learning.guidance")
