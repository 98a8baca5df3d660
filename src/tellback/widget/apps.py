"""Django's entry for this package."""

from django.apps import AppConfig


class WidgetConfig(AppConfig):
    """Registers the package, whose static files are the demo site's and the preview's."""

    name = "tellback.widget"
    label = "widget"
