"""The rate limit of a key holds over all web processes (trust.md, LOD-06)."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.processes import Installation, Queues
from tests.trust.test_intake import Door, add_workspace, open_door, payload

pytestmark = pytest.mark.trust

LIMIT = 100


@pytest.fixture(scope="module")
def doors(migrated: Installation, queues: Queues) -> Iterator[tuple[Door, Door]]:
    """Two web processes; their first key may send 100 requests a minute, the other one as many as it likes."""
    keys = add_workspace(queues, "quay", 2)
    queues.rows("UPDATE api_key SET rate_limit = %s WHERE prefix = %s", [LIMIT, keys[0][:10]])
    first, second = (open_door(migrated, queues, key=keys[0], other_key=keys[1]) for _ in range(2))
    yield first, second
    for door in (first, second):
        door.process.terminate()
        door.process.wait(30)


def send(doors: tuple[Door, Door], count: int, *, key: str = "") -> Counter[int]:
    """Answers by status of `count` requests to the doors in turn, sixteen at a time."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: doors[n % 2].post(payload(), key=key), range(count)))
    assert all(answer.headers.get("retry-after") for answer in answers if answer.status_code == 429)
    return Counter(answer.status_code for answer in answers)


def test_two_web_processes_share_one_allowance_also_after_a_restart(doors: tuple[Door, Door]) -> None:
    require_one_allowance(doors, restart=True)


def test_a_clock_that_was_set_back_by_an_hour_locks_nobody_out(doors: tuple[Door, Door]) -> None:
    require_no_lock_out(doors)


def require_no_lock_out(doors: tuple[Door, Door]) -> None:
    """The key has used its allowance up; then the database's clock goes back by an hour, so all it noted is ahead.

    The key has a whole allowance again, and no more than that.
    """
    first, _ = doors
    send(doors, LIMIT + 20)
    first.queues.rows("UPDATE rate_allowance SET whole_at = whole_at + 3600")
    began = time.monotonic()
    passed = send(doors, LIMIT + 60)
    regained = (time.monotonic() - began) * LIMIT / 60
    assert LIMIT <= passed[202] <= LIMIT + regained + 1


def require_one_allowance(doors: tuple[Door, Door], *, restart: bool) -> None:
    """The key passes a minute's burst and what it regains meanwhile, over both processes; another key passes."""
    first, _ = doors
    # Whichever check comes first: each begins with a whole allowance.
    first.queues.rows("DELETE FROM rate_allowance")
    began = time.monotonic()
    passed = send(doors, 180)
    assert passed.keys() == {202, 429}
    assert passed[202] >= LIMIT
    if restart:
        first.kill()
        first.open()
    passed += send(doors, 20)
    regained = (time.monotonic() - began) * LIMIT / 60
    assert passed[202] <= LIMIT + regained + 1
    assert send(doors, 20, key=first.other_key) == {202: 20}
