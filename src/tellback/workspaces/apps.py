"""Django's entry for this package."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """Registers the package under its own name."""

    name = "tellback.workspaces"
    label = "workspaces"
