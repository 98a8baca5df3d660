"""A broker in memory, with the guarantees of a real one, that a test can take away."""

import asyncio
from collections.abc import Sequence

from tellback.edge.brokers import AWAY, Backlog, Take
from tellback.kernel.errors import Unavailable


class MemoryBroker:
    """Keeps messages until they were taken. `away` makes it answer nothing, `silent` makes it answer never."""

    def __init__(self, messages: Sequence[bytes] = ()) -> None:
        self.messages = list(messages)
        self.published: list[bytes] = []
        self.away = False
        self.silent = False
        self.consuming: list[asyncio.Task[None]] = []

    async def publish(self, body: bytes) -> None:
        """See `Broker.publish`."""
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise Unavailable(AWAY)
        self.published.append(body)
        self.messages.append(body)

    async def consume(self, take: Take) -> None:
        """See `Broker.consume`; what comes later is not handed out."""
        if self.away:
            raise Unavailable(AWAY)
        self.consuming = [asyncio.create_task(self._hand_out(body, take)) for body in self.messages]

    async def backlog(self) -> Backlog:
        """See `Broker.backlog`."""
        return Backlog(len(self.messages), 1 if self.consuming else 0)

    async def close(self) -> None:
        """See `Broker.close`."""
        await asyncio.gather(*self.consuming, return_exceptions=True)

    async def _hand_out(self, body: bytes, take: Take) -> None:
        await take(body)
        self.messages.remove(body)
