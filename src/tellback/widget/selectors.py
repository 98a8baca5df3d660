"""Reads of the widget: whose key it is, and what shipped for somebody."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from tellback.loop.models import ChangelogEntry, Notification
from tellback.platform.tenancy import in_workspace
from tellback.widget.options import read_options, sent_options
from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.selectors import find_key_holder

REMEMBER = 10.0
MOST = 5
_known: dict[str, tuple[float, dict[str, Any] | None]] = {}


def find_loader_options(key: str) -> dict[str, Any] | None:
    """What the loader of this widget key carries, or None for a key that is not known. Remembered for ten seconds."""
    now = time.monotonic()
    known = _known.get(key)
    if known is not None and known[0] > now:
        return known[1]
    if len(_known) > 1000:
        _known.clear()
    options = _look_up(key)
    _known[key] = now + REMEMBER, options
    return options


def forget_loader_options() -> None:
    """Look options up anew in this process, since they were changed."""
    _known.clear()


def _look_up(key: str) -> dict[str, Any] | None:
    holder = find_key_holder(key)
    if holder is None or holder.kind != KeyKind.WIDGET:
        return None
    with in_workspace(holder.workspace_id):
        workspace = Workspace.objects.get()
    return {"key": key, **sent_options(read_options(workspace.settings.get("widget")))}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that shipped and that this person waited for."""

    id: str
    title: str
    url: str


def list_notices(principal_id: UUID) -> list[Notice]:
    """What shipped for somebody and they have not seen, newest first."""
    told = list(
        Notification.objects.filter(
            principal_id=principal_id, type="changelog_published", read_at=None, key__startswith="changelog:"
        ).order_by("-created_at", "-id")[:MOST]
    )
    entries = ChangelogEntry.objects.in_bulk([UUID(notice.key.removeprefix("changelog:")) for notice in told])
    found = [(notice, entries.get(UUID(notice.key.removeprefix("changelog:")))) for notice in told]
    return [
        Notice(notice.public_id, entry.title, f"{settings.BASE_URL}{notice.url}") for notice, entry in found if entry
    ]
