"""Writes of the widget: its options, what was seen in it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from tellback.loop.models import Notification
from tellback.widget.options import WidgetOptions
from tellback.workspaces.models import Workspace


@transaction.atomic
def save_options(*, workspace: Workspace, options: WidgetOptions) -> None:
    """Keep how the widget looks. Pages follow when their copy of the loader is five minutes old."""
    locked = Workspace.objects.select_for_update().get(pk=workspace.pk)
    locked.settings = {**locked.settings, "widget": options.model_dump(exclude_defaults=True)}
    locked.save(update_fields=["settings", "updated_at"])


def mark_seen(*, principal_id: UUID, through: UUID, now: datetime) -> int:
    """Mark what shipped as seen, up to and including this notice; returns how many were not. Safe to repeat."""
    last = Notification.objects.filter(principal_id=principal_id, pk=through).first()
    if last is None:
        return 0
    return Notification.objects.filter(
        principal_id=principal_id, type="changelog_published", read_at=None, created_at__lte=last.created_at
    ).update(read_at=now)
