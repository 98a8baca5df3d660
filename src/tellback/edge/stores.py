"""Where the edge puts rows so that they are durable: PostgreSQL itself, or a broker (`edge.brokers`)."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import psycopg

from tellback.intake.accept import Accepted, accept_sql, decode, encode
from tellback.kernel.errors import TellbackError, Unavailable
from tellback.platform.patience import Connection, Line, is_away

#: Seconds. A sender is told within three that there is no answer.
PATIENCE = 2.0
Row = dict[str, Any]
#: What became of a row, or why it cannot be taken while others of its commit can.
Answer = Accepted | TellbackError


class Away(Unavailable):
    """What keeps feedback does not answer at all: whoever waits for it would wait in vain."""


class Store(Protocol):
    """Makes rows durable, for one caller at a time."""

    async def commit(self, workspace_id: UUID, rows: Sequence[Row]) -> Sequence[Answer]:
        """The outcome of each of these rows of one workspace, no two with one idempotency key, after all are durable.

        Raises `Unavailable` within `PATIENCE` when they may not be.
        """

    async def close(self) -> None:
        """Give everything back."""


class DatabaseStore:
    """Stores rows through `tellback_accept`, each call one transaction, on a connection of its own."""

    def __init__(self, *, conninfo: str) -> None:
        self._line = Line(conninfo, patience=PATIENCE, prepare_threshold=1)

    async def commit(self, workspace_id: UUID, rows: Sequence[Row]) -> list[Accepted]:
        """The outcome of each of these rows, after one commit. Raises `Unavailable` when it may not have happened."""
        try:
            return await self._line.run(partial(_accept, workspace_id, rows))
        except (psycopg.Error, TimeoutError, OSError) as error:
            refusal = Away if is_away(error) else Unavailable
            raise refusal("The database does not answer, so this was not stored. Send it again in a moment.") from error

    async def close(self) -> None:
        """Give the connection back."""
        await self._line.close()


async def _accept(workspace_id: UUID, rows: Sequence[Row], connection: Connection) -> list[Accepted]:
    cursor = await connection.execute(accept_sql(rows), [str(workspace_id), encode(rows)])
    return decode(rows, await cursor.fetchall())
