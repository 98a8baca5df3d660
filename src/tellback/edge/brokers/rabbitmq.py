"""RabbitMQ as the broker, from 3.10 on: a quorum queue, publisher confirms, competing consumers."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from aio_pika.abc import AbstractConnection, AbstractRobustChannel
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPError, PublishError
from faststream.exceptions import FastStreamException
from faststream.middlewares import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from faststream.rabbit.schemas.queue import QuorumQueueArgs

from tellback.edge.brokers import AWAY, HELD, Backlog, Take
from tellback.edge.brokers.address import Address
from tellback.kernel.errors import Unavailable
from tellback.platform.patience import under_way

logger = logging.getLogger(__name__)

#: Seconds between attempts to connect again, and that one may take.
RECONNECT, CONNECT_TIMEOUT = 1.0, 5.0
#: Seconds for a server to say that something is closed.
CLOSING = 2.0
#: Seconds without a message after which a consumer subscribes anew; see `RabbitMQ._keep_listening`.
SILENCE = 10.0
#: A full queue says no instead of dropping its oldest. A message is delivered again because a consumer died, never for
#: its own fault, so the limit after which it would be dropped (20 from RabbitMQ 4 on) is put out of reach. -1 means "no
#: limit" to newer versions only.
ARGUMENTS: QuorumQueueArgs = {"x-overflow": "reject-publish", "x-delivery-limit": 1_000_000_000}
# What these would say about each attempt to connect, with tracebacks, is said once here.
for _name in ("aiormq", "aio_pika"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
TROUBLE = (AMQPError, FastStreamException, *CONNECTION_EXCEPTIONS)


class Delivered(Protocol):
    """What is used of a message that was handed out."""

    body: bytes

    async def ack(self) -> None:
        """Tell the broker that it is done with."""


class RabbitMQ:
    """A durable quorum queue on one connection, which is made again when it is lost."""

    def __init__(self, address: Address, *, queue: str, grace: float) -> None:
        self._address = address
        self._queue = RabbitQueue(queue, queue_type=QueueType.QUORUM, arguments=ARGUMENTS)
        self._grace = grace
        self._connected: RabbitBroker | None = None
        self._connecting: asyncio.Task[RabbitBroker] | None = None
        self._line: AbstractConnection | None = None
        self._lost = False
        self._listening: asyncio.Task[None] | None = None
        self._in_hand = 0
        self._heard_at = 0.0

    async def publish(self, body: bytes) -> None:
        """See `Broker.publish`: returns with the confirm, which a quorum queue gives when a majority has it on disk."""
        broker = await self._broker()
        try:
            await broker.publish(body, queue=self._queue, persist=True, mandatory=True)
        except PublishError as error:
            # It came back, because somebody has deleted the queue: the next attempt declares it anew.
            await self._forget(broker)
            raise Unavailable(AWAY) from error
        except TROUBLE as error:
            raise Unavailable(AWAY) from error

    async def consume(self, take: Take) -> None:
        """See `Broker.consume`."""
        broker = self._new_broker()

        @broker.subscriber(self._queue, channel=Channel(prefetch_count=HELD), ack_policy=AckPolicy.MANUAL)
        async def handle(message: Delivered) -> None:
            with self._holding():
                await take(message.body)
                await message.ack()

        self._connected = await self._started(broker, broker.start)
        self._listening = asyncio.create_task(self._keep_listening(broker))

    async def _keep_listening(self, broker: RabbitBroker) -> None:
        """Subscribe anew, on another channel, when nothing came for `SILENCE` and nothing is in hand.

        Whoever deletes a queue and makes it anew at once leaves its consumers deaf: RabbitMQ may subscribe them to the
        new one without a word, and goes on to pass over every message whose number in the queue is not higher than the
        last that their channel had, though the new queue counts from nought. A client cannot tell that from silence.
        What was passed over is handed out again when the channel is closed.
        """
        channel = (await broker.declare_queue(self._queue)).channel
        assert isinstance(channel, AbstractRobustChannel)
        self._heard_at = time.monotonic()
        while True:
            left = self._heard_at + SILENCE - time.monotonic()
            if left > 0 or self._in_hand:
                await asyncio.sleep(max(left, SILENCE / 10))
                continue
            self._heard_at = time.monotonic()
            (outcome,) = await asyncio.gather(_reopen(channel), return_exceptions=True)
            if isinstance(outcome, Exception):
                logger.warning("Cannot read the queue (%s); trying again until it works", outcome)

    @contextmanager
    def _holding(self) -> Iterator[None]:
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1
            self._heard_at = time.monotonic()

    async def backlog(self) -> Backlog:
        """See `Broker.backlog`."""
        broker = await self._broker()
        try:
            found = await (await broker.declare_queue(self._queue)).declare()
        except TROUBLE as error:
            raise Unavailable(AWAY) from error
        return Backlog(found.message_count or 0, found.consumer_count)

    async def close(self) -> None:
        """See `Broker.close`."""
        if self._listening is not None:
            self._listening.cancel()
        if self._connecting is not None:
            await asyncio.wait({self._connecting})
        if self._connected is not None:
            await self._forget(self._connected)

    async def _broker(self) -> RabbitBroker:
        """The connection with the queue declared on it. Raises `Unavailable`.

        Whoever waits for it may give that up, and connecting goes on for those who come later: a connection of this
        client that is given up before it was made would try to be made for ever.
        """
        if self._connected is not None:
            return self._connected
        if self._connecting is None:
            self._connecting = under_way(self._connect())
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> RabbitBroker:
        broker = self._new_broker()
        try:
            self._connected = await self._started(broker, lambda: broker.declare_queue(self._queue))
        finally:
            self._connecting = None
        return self._connected

    async def _started(self, broker: RabbitBroker, begin: Callable[[], Awaitable[Any]]) -> RabbitBroker:
        """The broker, connected and begun with. Raises `Unavailable`, within twice `CONNECT_TIMEOUT` and `CLOSING`."""
        try:
            self._line = await broker.connect()
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await begin()
        except TROUBLE as error:
            await self._end(broker)
            raise Unavailable(AWAY) from error
        return broker

    async def _forget(self, broker: RabbitBroker) -> None:
        if self._connected is broker:
            self._connected = None
        await self._end(broker)

    async def _end(self, broker: RabbitBroker) -> None:
        """Disconnect.

        A server that stands still never says that a channel is closed, for which the client would wait for ever. Then
        the connection beneath is closed, which needs no answer.
        """
        line, self._line = self._line, None
        stopping = under_way(broker.stop())
        await asyncio.wait({stopping}, timeout=CLOSING + (self._grace if self._in_hand else 0))
        if not stopping.done():
            stopping.cancel()
            if line is not None:
                await asyncio.wait({under_way(line.close())}, timeout=CLOSING)

    def _new_broker(self) -> RabbitBroker:
        return RabbitBroker(
            self._address.where,
            timeout=CONNECT_TIMEOUT,
            reconnect_interval=RECONNECT,
            default_channel=Channel(publisher_confirms=True, on_return_raises=True),
            graceful_timeout=self._grace,
            on_close=[self._note_loss],
            on_reconnected=[self._note_return],
            decoder=_as_it_is,
            apply_types=False,
            serializer=None,
            app_id="tellback",
            logger=None,
        )

    def _note_loss(self, _connection: object, error: BaseException | None) -> None:
        if error is not None and not self._lost and self._connected is not None:
            self._lost = True
            logger.warning("The connection to RabbitMQ was lost (%s); trying again until it answers", error)

    def _note_return(self, _connection: object) -> None:
        self._lost = False
        logger.warning("RabbitMQ answers again")


async def _reopen(channel: AbstractRobustChannel) -> None:
    """Close the channel beneath; another one is opened in its place, and subscribed as the first was.

    Where that failed the last time it is tried again.
    """
    with suppress(*TROUBLE):
        await (await channel.get_underlay_channel()).close()
    await channel.restore()


async def _as_it_is(message: Any) -> Any:
    """The message itself: its body is read by whoever takes it, who also knows what to do when that fails."""
    return message
