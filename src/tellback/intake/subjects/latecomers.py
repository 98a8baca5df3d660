"""Feedback that was accepted before its author was erased, and is stored afterwards: it is stored without its words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from tellback.intake.models import Erasure, RawItem
from tellback.intake.subjects import ledger
from tellback.platform.jobs import Queue, defer

Row = dict[str, Any]
_EVER = datetime.min.replace(tzinfo=UTC)
#: Nothing of the request is left either: as after an erasure, its key may be used for something else.
_NO_REQUEST = {"scope": None, "key": None, "fingerprint": None, "expires_at": None}


def forget_erased(*, workspace_id: UUID, rows: Sequence[Row]) -> list[Row]:
    """These rows of the present workspace; those whose sender or item was erased after they were accepted are emptied.

    An emptied row keeps its id and receipt, which then says that it was erased; its files are removed. Until the
    caller's transaction ends, nobody of this workspace is erased. What somebody sent after their erasure is left as it
    is: they are somebody new.
    """
    _hold_erasures_off(workspace_id)
    since = min(map(_accepted_at, rows), default=_EVER)
    erasures = list(Erasure.objects.filter(created_at__gte=since).order_by("created_at"))
    if not erasures:
        return list(rows)
    newest = {digest: erasure for erasure in erasures for digest in erasure.subjects}
    return [_emptied(workspace_id, row, erasure) if (erasure := _meaning(row, newest)) else row for row in rows]


def is_emptied(row: Row) -> bool:
    """Whether `forget_erased` emptied this row."""
    return isinstance(row.get("content"), dict) and "erased" in row["content"]


def hold_arrivals_off(workspace_id: UUID) -> None:
    """Wait for rows that are being stored, and let no others be stored until the caller's transaction ends."""
    _lock("pg_advisory_xact_lock", workspace_id)


def _hold_erasures_off(workspace_id: UUID) -> None:
    _lock("pg_advisory_xact_lock_shared", workspace_id)


def _lock(function: str, workspace_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"erasing:{workspace_id}"])


def _meaning(row: Row, newest: Mapping[str, Erasure]) -> Erasure | None:
    """The erasure that means this row, if it came after it was accepted."""
    accepted_at = _accepted_at(row)
    found = (newest.get(ledger.digest_of(mark)) for mark in _marks(row))
    return next((erasure for erasure in found if erasure and erasure.created_at >= accepted_at), None)


def _marks(row: Row) -> list[str]:
    author = row.get("author")
    item = RawItem(id=UUID(str(row["id"])), source_type=str(row.get("source_type")), context_envelope={})
    item.author = author if isinstance(author, dict) else {}
    try:
        return ledger.marks_of_sent(item)
    except ValueError:
        return ledger.marks_of_item(item)


def _accepted_at(row: Row) -> datetime:
    """When the row was accepted; long ago when it does not say so."""
    try:
        at = datetime.fromisoformat(str(row.get("now")))
    except ValueError:
        return _EVER
    return at if at.tzinfo else _EVER


def _emptied(workspace_id: UUID, row: Row, erasure: Erasure) -> Row:
    keys = [file["file_key"] for file in row.get("files", ())]
    if keys:
        defer("intake.remove_files", queue=Queue.MAINTENANCE, workspace_id=workspace_id, keys=keys)
    kept = {name: value for name, value in row.items() if name not in {"files", "sealed"}}
    return {
        **kept,
        **_NO_REQUEST,
        "content": {"text": "", "erased": {"at": erasure.created_at.isoformat(), "why": erasure.because}},
        "author": {},
        "context_envelope": {},
        "external_url": None,
        "external_id": str(row["id"]),
        "dedupe_key": str(row["id"]),
    }
