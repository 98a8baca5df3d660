"""The HTTP/1.1 connections of the web process: nobody holds one for long without saying anything.

Uvicorn limits idle connections only. Here a head must arrive within a time and a size, and a body at a pace, so that
senders of a byte a second do not gather (RFC 9110, section 15.5.9).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Seconds for the head of a request, from the connection or its first byte on, and bytes of it.
HEAD_SECONDS, HEAD_BYTES = 10.0, 65_536
#: Seconds that any body may take, and bytes a second that one must reach that takes longer.
BODY_SECONDS, BODY_PACE = 20.0, 8_192

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """One connection. What arrives whole, as nearly everything does, costs no timer."""

    _timer: asyncio.TimerHandle | None = None
    _awaits: str = "head"
    _began = 0.0
    _received = 0

    def connection_made(self, transport: Any) -> None:
        """Wait for a first request."""
        super().connection_made(transport)
        self._await("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._begin("head")

    def on_headers_complete(self) -> None:
        """A body begins."""
        self._begin("body")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._begin("")
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take data in; what is still incomplete then must go on."""
        self._received += len(data)
        super().data_received(data)
        if self._awaits == "head" and self._received > HEAD_BYTES:
            self._cut(_TOO_LONG)
        elif not self._awaits:
            self._stop_waiting()
        elif self._timer is None and not self.transport.is_closing():
            self._await(self._awaits)

    def _begin(self, part: str) -> None:
        if part != self._awaits:
            self._stop_waiting()
        self._awaits, self._received = part, 0

    def _await(self, part: str) -> None:
        self._awaits, self._began = part, self.loop.time()
        self._timer = self.loop.call_later(HEAD_SECONDS if part == "head" else BODY_SECONDS, self._look)

    def _look(self) -> None:
        """Cut the connection, unless a body has come at its pace and somebody still wants it."""
        self._timer = None
        if self.transport.is_closing():
            return
        wanted = self._awaits == "body" and not self.cycle.response_complete
        left = self._began + BODY_SECONDS + self._received / BODY_PACE - self.loop.time()
        if wanted and left > 0:
            self._timer = self.loop.call_later(left + 0.1, self._look)
        else:
            self._cut(_TOO_SLOW)

    def _cut(self, answer: bytes) -> None:
        """Close, and say why where no other answer is under way and there was a request at all."""
        self._stop_waiting()
        before = self.cycle is None or self.cycle.response_complete
        if (self._awaits == "head" and before and self._received) or (
            self._awaits == "body" and not self.cycle.response_started
        ):
            self.transport.write(answer)
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
