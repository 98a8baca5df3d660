"""How much room attachments take."""

from django.db.models import Sum

from tellback.intake.models import Attachment

WIDGET = "widget"
MEGABYTE = 1_000_000


def widget_bytes() -> int:
    """Bytes of all files of the present workspace that came through widgets."""
    of_widgets = Attachment.objects.filter(raw_item__source_type=WIDGET)
    return of_widgets.aggregate(taken=Sum("size_bytes"))["taken"] or 0
