"""Django's entry for this package."""

from django.apps import AppConfig


class ThemesConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.themes"
    label = "themes"
