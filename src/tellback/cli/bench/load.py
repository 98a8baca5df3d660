"""A lean load generator: raw sockets, requests made of bytes, in a process of its own.

Run as `python -m tellback.cli.bench.load PLAN`, with a JSON plan; the result is JSON on stdout. With `serve` in place
of a plan it is the static server that the generator's own ceiling is measured against.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop

TEXT = (
    "The export of last month's invoices loses the final rows when a filter is set, and I only notice after sending "
    "it to our accountant. Could you keep all rows?"
)
STATIC = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 150\r\n\r\n" + b"x" * 150


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: to which port, with which key, over how many connections. `rate` 0 is as fast as answers come.

    `version` is that of the payload; `batch` is how many of version 2 one request carries, 0 for none of a batch. The
    idempotency keys of what was accepted are written to the file `ledger`, a line each.
    """

    port: int
    key: str
    connections: int
    seconds: float
    rate: float = 0.0
    version: str = "v1"
    batch: int = 0
    ledger: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came back. Latencies are in milliseconds, from the instant at which an accepted request was sent or due.

    Where more is wanted than even refusals are answered, a request is sent long after it was due, and then that is how
    far the senders have fallen behind; `sent_p99_ms` is from the instant at which it was sent.
    `accepted` and `per_second` count pieces of feedback, `refused` (told to come back later: 429 or 503 with
    Retry-After) and `other` count requests.
    """

    accepted: int
    refused: int
    other: int
    per_second: float
    p50_ms: float
    p99_ms: float
    sent_p99_ms: float


V1_BODY = {
    "userId": "u_123",
    "sessionId": None,
    "channel": "in-app",
    "category": "bug",
    "severity": "high",
    "content": TEXT,
    "metadata": {"locale": "en", "appVersion": "2.4.1", "pageUrl": "https://example.com/invoices"},
    "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
}
V2_BODY = {
    "channel": "in-app",
    "category": "bug",
    "severity": "high",
    "content": TEXT,
    "author": {"externalUserId": "u_123"},
    "context": {
        "pageContext": {"url": "https://example.com/invoices"},
        "metadata": {"locale": "en", "appVersion": "2.4.1"},
    },
    "occurredAt": V1_BODY["timestamp"],
}


class _Requests:
    """Requests that differ in their idempotency keys only."""

    def __init__(self, plan: Plan) -> None:
        rest = json.dumps(V1_BODY if plan.version == "v1" else V2_BODY, separators=(",", ":"))[1:]
        self._start, self._after = b'{"idempotencyKey":"', b'",' + rest.encode()
        self.count = plan.batch or 1
        self._around = (b"[", b"]") if plan.batch else (b"", b"")
        item = len(self._start) + 36 + len(self._after)
        length = self.count * item + (self.count + 1 if plan.batch else 0)
        self._head = (
            f"POST /{plan.version}/feedback{'/batch' if plan.batch else ''} HTTP/1.1\r\nhost: localhost\r\n"
            f"content-type: application/json\r\nauthorization: Bearer {plan.key}\r\n"
            f"content-length: {length}\r\n\r\n"
        ).encode()

    def next(self) -> tuple[list[bytes], bytes]:
        """The next request, and the keys in it."""
        keys = [_key() for _ in range(self.count)]
        items = b",".join(self._start + key + self._after for key in keys)
        return keys, self._head + self._around[0] + items + self._around[1]


def _key() -> bytes:
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}".encode()


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, load: "_Load") -> None:
        self.load = load
        self.due = self.sent = 0.0
        self.keys: list[bytes] = []
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, due: float) -> None:
        self.due, self.sent = due, time.perf_counter()
        self.keys, request = self.load.requests.next()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self.received + data
        end = data.find(b"\r\n\r\n")
        start = data.find(b"content-length: ") + 16
        if end < 0 or len(data) < end + 4 + int(data[start : data.find(b"\r", start)]):
            self.received = data
            return
        self.received = b""
        self.load.answered(self, data)

    def connection_lost(self, error: Exception | None) -> None:
        self.load.lost(error)


class _Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests = _Requests(plan)
        self.latencies: list[float] = []
        self.since_sent: list[float] = []
        self.accepted: list[bytes] = []
        self.refused = self.other = 0
        self.loop = asyncio.get_running_loop()
        self.finished = self.loop.create_future()
        self.interval = plan.connections / plan.rate if plan.rate else 0.0

    async def run(self) -> Result:
        made = [
            await self.loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.plan.port)
            for _ in range(self.plan.connections)
        ]
        began = time.perf_counter()
        self.end = began + self.plan.seconds
        for number, (_, connection) in enumerate(made):
            first = began + self.interval * number / len(made)
            self.loop.call_later(first - began, connection.send, first)
        await asyncio.wait_for(self.finished, self.plan.seconds + 15)
        taken = time.perf_counter() - began
        if self.plan.ledger:
            Path(self.plan.ledger).write_bytes(b"\n".join(self.accepted))
        found, sent = sorted(self.latencies) or [0.0], sorted(self.since_sent) or [0.0]
        return Result(
            accepted=len(self.latencies) * self.requests.count,
            refused=self.refused,
            other=self.other,
            per_second=round(len(self.latencies) * self.requests.count / taken, 1),
            p50_ms=round(found[len(found) // 2] * 1000, 2),
            p99_ms=round(found[int(len(found) * 0.99)] * 1000, 2),
            sent_p99_ms=round(sent[int(len(sent) * 0.99)] * 1000, 2),
        )

    def answered(self, connection: _Connection, answer: bytes) -> None:
        now = time.perf_counter()
        if answer.startswith(b"HTTP/1.1 202"):
            self.latencies.append(now - connection.due)
            self.since_sent.append(now - connection.sent)
            if self.plan.ledger:
                self.accepted += connection.keys
        elif answer.startswith((b"HTTP/1.1 429", b"HTTP/1.1 503")) and b"\r\nretry-after: " in answer:
            self.refused += 1
        else:
            self.other += 1
        due = connection.due + self.interval if self.interval else now
        if due >= self.end:
            if not self.finished.done():
                self.finished.set_result(None)
        elif due > now:
            self.loop.call_later(due - now, connection.send, due)
        else:
            connection.send(due)

    def lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(error or ConnectionError("the server closed a connection"))


class _Static(asyncio.Protocol):
    """Answers each request at once, with the size of a real answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"}"):
            self.transport.write(STATIC)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Static, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _run(plan: Plan) -> Result:
    return await _Load(plan).run()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        uvloop.run(_serve())
    else:
        sys.stdout.write(json.dumps(asdict(uvloop.run(_run(Plan(**json.loads(sys.argv[1])))))))
