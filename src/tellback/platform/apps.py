"""Django's entry for this package."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.platform"
    label = "platform"
