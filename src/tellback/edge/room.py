"""How much the door works on at once. What comes beyond that is sent away while it has cost little."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from tellback.kernel.errors import Unavailable

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
#: Ordinary requests at once: a tenth of a second's work for one process, so whoever is let in is answered soon.
ROOM = 512
#: Bytes beyond which a body is a batch or brings files, and the room that such a one takes up.
LARGE, LARGE_TAKES = 16_384, 16
RETRY_AFTER = 2


class Room:
    """Counts the requests that have arrived whole and are not answered. Slow senders take up no room."""

    def __init__(self, size: int = ROOM) -> None:
        self._size = size
        self.taken = 0

    def require(self) -> None:
        """Raises `Unavailable` when there is no room."""
        if self.taken >= self._size:
            raise Unavailable("More arrives than can be worked on. Send it again.", retry_after=RETRY_AFTER)

    @contextmanager
    def place(self, receive: Receive) -> Iterator[Receive]:
        """Reads a request, which has its place from its last byte to the end of the block.

        Reading raises `Unavailable` when there is no room.
        """
        size = mine = 0

        async def receive_into_place() -> MutableMapping[str, Any]:
            nonlocal size, mine
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body") and not mine:
                self.require()
                mine = LARGE_TAKES if size > LARGE else 1
                self.taken += mine
            return message

        try:
            yield receive_into_place
        finally:
            self.taken -= mine
