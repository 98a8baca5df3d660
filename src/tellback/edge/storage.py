"""The room for files of widgets: their keys stand in public pages, so without a bound anybody could fill the disk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from threading import Lock
from uuid import UUID

from django.db import DatabaseError, connection

from tellback.intake.attachments.storage import widget_bytes
from tellback.platform.patience import within
from tellback.platform.tenancy import in_workspace

#: Seconds after which what is stored is counted anew: other processes take room too, and erasing gives it back.
REMEMBER = 60.0
#: Seconds that counting may take.
PATIENCE = 2.0
FULL = "was left out: the room for files from widgets is full"


class WidgetStorage:
    """The room of each workspace, `most` bytes, as far as this process knows; exact to a minute."""

    def __init__(self, most: int, *, count: Callable[[UUID], int] | None = None) -> None:
        self.most = most
        self._count = count or _count
        self._taken: dict[UUID, tuple[float, int]] = {}
        self._lock = Lock()

    async def look(self, workspace_id: UUID) -> None:
        """Count what is stored, unless that was done a minute ago; what was known holds while nobody answers."""
        until, taken = self._taken.get(workspace_id, (0.0, 0))
        if until >= time.monotonic():
            return
        with contextlib.suppress(DatabaseError, TimeoutError):
            taken = await within(PATIENCE, asyncio.to_thread(self._count, workspace_id))
        self._taken[workspace_id] = (time.monotonic() + REMEMBER, taken)

    def take(self, workspace_id: UUID, size: int) -> bool:
        """Whether there is room for so many bytes, which are counted then. Call `look` before."""
        with self._lock:
            until, taken = self._taken.get(workspace_id, (0.0, 0))
            fits = taken + size <= self.most
            if fits:
                self._taken[workspace_id] = (until, taken + size)
            return fits


def _count(workspace_id: UUID) -> int:
    try:
        with in_workspace(workspace_id):
            return widget_bytes()
    finally:
        connection.close()
