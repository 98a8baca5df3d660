"""Django's entry for this package."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PlatformConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.platform"
    label = "platform"

    def ready(self) -> None:
        """Have every room say what it keeps sealed, in its module `sealed`."""
        autodiscover_modules("sealed")
