"""Django's entry for this package."""

from django.apps import AppConfig


class LoopConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.loop"
    label = "loop"
