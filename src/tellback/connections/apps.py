"""Django's entry for this package."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.connections"
    label = "connections"
