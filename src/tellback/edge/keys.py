"""Whom a request's key speaks for, remembered for five seconds; before a broker for as long as the database is away."""

import asyncio
import time
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import psycopg

from tellback.intake.policy import DEFAULT, Policy, policy_of
from tellback.kernel.errors import Forbidden, Unauthenticated, Unavailable
from tellback.platform.patience import Connection, Line
from tellback.workspaces.models import KeyKind
from tellback.workspaces.origins import allows_origin
from tellback.workspaces.selectors import KeyHolder, origins_of
from tellback.workspaces.services import digest_of

REMEMBER = 5.0
#: Seconds that a look-up may take, and that those who waited for it are then told the same at once.
PATIENCE, RESPITE = 2.0, 0.5
AWAY = "The database does not answer. Send it again in a moment."
KNOWN = 5000


@dataclass(frozen=True, slots=True)
class OwnSource:
    """A source that senders may push to: no integration fills it, no import made it."""

    id: UUID
    source_type: str
    name: str
    enabled: bool


#: A workspace's own sources, oldest first.
Sources = tuple[OwnSource, ...]
#: When a key was last used is kept to the minute, so that using it costs next to nothing.
USED = """
    UPDATE api_key SET last_used_at = now()
    WHERE id = %s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a look-up found and when; it is taken for true until then. Both in monotonic seconds."""

    found_at: float
    until: float
    holder: KeyHolder | None
    sources: Sources


class KeyRing:
    """Looks keys and their workspace's sources up on one connection of its own. A revoked key ends within 5 seconds.

    With `while_away`, a key that was known goes on so many seconds longer while the database does not answer: nobody
    can revoke it then either.
    """

    def __init__(self, *, conninfo: str, while_away: float = 0.0) -> None:
        self._line = Line(conninfo, patience=PATIENCE)
        self._while_away = while_away
        self._known: dict[str, _Known] = {}
        self._policies: dict[UUID, Policy] = {}
        self._one_at_a_time = asyncio.Lock()
        self._away_until = 0.0

    async def holder(self, secret: str, *, origin: str) -> tuple[KeyHolder, Sources]:
        """The key's holder and the workspace's own sources.

        Raises `Unauthenticated` for an unknown key, `Forbidden` for a widget key on another site's page.
        """
        digest = digest_of(secret)
        known = self._fresh(digest)
        if known is None:
            async with self._one_at_a_time:
                known = self._fresh(digest) or await self._look_up_or_remember(digest)
        holder, sources = known.holder, known.sources
        if holder is None:
            raise Unauthenticated("This key is not known. Make one under Settings, or with: tellback key create")
        if holder.kind == KeyKind.WIDGET and origin and not allows_origin(holder.origins, origin):
            raise Forbidden(
                f"This widget key may not be used on {origin[:200]}. Add the site to the key under Settings, Widget.",
                code="origin-not-allowed",
            )
        return holder, sources

    def policy(self, workspace_id: UUID) -> Policy:
        """How this workspace's items are redacted, as of the last look-up of one of its keys."""
        return self._policies.get(workspace_id, DEFAULT)

    def _fresh(self, digest: str) -> _Known | None:
        known = self._known.get(digest)
        return known if known and known.until >= time.monotonic() else None

    async def _look_up_or_remember(self, digest: str) -> _Known:
        try:
            return await self._look_up(digest)
        except Unavailable:
            known, now = self._known.get(digest), time.monotonic()
            if known is None or known.holder is None or known.found_at + self._while_away < now:
                raise
            self._known[digest] = replace(known, until=now + REMEMBER)
            return known

    async def _look_up(self, digest: str) -> _Known:
        if self._away_until > time.monotonic():
            raise Unavailable(AWAY)
        try:
            known = await self._line.run(partial(self._read, digest))
        except (psycopg.Error, TimeoutError, OSError) as error:
            self._away_until = time.monotonic() + RESPITE
            raise Unavailable(AWAY) from error
        self._make_room()
        self._known[digest] = known
        return known

    def _make_room(self) -> None:
        """However many wrong keys are tried, those that hold are forgotten last."""
        if len(self._known) > KNOWN:
            self._known = {digest: known for digest, known in self._known.items() if known.holder}
        if len(self._known) > KNOWN:
            self._known.clear()

    async def _read(self, digest: str, connection: Connection) -> _Known:
        async with connection.transaction():
            return await self._find(digest, connection)

    async def _find(self, digest: str, connection: Connection) -> _Known:
        now = time.monotonic()
        row = await (await connection.execute("SELECT * FROM tellback_find_api_key(%s)", [digest])).fetchone()
        if row is None:
            return _Known(now, now + REMEMBER, None, ())
        holder = KeyHolder(row[0], row[1], KeyKind(row[2]), tuple(origins_of(row[3])), row[4])
        await connection.execute("SELECT set_config('tellback.workspace_id', %s, true)", [str(holder.workspace_id)])
        await connection.execute(USED, [holder.key_id])
        cursor = await connection.execute(
            "SELECT id, source_type, name, enabled FROM feedback_sources "
            "WHERE source_type IN ('api', 'widget') AND integration_id IS NULL ORDER BY id"
        )
        settings = await (await connection.execute("SELECT settings FROM workspace")).fetchone()
        self._policies[holder.workspace_id] = policy_of(holder.workspace_id, settings[0] if settings else {})
        sources = tuple(OwnSource(*found) for found in await cursor.fetchall())
        return _Known(now, now + REMEMBER, holder, sources)

    async def close(self) -> None:
        """Give the connection back."""
        await self._line.close()
