"""Rate limits at the edge: requests that arrive together are counted together.

While a count is on its way to the database, arrivals queue; when it is done, all of them go into the next. A subject
with thousands of requests left passes at once and is counted a moment later. When the database does not answer in
time, this process counts for itself, so that the limit never stops what could be accepted.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import psycopg

from tellback.kernel.errors import TooMany
from tellback.platform.patience import Connection, Line
from tellback.platform.rate_limits import TAKE_SQL, Allowance, refuse

#: Seconds that a count may take, and that the database is then left alone.
PATIENCE = 0.5
#: With as many requests left, all processes together cannot use them up within the moment until they are counted.
AMPLE = 10_000
MOMENT = 0.1
REMEMBERED = 10_000


@dataclass(slots=True)
class LocalLimiter:
    """The same count for one process. `whole_at` is when a subject's allowance is whole again, in monotonic seconds."""

    whole_at: dict[str, float] = field(default_factory=dict)

    def take(self, subject: str, *, per_minute: int, now: float) -> Allowance:
        """Count one request. Raises `TooMany` when it may not pass."""
        step = 60.0 / per_minute
        whole_at = max(self.whole_at.get(subject, 0.0), now) + step
        if whole_at - now - 60.0 > 1e-6:
            raise refuse(limit=per_minute, wait=whole_at - now - 60.0)
        self.whole_at[subject] = whole_at
        if len(self.whole_at) > REMEMBERED:
            self.whole_at = {known: at for known, at in self.whole_at.items() if at > now}
        return Allowance(per_minute, int((now + 60.0 - whole_at) / step), max(0.0, whole_at + step - now - 60.0))


@dataclass(slots=True)
class _Tally:
    """Requests of one subject to be counted next: those that have passed, and those that wait for the answer."""

    per_minute: int
    passed: int = 0
    waiting: "list[asyncio.Future[Allowance]]" = field(default_factory=list)


class RateLimiter:
    """Counts requests by subject. Start it and stop it with the server."""

    def __init__(self, *, conninfo: str) -> None:
        self._local = LocalLimiter()
        self._line = Line(conninfo, patience=PATIENCE, prepare_threshold=1)
        self._tallies: dict[tuple[UUID, str], _Tally] = {}
        self._left: dict[str, Allowance] = {}
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._alone_until = 0.0

    def start(self) -> None:
        """Begin counting."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Give the connection back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._line.close()

    async def take(self, workspace_id: UUID, subject: str, *, per_minute: int) -> Allowance:
        """Count one request. Raises `TooMany` when it may not pass, and then counts nothing."""
        left = self._left.get(subject)
        if left and left.limit == per_minute and left.remaining >= AMPLE:
            return self._pass(workspace_id, subject, left)
        if self._alone_until > time.monotonic():
            return self._local.take(subject, per_minute=per_minute, now=time.monotonic())
        answer: asyncio.Future[Allowance] = asyncio.get_running_loop().create_future()
        self._tallies.setdefault((workspace_id, subject), _Tally(per_minute)).waiting.append(answer)
        self._arrived.set()
        return await answer

    def _pass(self, workspace_id: UUID, subject: str, left: Allowance) -> Allowance:
        if not self._tallies:
            asyncio.get_running_loop().call_later(MOMENT, self._arrived.set)
        self._tallies.setdefault((workspace_id, subject), _Tally(left.limit)).passed += 1
        return left

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            tallies, self._tallies = self._tallies, {}
            by_workspace: dict[UUID, dict[str, _Tally]] = defaultdict(dict)
            for (workspace_id, subject), tally in tallies.items():
                by_workspace[workspace_id][subject] = tally
            for workspace_id, group in by_workspace.items():
                if self._alone_until > time.monotonic():
                    self._count_alone(group)
                    continue
                try:
                    await self._line.run(partial(self._count, workspace_id, group))
                except (psycopg.Error, TimeoutError, OSError):
                    self._alone_until = time.monotonic() + PATIENCE
                    self._count_alone(group)

    async def _count(self, workspace_id: UUID, group: dict[str, _Tally], connection: Connection) -> None:
        wanted = [tally.passed + len(tally.waiting) for tally in group.values()]
        limits = [tally.per_minute for tally in group.values()]
        cursor = await connection.execute(TAKE_SQL, [str(workspace_id), list(group), wanted, limits])
        if len(self._left) > REMEMBERED:
            self._left.clear()
        for subject, granted, remaining, wait in await cursor.fetchall():
            tally = group[subject]
            left = self._left[subject] = Allowance(tally.per_minute, remaining, wait)
            room = max(0, granted - tally.passed)
            for answer in tally.waiting[:room]:
                _give(answer, left)
            for answer in tally.waiting[room:]:
                _give(answer, refuse(limit=tally.per_minute, wait=wait))

    def _count_alone(self, group: dict[str, _Tally]) -> None:
        for subject, tally in group.items():
            self._left.pop(subject, None)
            for answer in tally.waiting:
                try:
                    _give(answer, self._local.take(subject, per_minute=tally.per_minute, now=time.monotonic()))
                except TooMany as error:
                    _give(answer, error)


def _give(answer: "asyncio.Future[Allowance]", outcome: Allowance | TooMany) -> None:
    if answer.done():
        return
    if isinstance(outcome, TooMany):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
