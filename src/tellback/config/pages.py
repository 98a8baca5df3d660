"""Django's door: bodies have a limit there too, and nobody waits for a database that stands still.

Django keeps a request's whole body before it looks at the address, and its threads wait for a silent server for ever.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import psycopg
from django.template.loader import render_to_string

from tellback.kernel.errors import TellbackError, Unavailable
from tellback.platform.patience import is_away, within
from tellback.platform.problems import problem_of
from tellback.web.failures import AWAY, RETRY_AFTER, wants_problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

#: Bytes of a body, by the beginning of the address: exports of other tools, mail with its attachments, all the rest.
LIMITS = (("/admin/", 256 * 1024 * 1024), ("/hooks/", 64 * 1024 * 1024), ("/", 4 * 1024 * 1024))
#: Seconds after which a request that is not answered makes us doubt, that the database then has to answer, and that its
#: answer counts: together less than the three after which a caller should know.
DOUBT, PATIENCE, MEMORY = 1.5, 1.0, 1.0
#: Addresses that are answered without the database, or see for themselves whether it is there.
WITHOUT_DATABASE = ("/metrics", "/static/", "/schemas/", "/widget.js")


class PayloadTooLarge(TellbackError):
    """The body is longer than this address takes."""

    code, status, title = "payload-too-large", 413, "The request is too large"


class Presence:
    """Whether the database answers: asked only when there is reason to doubt it, by all who doubt together."""

    def __init__(self, *, conninfo: str) -> None:
        self._conninfo = conninfo
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = 0.0
        self._was_there = True

    async def may_be_there(self) -> bool:
        """Whether it answered when it was last asked, or does now: costs nothing while all is well."""
        return self._was_there or await self.is_there()

    async def is_there(self) -> bool:
        """Whether it answers now, or did within the last second."""
        if self._asking is None:
            if time.monotonic() - self._asked_at < MEMORY:
                return self._was_there
            self._asking = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        try:
            await within(PATIENCE, self._greet())
            self._was_there = True
        except (psycopg.Error, TimeoutError, OSError) as error:
            self._was_there = not is_away(error)
        self._asking, self._asked_at = None, time.monotonic()
        return self._was_there

    async def _greet(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            await connection.execute("SELECT 1")
        finally:
            await connection.close()


class Pages:
    """The application behind this door."""

    def __init__(self, application: Application, *, conninfo: str) -> None:
        self._application = application
        self._presence = Presence(conninfo=conninfo)
        self._left: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = _limited(scope, receive)
            if scope["path"].startswith(WITHOUT_DATABASE):
                await self._application(scope, body, send)
            elif await self._presence.may_be_there():
                await self._answer(scope, body, send)
            else:
                raise Unavailable(AWAY, retry_after=RETRY_AFTER)
        except (PayloadTooLarge, Unavailable) as refusal:
            await _refuse(scope, send, refusal)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """Raises `Unavailable` while nothing has been answered and the database does not answer either."""
        begun = ended = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            if not ended:
                await send(message)

        task = asyncio.ensure_future(self._application(scope, receive, note))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=None if begun else DOUBT)
                if not task.done() and not begun and not await self._presence.is_there() and not begun:
                    ended = True
                    raise Unavailable(AWAY, retry_after=RETRY_AFTER)
            task.result()
        finally:
            if not task.done():
                # Its thread waits for the server; what it answers in the end is no longer wanted.
                ended = True
                self._left.add(task)
                task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Future[None]") -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()


def _limited(scope: Message, receive: Receive) -> Receive:
    """The body, which raises `PayloadTooLarge` as soon as it is longer than its address takes."""
    limit = next(limit for beginning, limit in LIMITS if scope["path"].startswith(beginning) or beginning == "/")
    size = 0
    stated = dict(scope["headers"]).get(b"content-length", b"0")
    if stated.isdigit() and int(stated) > limit:
        raise PayloadTooLarge(f"A request to this address may have {limit} bytes.")

    async def next_message() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise PayloadTooLarge(f"A request to this address may have {limit} bytes.")
        return message

    return next_message


async def _refuse(scope: Message, send: Send, error: TellbackError) -> None:
    problem = problem_of(error)
    headers, body = problem.headers, problem.body
    if scope["path"] == "/readyz":
        headers, body = {"content-type": "application/json"}, orjson.dumps({"status": "unavailable"})
    elif not wants_problem(scope["path"]):
        headers = {**headers, "content-type": "text/html; charset=utf-8"}
        body = render_to_string("refused.html", {"error": error}).encode()
    headers = {**headers, "cache-control": "no-store", "content-length": str(len(body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
