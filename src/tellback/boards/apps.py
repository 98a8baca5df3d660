"""Django's entry for this package."""

from django.apps import AppConfig


class BoardsConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.boards"
    label = "boards"
