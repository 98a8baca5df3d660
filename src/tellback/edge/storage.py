"""The room for files of widgets: their keys stand in public pages, so without a bound anybody could fill the disk."""

import time
from collections.abc import Callable
from threading import Lock
from uuid import UUID

from django.db import DatabaseError, connection

from tellback.intake.attachments.storage import widget_bytes
from tellback.platform.tenancy import in_workspace

#: Seconds after which what is stored is counted anew: other processes take room too, and erasing gives it back.
REMEMBER = 60.0
FULL = "was left out: the room for files from widgets is full"


class WidgetStorage:
    """The room of each workspace, `most` bytes, as far as this process knows; exact to a minute."""

    def __init__(self, most: int, *, count: Callable[[UUID], int] | None = None) -> None:
        self.most = most
        self._count = count or _count
        self._taken: dict[UUID, tuple[float, int]] = {}
        self._lock = Lock()

    def take(self, workspace_id: UUID, size: int) -> bool:
        """Whether there is room for so many bytes, which are counted then. Blocks: call it in a thread."""
        with self._lock:
            until, taken = self._taken.get(workspace_id, (0.0, 0))
            if until < time.monotonic():
                until, taken = time.monotonic() + REMEMBER, self._counted(workspace_id, taken)
            fits = taken + size <= self.most
            self._taken[workspace_id] = (until, taken + size if fits else taken)
            return fits

    def _counted(self, workspace_id: UUID, before: int) -> int:
        """What is stored, or what was known before while the database does not answer."""
        try:
            return self._count(workspace_id)
        except DatabaseError:
            return before


def _count(workspace_id: UUID) -> int:
    try:
        with in_workspace(workspace_id):
            return widget_bytes()
    finally:
        connection.close()
