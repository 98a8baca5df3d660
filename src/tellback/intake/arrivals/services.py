"""Storing rows that were accepted elsewhere, each once however often it arrives; setting aside what cannot be stored.

What is set aside is a failed job: a person sees it with “tellback jobs list --failed”, and retries or discards it
there. Unlike other failed jobs it is never cleared away, since its sender was told that it was accepted.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import DatabaseError, DataError, IntegrityError, connection

from tellback.intake.accept import Accepted, Outcome, accept_sql, decode, encode
from tellback.intake.arrivals.messages import Row, read_message
from tellback.intake.models import ItemState, RawItem
from tellback.intake.subjects.latecomers import forget_erased, is_emptied
from tellback.kernel.errors import Invalid
from tellback.platform.dead_letters import put_failed
from tellback.platform.jobs import Queue
from tellback.platform.sealing import seal, unseal
from tellback.platform.tenancy import in_workspace

STORE, READ = "intake.store_arrivals", "intake.read_arrival"
NOBODY = UUID(int=0)
#: Classes of SQLSTATE that say the row is wrong, not the database: data, constraints, what a function raised, limits.
WRONG_ROW = frozenset({"22", "23", "P0", "54"})
#: What took too long together may do better in parts.
TOO_SLOW = "57014"
#: Rows that one transaction stores.
AT_ONCE = 500


@dataclass(slots=True)
class Arrived:
    """How many rows were new, known already, and set aside (a message that cannot be read counts as one)."""

    stored: int = 0
    known: int = 0
    set_aside: int = 0

    def __iadd__(self, other: "Arrived") -> "Arrived":
        self.stored += other.stored
        self.known += other.known
        self.set_aside += other.set_aside
        return self


def store_messages(bodies: Sequence[bytes]) -> Arrived:
    """Store what stands in these messages, each row once however often it arrives, and set aside what cannot be.

    Raises `django.db.DatabaseError` when the fault is not theirs: then the same messages are to be tried again later.
    """
    arrived = Arrived()
    rows: dict[UUID, list[Row]] = {}
    for body in bodies:
        try:
            message = read_message(body)
        except Invalid as error:
            set_aside_unread(body=body, why=error.detail)
            arrived.set_aside += 1
        else:
            rows.setdefault(message.workspace_id, []).extend(message.rows)
    for workspace_id, own in rows.items():
        for start in range(0, len(own), AT_ONCE):
            arrived += store_or_set_aside(workspace_id=workspace_id, rows=own[start : start + AT_ONCE])
    return arrived


def store_or_set_aside(*, workspace_id: UUID, rows: Sequence[Row]) -> Arrived:
    """As `store_arrivals`, but rows that the database refuses for what they are, are set aside, and the others stored.

    Raises `django.db.DatabaseError` when the fault is not theirs: then try again later.
    """
    try:
        return store_arrivals(workspace_id=workspace_id, rows=rows)
    except DatabaseError as error:
        if len(rows) == 1 and is_fault_of_the_row(error):
            with in_workspace(workspace_id):
                (row,) = forget_erased(workspace_id=workspace_id, rows=rows)
                set_aside(workspace_id=workspace_id, row=row, why=_first_line(error))
            return Arrived(set_aside=1)
        if len(rows) == 1 or not (is_fault_of_the_row(error) or _state_of(error) == TOO_SLOW):
            raise
    half = len(rows) // 2
    arrived = store_or_set_aside(workspace_id=workspace_id, rows=rows[:half])
    arrived += store_or_set_aside(workspace_id=workspace_id, rows=rows[half:])
    return arrived


def store_arrivals(*, workspace_id: UUID, rows: Sequence[Row]) -> Arrived:
    """Store these rows of one workspace in one transaction. Safe to repeat: a row that is stored is passed over.

    A row whose idempotency key had been used for something else was acknowledged all the same, so it is stored as
    feedback of its own. What somebody sent who has been erased since is stored without their words and without them
    (`forget_erased`). Raises `django.db.DatabaseError`, and then nothing was stored.
    """
    with in_workspace(workspace_id):
        known = set(map(str, RawItem.objects.filter(id__in=[row["id"] for row in rows]).values_list("id", flat=True)))
        fresh = {row["id"]: row for row in reversed(rows) if row["id"] not in known}
        arrived = Arrived(known=len(rows) - len(fresh))
        for group in _rounds(forget_erased(workspace_id=workspace_id, rows=list(fresh.values()))):
            arrived += _store(workspace_id, group)
            empty = [row["id"] for row in group if is_emptied(row)]
            # There is nothing to find out about these, as about what was erased later.
            RawItem.objects.filter(id__in=empty).update(processing_state=ItemState.COMPLETED)
    return arrived


def is_fault_of_the_row(error: DatabaseError) -> bool:
    """Whether the database would refuse the same again."""
    return isinstance(error, DataError | IntegrityError) or _state_of(error)[:2] in WRONG_ROW


def set_aside(*, workspace_id: UUID, row: Row, why: str) -> None:
    """Keep a row that cannot be stored where a person finds it, once however often it arrives."""
    put_failed(
        STORE,
        queue=Queue.INGEST,
        workspace_id=workspace_id,
        why=why,
        about=f"arrival:{row['id']}",
        arguments={"rows": [_storable(row)]},
    )


def set_aside_unread(*, body: bytes, why: str) -> None:
    """Keep a message that cannot be read where a person finds it; sealed, since nobody knows whose words are in it."""
    put_failed(
        READ,
        queue=Queue.INGEST,
        workspace_id=NOBODY,
        why=why,
        about=f"message:{sha256(body).hexdigest()}",
        arguments={"sealed": seal(body.hex(), about=READ)},
    )


def forget_set_aside(*, workspace_id: UUID) -> int:
    """Empty rows of the present workspace that were set aside and whose sender has been erased since; returns how many.

    Messages that could not be read are sealed, and looked at when they are tried again.
    """
    emptied = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, args::text FROM procrastinate_jobs WHERE task_name = %s AND args->>'workspace_id' = %s",
            [STORE, str(workspace_id)],
        )
        for job_id, written in cursor.fetchall():
            arguments = json.loads(written)
            rows = forget_erased(workspace_id=workspace_id, rows=arguments["rows"])
            if rows != arguments["rows"]:
                emptied += sum(map(is_emptied, rows))
                arguments["rows"] = rows
                cursor.execute("UPDATE procrastinate_jobs SET args = %s WHERE id = %s", [json.dumps(arguments), job_id])
    return emptied


def read_set_aside(*, sealed: str) -> Arrived:
    """Read and store a message that was set aside. Raises `Invalid` while it cannot be read."""
    message = read_message(bytes.fromhex(unseal(sealed, about=READ)))
    return store_arrivals(workspace_id=message.workspace_id, rows=message.rows)


def _store(workspace_id: UUID, rows: Sequence[Row]) -> Arrived:
    answers = _accept(workspace_id, rows)
    reused = [row for row, answer in zip(rows, answers, strict=True) if answer.outcome == Outcome.CONFLICT]
    if reused:
        # Under the id and receipt that their senders were given.
        nothing = {"scope": None, "key": None, "fingerprint": None, "expires_at": None}
        answers += _accept(workspace_id, [{**row, **nothing} for row in reused])
    counts = Counter(answer.outcome for answer in answers)
    return Arrived(stored=counts[Outcome.ACCEPTED], known=counts[Outcome.DUPLICATE])


def _accept(workspace_id: UUID, rows: Sequence[Row]) -> list[Accepted]:
    with connection.cursor() as cursor:
        cursor.execute(accept_sql(rows), [str(workspace_id), encode(rows)])
        return decode(rows, cursor.fetchall())


def _rounds(rows: Sequence[Row]) -> list[list[Row]]:
    """Groups without two rows of one idempotency key, in the order of the keys so that no two wait for each other."""
    made: list[list[Row]] = []
    seen: Counter[tuple[Any, Any]] = Counter()
    for row in rows:
        same = (row.get("scope"), row.get("key")) if row.get("key") else (None, row["id"])
        turn, seen[same] = seen[same], seen[same] + 1
        if turn == len(made):
            made.append([])
        made[turn].append(row)
    return [sorted(group, key=lambda row: (str(row.get("scope")), str(row.get("key")), row["id"])) for group in made]


def _storable(row: Row) -> Row:
    """The row without the one character that JSON in PostgreSQL cannot hold."""
    return {name: _without_nul(value) for name, value in row.items()}


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value


def _state_of(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "sqlstate", None) or "")


def _first_line(error: DatabaseError) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
