"""Kafka as the broker, against the cluster that librdkafka brings for tests: three brokers that speak its protocol."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from tellback.edge.brokers import Backlog, Broker, open_broker
from tellback.edge.brokers.address import read_address
from tellback.kernel.errors import Invalid, Unavailable

Wait = Callable[..., Any]


@pytest.fixture(scope="module")
def hosts() -> Iterator[str]:
    """Addresses of the cluster's brokers."""
    cluster = AdminClient({"test.mock.num.brokers": 3, "log_level": 0})
    yield ",".join(f"{one.host}:{one.port}" for one in cluster.list_topics(timeout=10).brokers.values())


@pytest.fixture
def topic(hosts: str) -> str:
    """A topic of the test's own; the cluster makes one that is asked for."""
    name = f"tellback.{uuid4().hex}"
    AdminClient({"bootstrap.servers": hosts}).list_topics(name, timeout=10)
    return name


def broker(hosts: str, topic: str) -> Broker:
    return open_broker(read_address(f"kafka://{hosts}"), queue=topic, grace=1)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)


def test_messages_are_waiting_until_they_were_taken_whoever_asks(hosts: str, topic: str, wait_for: Wait) -> None:
    sent = {b"%d" % number for number in range(100)}
    given: list[bytes] = []
    taken: list[bytes] = []

    async def run() -> tuple[Backlog, Backlog]:
        gate = asyncio.Event()

        async def take(body: bytes) -> None:
            given.append(body)
            await gate.wait()
            taken.append(body)

        edge, consumer = broker(hosts, topic), broker(hosts, topic)
        await asyncio.gather(*(edge.publish(body) for body in sent))
        await consumer.consume(take)
        await until(lambda: bool(given))
        held = await edge.backlog()
        gate.set()
        await until(lambda: len(taken) >= 100)
        await consumer.close()
        left = await edge.backlog()
        await edge.close()
        return held, left

    held, left = wait_for(run())
    assert held == Backlog(100, None), "what is given out and not taken would be given out again"
    assert left == Backlog(0, None)
    assert sorted(taken) == sorted(sent)


def test_a_cluster_that_is_away_is_unavailable(wait_for: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellback.edge.brokers.kafka.ASKING", 0.2)

    async def send() -> None:
        edge = broker("127.0.0.1:1", "tellback.nowhere")
        with pytest.raises(Unavailable):
            await edge.publish(b"lost?")
        with pytest.raises(Unavailable):
            await edge.backlog()
        await edge.close()

    wait_for(send())


def test_a_message_that_kafka_does_not_take_is_unavailable(hosts: str, topic: str, wait_for: Wait) -> None:
    async def send() -> None:
        edge = broker(hosts, topic)
        with pytest.raises(Unavailable):
            await edge.publish(b"x" * 2_000_000)
        await edge.publish(b"x" * 950_000)
        await edge.close()

    wait_for(send())


@pytest.mark.parametrize("query", ["nonsense=1", "linger_ms=soon"])
def test_a_setting_that_the_client_does_not_know_is_named(query: str) -> None:
    with pytest.raises(Invalid, match="configuration property"):
        open_broker(read_address(f"kafka://127.0.0.1:9?{query}"), queue="q")
