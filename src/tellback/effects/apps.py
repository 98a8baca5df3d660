"""Django's entry for this package."""

from django.apps import AppConfig


class EffectsConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.effects"
    label = "effects"
