"""Django's entry for this package."""

from django.apps import AppConfig


class UnderstandingConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.understanding"
    label = "understanding"
