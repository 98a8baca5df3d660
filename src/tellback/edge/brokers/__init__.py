"""Brokers between the edge and the database: what is asked of one, and which there are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

from tellback.edge.brokers.address import Address, Kind
from tellback.kernel.errors import Unavailable

#: Stores what stands in a message, and returns when it is durable or set aside.
Take = Callable[[bytes], Awaitable[None]]
#: Messages that one consumer holds unacknowledged.
HELD = 64
AWAY = "The queue does not answer, so this may not have been kept. Send it again in a moment."


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the broker: messages, and how many consumers read them (None where that cannot be asked)."""

    messages: int
    consumers: int | None


class Broker(Protocol):
    """A queue of messages that survives its clients and its own restart."""

    async def publish(self, body: bytes) -> None:
        """Hand a message over. When this returns, the broker has it for good.

        Raises `Unavailable` when it may not: then send it again, since storing a message twice is storing it once.
        """

    async def consume(self, take: Take) -> None:
        """Begin to hand messages to `take`, as one of a group that shares them; returns when it has begun.

        A message is acknowledged after `take` returned, and handed out again when its consumer is gone before. Up to
        `HELD` are handed out at once. Lost connections are made again. Raises `Unavailable`.
        """

    async def backlog(self) -> Backlog:
        """What waits. Raises `Unavailable`."""

    async def close(self) -> None:
        """Take no more, let what `take` has in hand end (up to the grace it was made with), and disconnect."""


def require_packages() -> None:
    """Raises `Unavailable` where the packages that speak to brokers are not installed."""
    if find_spec("faststream") is None or find_spec("confluent_kafka") is None or find_spec("aio_pika") is None:
        raise Unavailable("A broker needs more packages. Run: pip install 'tellback[brokers]'")


def open_broker(address: Address, *, queue: str, grace: float = 15.0) -> Broker:
    """The broker at an address; it connects when it is first used.

    Raises `Unavailable` without the extra packages, `Invalid` for settings in the address that its client refuses.
    """
    require_packages()
    if address.kind is Kind.RABBITMQ:
        from tellback.edge.brokers.rabbitmq import RabbitMQ  # noqa: PLC0415 - of an extra

        return RabbitMQ(address, queue=queue, grace=grace)
    from tellback.edge.brokers.kafka import Kafka  # noqa: PLC0415 - of an extra

    return Kafka(address, topic=queue, grace=grace)
