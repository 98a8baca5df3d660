"""Storing what a broker hands out: each message acknowledged after it is stored, and not before."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError

from tellback.edge import consumer as module
from tellback.edge.brokers.tests.memory import MemoryBroker
from tellback.edge.consumer import Consumer
from tellback.intake.arrivals.services import Arrived
from tellback.kernel.errors import Unavailable

Wait = Callable[..., Any]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)


class Shelf:
    """Where messages are stored; refuses the next `refusals` calls, as a database that is away."""

    def __init__(self, *, refusals: int = 0, error: Exception | None = None) -> None:
        self.stored: list[bytes] = []
        self.refusals = refusals
        self.error = error or OperationalError("the database system is starting up")
        self.calls: list[int] = []

    def store(self, bodies: Sequence[bytes]) -> Arrived:
        self.calls.append(len(bodies))
        if self.refusals:
            self.refusals -= 1
            raise self.error
        self.stored += bodies
        return Arrived(stored=len(bodies))


async def consume(broker: MemoryBroker, shelf: Shelf, *, until: Callable[[], bool]) -> None:
    consumer = Consumer(broker=broker, grace=1, store=shelf.store)
    working = asyncio.create_task(consumer.work())
    async with asyncio.timeout(10):
        while not until():
            await asyncio.sleep(0.005)
        consumer.stop()
        await working


def test_messages_that_wait_share_a_commit_and_are_acknowledged_after_it(wait_for: Wait) -> None:
    broker, shelf = MemoryBroker([b"%d" % number for number in range(200)]), Shelf()
    wait_for(consume(broker, shelf, until=lambda: not broker.messages))
    assert sorted(shelf.stored) == sorted(b"%d" % number for number in range(200))
    assert len(shelf.calls) == 4, "64 at a time"


@pytest.mark.parametrize("error", [None, Unavailable("The installation's key cannot be read.")])
def test_while_the_database_is_away_messages_stay_the_brokers(wait_for: Wait, error: Exception | None) -> None:
    broker, shelf = MemoryBroker([b"one", b"two"]), Shelf(refusals=3, error=error)
    seen: list[int] = []

    def until() -> bool:
        seen.append(len(broker.messages))
        return not broker.messages

    wait_for(consume(broker, shelf, until=until))
    assert set(seen) == {2, 0}
    assert sorted(shelf.stored) == [b"one", b"two"]


def test_told_to_stop_while_the_database_is_away_it_leaves_the_messages_to_another(wait_for: Wait) -> None:
    broker, shelf = MemoryBroker([b"one"]), Shelf(refusals=10**9)
    wait_for(consume(broker, shelf, until=lambda: len(shelf.calls) > 2))
    assert broker.messages == [b"one"]
    assert shelf.stored == []


def test_a_broker_that_comes_later_is_waited_for(wait_for: Wait) -> None:
    broker, shelf = MemoryBroker([b"one"]), Shelf()
    broker.away = True
    looks = 0

    def until() -> bool:
        nonlocal looks
        looks += 1
        broker.away = looks < 5
        return not broker.messages

    wait_for(consume(broker, shelf, until=until))
    assert shelf.stored == [b"one"]


def test_it_ends_also_when_the_broker_never_answered(wait_for: Wait) -> None:
    broker = MemoryBroker([b"one"])
    broker.away = True
    wait_for(consume(broker, Shelf(), until=lambda: True))
    assert broker.messages == [b"one"]


def test_what_nobody_foresaw_ends_the_consumer_and_leaves_the_messages_to_another(wait_for: Wait) -> None:
    """It used to live on, storing nothing."""
    broker, shelf = MemoryBroker([b"one"]), Shelf(refusals=1, error=RuntimeError("unforeseen"))
    with pytest.raises(RuntimeError, match="unforeseen"):
        wait_for(Consumer(broker=broker, grace=-4.9, store=shelf.store).work())
    assert broker.messages == [b"one"]
