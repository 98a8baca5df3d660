"""The product as somebody careless would have built it, one fault at a time: what the tests are there to catch.

A process with the settings `tests.harness.careless_settings` has the fault that the order `careless` names, from then
on and until it names another one.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class Careless(AppConfig):
    """Spoils what has just been loaded."""

    name = "tests.harness.careless"
    label = "careless"

    def ready(self) -> None:
        """Put each fault beside what it spoils."""
        spoil()


def has(fault: str) -> bool:
    """Whether it is this fault's turn."""
    order = Path(os.environ["HARNESS_ORDERS"]) / "careless"
    return order.exists() and order.read_text() == fault


def spoil() -> None:
    """Every fault, ready for its turn."""
    from psycopg_pool import ConnectionPool

    from tellback.api import operations
    from tellback.config import http
    from tellback.config.pages import Presence
    from tellback.edge import app, batch, body
    from tellback.edge.committer import Committer
    from tellback.edge.limits import RateLimiter
    from tellback.edge.room import Room
    from tellback.intake import accept
    from tellback.intake.accept import Accepted, Outcome
    from tellback.kernel.errors import Conflict, Unavailable
    from tellback.platform import patience
    from tellback.platform.files import Folder
    from tellback.platform.health import check_readiness
    from tellback.platform.rate_limits import Allowance

    prepare, store_all, require, take = accept.prepare, Committer.store_all, Room.require, RateLimiter.take
    parse_v1, read_body = body.parse_v1, body.read_body
    within, put = patience.within, Folder.put
    get_connection, is_there = ConnectionPool.getconn, Presence.is_there
    look, data_received = http.PatientProtocol._look, http.PatientProtocol.data_received
    http.HEAD_SECONDS, http.BODY_SECONDS = 2.0, 2.5
    seen: set[str] = set()
    under_way: set[asyncio.Task[Any]] = set()

    def prepare_carelessly(*arguments: Any, **named: Any) -> dict[str, Any]:
        row = prepare(*arguments, **named)
        if has("forgets keys"):
            row |= {"scope": None, "key": None, "fingerprint": None}
        if has("compares nothing"):
            row["fingerprint"] = "0" * 64
        if has("tells no credentials apart"):
            row["scope"] = "everybody"
        if has("keeps NUL"):
            row["content"] = {**row["content"], "text": "a\x00b"}
        return row

    async def store_later(self: Committer, workspace_id: Any, rows: Any) -> Any:
        if not has("answers first"):
            return await store_all(self, workspace_id, rows)

        async def later() -> None:
            await asyncio.sleep(0.5)
            await store_all(self, workspace_id, rows)

        task = asyncio.create_task(later())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return [Accepted(Outcome.ACCEPTED, row["id"], row["receipt_token"]) for row in rows]

    def parse_and_remember(content: bytes, **named: Any) -> Any:
        if has("burns the key"):
            key = json.loads(content)["idempotencyKey"]
            if key in seen:
                raise Conflict("This key was used.")
            seen.add(key)
        return parse_v1(content, **named)

    async def read_all(headers: Any, receive: Any, *, limit: int) -> bytes:
        return await read_body(headers, receive, limit=limit if not has("reads everything") else 10**12)

    async def count_nothing(self: RateLimiter, workspace_id: Any, subject: str, *, per_minute: int) -> Allowance:
        if has("counts nothing"):
            return Allowance(per_minute, per_minute, 0.0)
        return await take(self, workspace_id, subject, per_minute=per_minute)

    async def wait_longer(seconds: float, work: Any) -> Any:
        return await within(3.5 * seconds if has("waits for the database") else seconds, work)

    def put_carelessly(self: Folder, key: str, content: bytes) -> None:
        if not has("keeps halves"):
            return put(self, key, content)
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise Unavailable("There is no room.") from error

    def wait_for_connection(self: Any, timeout: float | None = None) -> Any:
        return get_connection(self, 60.0 if has("waits for a connection") else timeout)

    async def believe_it_is_there(self: Presence) -> bool:
        return has("waits for a connection") or await is_there(self)

    def look_away(self: http.PatientProtocol) -> None:
        if not has("waits for slow senders"):
            look(self)

    def receive_slowly(self: http.PatientProtocol, data: bytes) -> None:
        if has("is held up by slow senders") and self._timer is not None:
            time.sleep(0.06)
        data_received(self, data)

    for place, name, careless in (
        (app, "prepare", prepare_carelessly),
        (batch, "prepare", prepare_carelessly),
        (app, "parse_v1", parse_and_remember),
        (app, "read_body", read_all),
        (Committer, "store_all", store_later),
        (RateLimiter, "take", count_nothing),
        (patience, "within", wait_longer),
        (operations, "check_readiness", lambda *a, **n: [] if has("is always ready") else check_readiness(*a, **n)),
        (Folder, "put", put_carelessly),
        (ConnectionPool, "getconn", wait_for_connection),
        (Presence, "is_there", believe_it_is_there),
        (http.PatientProtocol, "_look", look_away),
        (http.PatientProtocol, "data_received", receive_slowly),
        (Room, "require", lambda room: None if has("lets everybody in") else require(room)),
    ):
        setattr(place, name, careless)
