"""The rate limit counts exactly, over several processes, whatever the clock does."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tellback.edge.limits import AMPLE, LocalLimiter, RateLimiter, _Tally
from tellback.kernel.errors import TooMany
from tellback.platform.patience import Line
from tellback.platform.rate_limits import Allowance, forget_whole_allowances, take
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Workspace

AT_SQL = "SELECT granted, wait FROM tellback_take_allowance(%s::uuid, %s::text[], %s::int[], %s::int[], %s::float8)"
Take = Callable[[float, int], tuple[int, float]]


@pytest.fixture
def take_at(workspace: Workspace) -> Take:
    """Takes `count` of one subject with 60 a minute at a second of our own clock: how many passed, and the wait."""

    def take_at(at: float, count: int) -> tuple[int, float]:
        with connection.cursor() as cursor:
            cursor.execute(AT_SQL, [str(workspace.id), ["key"], [count], [60], at])
            granted, wait = cursor.fetchone()
        return granted, wait

    return take_at


def test_a_minutes_allowance_may_come_at_once_and_then_regains_evenly(take_at: Take) -> None:
    assert take_at(1000.0, 60)[0] == 60
    granted, wait = take_at(1000.0, 1)
    assert (granted, round(wait, 3)) == (0, 1)
    assert take_at(1001.0, 5)[0] == 1
    assert take_at(1061.0, 100)[0] == 60


def test_a_first_burst_beyond_the_allowance_is_cut(take_at: Take) -> None:
    assert take_at(1000.0, 100)[0] == 60


def test_a_clock_set_back_by_an_hour_locks_nobody_out(take_at: Take) -> None:
    assert take_at(10_000.0, 60)[0] == 60
    assert take_at(6_400.0, 100)[0] == 60


def test_a_refusal_says_when_to_come_back(workspace: Workspace) -> None:
    first = take(workspace_id=workspace.id, subject="key", per_minute=1)
    assert (first.remaining, first.headers["ratelimit-policy"]) == (0, '"minute";q=1;w=60')
    with pytest.raises(TooMany) as refusal:
        take(workspace_id=workspace.id, subject="key", per_minute=1)
    assert 59 <= refusal.value.retry_after <= 61
    take(workspace_id=workspace.id, subject="another", per_minute=1)


def test_subjects_of_workspaces_do_not_share_their_allowance(workspace: Workspace, other_workspace_id: UUID) -> None:
    take(workspace_id=workspace.id, subject="key", per_minute=1)
    take(workspace_id=other_workspace_id, subject="key", per_minute=1)


def test_what_is_whole_again_is_forgotten(workspace: Workspace, take_at: Take) -> None:
    take_at(1000.0, 1)
    take(workspace_id=workspace.id, subject="busy", per_minute=1)
    with in_workspace(workspace.id):
        forget_whole_allowances()
        with connection.cursor() as cursor:
            cursor.execute("SELECT subject FROM rate_allowance")
            assert cursor.fetchall() == [("busy",)]


def test_without_a_database_a_process_counts_for_itself(wait_for: Callable[..., Any]) -> None:
    async def passed() -> int:
        limiter = RateLimiter(conninfo="host=127.0.0.1 port=1 dbname=none")
        limiter.start()
        asked = [limiter.take(UUID(int=1), "key", per_minute=10) for _ in range(30)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await limiter.stop()
        return sum(isinstance(answer, Allowance) for answer in answers)

    assert wait_for(passed()) == 10


@given(st.lists(st.floats(0, 3), max_size=300), st.integers(1, 120))
def test_nobody_passes_more_than_a_burst_and_the_rate(gaps: list[float], per_minute: int) -> None:
    limiter, now, passed = LocalLimiter(), 0.0, 0
    for gap in gaps:
        now += gap
        try:
            limiter.take("key", per_minute=per_minute, now=now)
        except TooMany:
            continue
        passed += 1
    assert passed <= per_minute + now * per_minute / 60 + 1


def test_waiting_as_long_as_was_said_is_enough() -> None:
    limiter = LocalLimiter()
    for _ in range(7):
        allowance = limiter.take("key", per_minute=7, now=50.0)
    with pytest.raises(TooMany):
        limiter.take("key", per_minute=7, now=50.0)
    limiter.take("key", per_minute=7, now=50.0 + allowance.wait)


class Unconnected(Line):
    """Work that needs no database."""

    async def run(self, work: Callable[..., Any]) -> Any:
        return await work(None)


class Remembering(RateLimiter):
    """Counts in memory in place of the database, and remembers how many requests each count was for."""

    def __init__(self) -> None:
        super().__init__(conninfo="unused")
        self._line = Unconnected("unused", patience=1)
        self.counted: list[int] = []

    async def _count(self, workspace_id: UUID, group: dict[str, _Tally], connection: Any = None) -> None:
        for subject, tally in group.items():
            self.counted.append(tally.passed + len(tally.waiting))
            left = self._left[subject] = Allowance(tally.per_minute, tally.per_minute - sum(self.counted), 0.0)
            for answer in tally.waiting:
                answer.set_result(left)


def test_a_key_with_thousands_left_passes_at_once_and_is_counted_a_moment_later(wait_for: Callable[..., Any]) -> None:
    async def counts() -> tuple[list[int], list[int]]:
        limiter = Remembering()
        limiter.start()
        for _ in range(50):
            await limiter.take(UUID(int=1), "key", per_minute=AMPLE * 2)
        at_once = list(limiter.counted)
        limiter._arrived.set()
        await asyncio.sleep(0)
        await limiter.stop()
        return at_once, limiter.counted

    assert wait_for(counts()) == ([1], [1, 49])
