"""Kafka as the broker: acks=all, an idempotent producer, one consumer group.

Settings in the address are librdkafka's (its CONFIGURATION.md).
"""

import asyncio
from contextlib import suppress
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from faststream.confluent import KafkaBroker
from faststream.confluent.helpers.config import ConfluentConfig
from faststream.confluent.schemas import Topic
from faststream.exceptions import FastStreamException
from faststream.middlewares import AckPolicy

from tellback.edge.brokers import AWAY, HELD, Backlog, Take
from tellback.edge.brokers.address import Address
from tellback.kernel.errors import Invalid, Unavailable
from tellback.platform.patience import under_way

#: A topic that we make: as many consumers can share it. How often it is replicated is the cluster's default.
PARTITIONS, CLUSTER_DEFAULT = 12, -1
#: Milliseconds in which the client tries to deliver a message; its sender has been told no after two seconds.
DELIVERY = 5_000
#: Seconds for a question to the cluster.
ASKING = 3.0
TROUBLE = (KafkaException, FastStreamException, BufferError, OSError)


class Kafka:
    """A topic whose messages one group of consumers shares; the group has the topic's name."""

    def __init__(self, address: Address, *, topic: str, grace: float) -> None:
        self._settings: dict[str, Any] = {
            **dict(address.settings),
            "bootstrap.servers": address.where,
            "message.timeout.ms": DELIVERY,
        }
        try:
            self._admin = AdminClient({**self._settings, "client.id": "tellback"})
        except (KafkaException, TypeError) as error:
            raise Invalid(f"Kafka's client does not take the address: {_said(error)}") from error
        self._address = address
        self._topic = topic
        self._grace = grace
        self._one_at_a_time = asyncio.Lock()
        self._connected: KafkaBroker | None = None

    async def publish(self, body: bytes) -> None:
        """See `Broker.publish`: returns when all replicas in sync have it."""
        broker = await self._broker()
        try:
            await asyncio.shield(under_way(broker.publish(body, self._topic)))
        except TROUBLE as error:
            raise Unavailable(AWAY) from error

    async def consume(self, take: Take) -> None:
        """See `Broker.consume`. Offsets are committed after a batch of messages was taken, never before."""
        broker = self._new_broker()

        @broker.subscriber(
            Topic(self._topic, declare=False),
            group_id=self._topic,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            batch=True,
            max_records=HELD,
        )
        async def handle(message: Any) -> None:
            await asyncio.gather(*(take(one) for one in message.body))
            await message.ack()

        self._connected = await self._started(broker)

    async def backlog(self) -> Backlog:
        """See `Broker.backlog`."""
        try:
            return await asyncio.to_thread(self._ask_backlog)
        except TROUBLE as error:
            raise Unavailable(AWAY) from error

    async def close(self) -> None:
        """See `Broker.close`."""
        broker, self._connected = self._connected, None
        if broker is not None:
            await broker.stop()

    async def _broker(self) -> KafkaBroker:
        """The producer. It connects by itself; what is sent meanwhile waits for it. Raises `Unavailable`."""
        async with self._one_at_a_time:
            if self._connected is None:
                self._connected = await self._started(self._new_broker())
            return self._connected

    async def _started(self, broker: KafkaBroker) -> KafkaBroker:
        """The broker with its topic there and its subscribers at work. Raises `Unavailable`."""
        try:
            await asyncio.to_thread(self._make_topic)
            await broker.start()
        except BaseException as error:
            await broker.stop()
            if isinstance(error, TROUBLE):
                raise Unavailable(AWAY) from error
            raise
        return broker

    def _new_broker(self) -> KafkaBroker:
        return KafkaBroker(
            self._address.where.split(","),
            config=cast(ConfluentConfig, self._settings),
            acks="all",
            enable_idempotence=True,
            client_id="tellback",
            graceful_timeout=self._grace,
            decoder=_as_it_is,
            apply_types=False,
            serializer=None,
            logger=None,
        )

    def _make_topic(self) -> None:
        """Make the topic where there is none and we may. Raises `KafkaException` when the cluster does not answer."""
        if self._topic in self._admin.list_topics(timeout=ASKING).topics:
            return
        topic = NewTopic(self._topic, PARTITIONS, CLUSTER_DEFAULT)
        for made in self._admin.create_topics([topic], request_timeout=ASKING).values():
            # Another process was first, or we may not make it: then sending says what is wrong.
            with suppress(KafkaException):
                made.result()

    def _ask_backlog(self) -> Backlog:
        asking = {name: value for name, value in self._settings.items() if name != "message.timeout.ms"}
        consumer = Consumer({**asking, "group.id": self._topic, "enable.auto.commit": False})
        try:
            found = consumer.list_topics(self._topic, timeout=ASKING).topics[self._topic]
            places = [TopicPartition(self._topic, number) for number in found.partitions]
            waiting = 0
            for place in consumer.committed(places, timeout=ASKING):
                first, following = consumer.get_watermark_offsets(place, timeout=ASKING)
                waiting += following - max(first, place.offset)
            return Backlog(waiting, None)
        finally:
            consumer.close()


async def _as_it_is(message: Any) -> Any:
    """The message itself: its body is read by whoever takes it, who also knows what to do when that fails."""
    return message


def _said(error: KafkaException | TypeError) -> str:
    reason = error.args[0] if error.args else error
    return reason.str() if isinstance(reason, KafkaError) else str(reason)
