"""A message on its way from the edge to the database: rows of one workspace, as `prepare` made them, in JSON.

    {"version": 1, "workspace": "<uuid>", "rows": [{"id": "<uuid>", …}, …]}

Private data was taken out of the rows before; with the vault on they carry the originals sealed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from tellback.kernel.errors import Invalid

VERSION = 1
#: Bytes. A message is closed before it gets fuller than this; a row that is larger goes alone. Beyond the largest, a
#: message would be more than Kafka takes by default (1 MB).
FULL, LARGEST = 400_000, 900_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Rows of one workspace, not stored yet."""

    workspace_id: UUID
    rows: Sequence[Row]


def write_row(row: Row) -> bytes:
    """The row as it stands in a message."""
    return orjson.dumps(row)


def write_messages(workspace_id: UUID, written: Sequence[bytes]) -> Iterator[bytes]:
    """The written rows in their order, in as few messages as keep each below `FULL`."""
    head = b'{"version":%d,"workspace":"%s","rows":[' % (VERSION, str(workspace_id).encode())
    together: list[bytes] = []
    size = 0
    for row in written:
        if together and size + len(row) > FULL:
            yield head + b",".join(together) + b"]}"
            together, size = [], 0
        together.append(row)
        size += len(row)
    if together:
        yield head + b",".join(together) + b"]}"


def read_message(body: bytes) -> Message:
    """The message in these bytes. Raises `Invalid` for what no edge of this version wrote."""
    try:
        document = orjson.loads(body)
        if document["version"] != VERSION:
            raise Invalid(
                f"The message has version {str(document['version'])[:20]}, and this process reads {VERSION}. Bring all "
                "processes to the same version of Tellback, then try it again."
            )
        rows = document["rows"]
        for row in rows:
            UUID(row["id"])
            row.update(id=str(UUID(row["id"])))
        return Message(UUID(document["workspace"]), rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"The message is none that Tellback wrote ({type(error).__name__}: {str(error)[:80]}).") from None
