"""`tellback consume`: what the broker hands out is stored in PostgreSQL, as one of a group that shares the messages.

Messages that arrive together share a commit. A message is acknowledged after that, so a consumer may die at any
instant; while the database is away, messages are held and stay the broker's.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import DatabaseError, connection

from tellback.edge.brokers import Broker
from tellback.intake.arrivals.services import Arrived, store_messages
from tellback.kernel.errors import Unavailable

logger = logging.getLogger(__name__)
Store = Callable[[Sequence[bytes]], Arrived]

#: Seconds before the next attempt, doubled up to the longest.
PAUSE, LONGEST = 0.5, 10.0
#: Messages that share a commit.
TOGETHER = 64
#: What ends by itself, or when somebody puts the set-up right: the same messages are then tried again.
PASSING = (DatabaseError, Unavailable)


class Stopped(Exception):
    """The consumer ends without having stored this message, so it must not be acknowledged."""


@dataclass(slots=True, eq=False)
class _Held:
    """A message that is handed out to us, and whoever waits to acknowledge it."""

    body: bytes
    stored: "asyncio.Future[None]"


class Consumer:
    """Reads one broker until it is told to stop."""

    def __init__(self, *, broker: Broker, grace: float, store: Store = store_messages) -> None:
        """`grace` is how many seconds what is held has to be stored after the word to stop."""
        self._broker = broker
        self._grace = grace
        self._store_messages = store
        self._held: list[_Held] = []
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="consume")
        self._busy = False

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then store what is held within the grace; the rest the broker hands out again.

        Does not return while the database still holds up what is being stored: the process then ends at once.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await self.work()
        if self._busy:
            logging.shutdown()
            os._exit(0)

    async def work(self) -> None:
        """Work until `stop` is called, then as `run`; returns also while the database holds something up.

        What nobody foresaw ends it too and is raised: all it holds is then handed out again.
        """
        storing = asyncio.create_task(self._keep_storing())
        storing.add_done_callback(lambda _: self.stop())
        if await self._connect():
            await self._stopping.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace + 5):
                await self._broker.close()
        storing.cancel()
        self._thread.shutdown(wait=False)
        with contextlib.suppress(asyncio.CancelledError):
            await storing

    def stop(self) -> None:
        """Take no more, as on SIGTERM."""
        self._stopping.set()
        self._arrived.set()

    async def take(self, body: bytes) -> None:
        """Return when what stands in the message is stored or set aside. Raises `Stopped`."""
        held = _Held(body, asyncio.get_running_loop().create_future())
        self._held.append(held)
        self._arrived.set()
        await held.stored

    async def _connect(self) -> bool:
        """Begin to consume, however long the broker takes to answer. False when it did not before the word to stop."""
        pause = PAUSE
        while not self._stopping.is_set():
            try:
                await self._broker.consume(self.take)
                return True
            except Unavailable as error:
                if pause == PAUSE:
                    logger.warning("The broker does not answer (%s); trying again until it does", error.__cause__)
                pause = await self._wait(pause)
        return False

    async def _keep_storing(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._held:
                batch, self._held = self._held[:TOGETHER], self._held[TOGETHER:]
                # Those that nobody waits for any more were taken back with a lost connection, to be handed out again.
                await self._store([held for held in batch if not held.stored.cancelled()])

    async def _store(self, batch: Sequence[_Held]) -> None:
        """Store these messages, however long the database takes to answer."""
        pause = PAUSE
        while True:
            try:
                arrived = await self._in_thread([held.body for held in batch])
                break
            except PASSING as error:
                if self._stopping.is_set():
                    _tell(batch, Stopped())
                    return
                if pause == PAUSE:
                    logger.warning("Cannot store (%s); %d messages wait for it", _first_line(error), len(batch))
                pause = await self._wait(pause)
        if pause > PAUSE:
            logger.warning("Storing again")
        if arrived.set_aside:
            logger.warning("%d could not be stored and were set aside: tellback jobs list --failed", arrived.set_aside)
        _tell(batch, None)

    async def _in_thread(self, bodies: Sequence[bytes]) -> Arrived:
        """The thread is left to itself when this is cancelled."""
        self._busy = True
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._store_or_disconnect, bodies)
        work.add_done_callback(self._free)
        return await asyncio.shield(work)

    def _store_or_disconnect(self, bodies: Sequence[bytes]) -> Arrived:
        """A connection that failed is not used again."""
        try:
            return self._store_messages(bodies)
        except DatabaseError:
            connection.close()
            raise

    def _free(self, work: "asyncio.Future[Arrived]") -> None:
        self._busy = False
        if not work.cancelled():
            work.exception()

    async def _wait(self, pause: float) -> float:
        """Wait so many seconds, or until the word to stop; the next pause."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)
        return min(2 * pause, LONGEST)


def _tell(batch: Sequence[_Held], error: Stopped | None) -> None:
    for held in batch:
        if held.stored.done():
            continue
        if error is None:
            held.stored.set_result(None)
        else:
            held.stored.set_exception(error)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
