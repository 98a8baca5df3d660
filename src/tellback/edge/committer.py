"""Group commit: requests that arrive together are made durable together, in one transaction or one message.

While a commit is on its way, arrivals queue; when it is done, all of them go into the next. Nobody waits when idle.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from tellback.edge.stores import Answer, Away, Store
from tellback.intake.accept import Accepted
from tellback.kernel.errors import TellbackError, Unavailable

logger = logging.getLogger(__name__)

MAX_WAITING = 2000
#: Small, so that the next batch is prepared while this one is being stored: measured best with 64 connections.
MAX_BATCH = 32


@dataclass(slots=True)
class _Waiting:
    """Rows that came in one request; they are stored together."""

    workspace_id: UUID
    rows: Sequence[dict[str, Any]]
    answer: "asyncio.Future[list[Answer]]"


class Committer:
    """Makes rows durable through its stores, one batch at a time in each. Start it and stop it with the server."""

    def __init__(self, *, stores: Sequence[Store]) -> None:
        self._stores = stores
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Begin committing."""
        self._tasks = [asyncio.create_task(self._run(store)) for store in self._stores]

    async def stop(self) -> None:
        """Commit what waits, then end."""
        self._stopping = True
        self._arrived.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for store in self._stores:
            await store.close()

    async def store(self, workspace_id: UUID, row: dict[str, Any]) -> Accepted:
        """The outcome of this row, after it is durable.

        Raises `Unavailable` when it was not stored, another error when it cannot be.
        """
        (answer,) = await self.store_all(workspace_id, (row,))
        if isinstance(answer, TellbackError):
            raise answer
        return answer

    async def store_all(self, workspace_id: UUID, rows: Sequence[dict[str, Any]]) -> list[Answer]:
        """The outcome of each of these rows, after all are durable in one commit. No two may share an idempotency key.

        Raises `Unavailable` when none was stored.
        """
        if self._stopping or len(self._waiting) >= MAX_WAITING:
            raise Unavailable("There is more feedback than can be stored right now. Send it again in a moment.")
        waiting = _Waiting(workspace_id, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.answer

    async def _run(self, store: Store) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if batch:
                await self._commit(store, batch)
            elif self._stopping:
                return
            else:
                self._arrived.clear()

    def _take(self) -> list[_Waiting]:
        """The next batch of one workspace. Rows that share an idempotency key go into different batches."""
        if not self._waiting:
            return []
        workspace_id = self._waiting[0].workspace_id
        batch: list[_Waiting] = []
        later: list[_Waiting] = []
        keys: set[tuple[str, str]] = set()
        while self._waiting and len(keys) < MAX_BATCH:
            waiting = self._waiting.popleft()
            if waiting.answer.cancelled():
                continue
            own = {(row["scope"], row["key"]) for row in waiting.rows}
            if waiting.workspace_id != workspace_id or not keys.isdisjoint(own):
                later.append(waiting)
            else:
                keys |= own
                batch.append(waiting)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _commit(self, store: Store, batch: list[_Waiting]) -> None:
        rows = [row for waiting in batch for row in waiting.rows]
        try:
            answers = iter(await store.commit(batch[0].workspace_id, rows))
        except Unavailable as error:
            if isinstance(error, Away):
                # What waits would find the same out, one batch after the other, each when its patience ends.
                batch += self._waiting
                self._waiting.clear()
            logger.warning("Could not store %d requests: %s", len(batch), error.__cause__ or error)
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            return
        for waiting in batch:
            found = list(islice(answers, len(waiting.rows)))
            if not waiting.answer.done():
                waiting.answer.set_result(found)
