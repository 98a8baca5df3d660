"""Erasing: a person everywhere, single items, and again from the ledger."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from tellback.intake.arrivals.services import forget_set_aside
from tellback.intake.models import Erasure, RawItem
from tellback.intake.subjects import ledger
from tellback.intake.subjects.holders import list_holdings
from tellback.intake.subjects.latecomers import hold_arrivals_off
from tellback.intake.subjects.subject import Subject, everybody_merged, subject_of_items, subject_of_person
from tellback.kernel.errors import Conflict, Forbidden
from tellback.kernel.ids import new_id
from tellback.platform.digests import digest_key
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.access import has_role
from tellback.workspaces.models import Principal, Role
from tellback.workspaces.services import record_audit

BECAUSE_REQUESTED, BECAUSE_WITHDRAWN, BECAUSE_REPLAYED = "request", "withdrawn", "replay"


@transaction.atomic
def erase_person(*, person: Principal, actor: Principal | None, now: datetime) -> Erasure:
    """Erase a person of the present workspace everywhere: what they said and what quotes it, who they are, their keys.

    Rows that are counted stay, empty: an item without words, a vote of nobody. What they sent and is not stored yet is
    emptied when it is. Done in one transaction and remembered in the ledger. Safe to repeat. `actor` is None for the
    command line and for the person themselves. Raises `Forbidden` below admin, and `Conflict` for the last owner.
    """
    if actor is not None and not has_role(actor, Role.ADMIN):
        raise Forbidden("Only owners and admins may erase somebody.")
    hold_arrivals_off(person.workspace_id)
    people = everybody_merged(person)
    owners = set(Principal.objects.select_for_update().filter(role=Role.OWNER).values_list("id", flat=True))
    if owners and owners <= {one.id for one in people}:
        raise Conflict("A workspace needs an owner. Make somebody else an owner first.")
    marks = [mark for one in people for mark in ledger.marks_of_person(one)]
    erasure = _remember("person", marks, subject_of_person(person), actor, now)
    record_audit(
        workspace=person.workspace,
        actor=actor if actor != person else None,
        action="person.erased",
        subject=person.public_id,
        details={"counts": erasure.counts},
    )
    return erasure


@transaction.atomic
def erase_item(*, item: RawItem, because: str, now: datetime) -> Erasure:
    """Erase what one item said, everywhere it was quoted, because its author asked (`request`) or took it back
    (`withdrawn`). What stays is that there was one. Safe to repeat: an erased item is erased.
    """
    known = Erasure.objects.filter(kind="item", subjects=_digests(ledger.marks_of_item(item))).first()
    if known is not None and "erased" in item.content:
        return known
    return _remember(
        "item", ledger.marks_of_item(item), subject_of_items([item], why=because), None, now, because=because
    )


def _digests(marks: Iterable[str]) -> list[str]:
    return [ledger.digest_of(mark) for mark in marks]


def _remember(
    kind: str,
    marks: Iterable[str],
    subject: Subject,
    actor: Principal | None,
    now: datetime,
    *,
    because: str = BECAUSE_REQUESTED,
) -> Erasure:
    erasure = Erasure(
        id=new_id(),
        workspace_id=subject.workspace_id,
        kind=kind,
        subjects=_digests(marks),
        because=because,
        actor=actor if actor and actor.id not in subject.principal_ids else None,
        created_at=now,
    )
    erasure.save()
    # Before their names are taken out of jobs: it is by these that they are found.
    forget_set_aside(workspace_id=subject.workspace_id)
    erasure.counts = erase_subject(subject, now=now)
    erasure.save(update_fields=["counts"])
    ledger.append(ledger.Entry(erasure.id, subject.workspace_id, kind, now, tuple(erasure.subjects)))
    return erasure


@transaction.atomic
def erase_subject(subject: Subject, *, now: datetime) -> dict[str, int]:
    """Have every room empty what it holds of a subject, upper rooms first; returns counts by kind."""
    counts: Counter[str] = Counter()
    with erasing():
        for holding in reversed(list_holdings()):
            counts.update({kind: count for kind, count in holding.erase(subject, now).items() if count})
    return dict(counts)


@contextmanager
def erasing() -> Iterator[None]:
    """Within, the contents of raw items may be emptied (the database refuses it otherwise)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
        yield
        cursor.execute("SELECT set_config('tellback.erasing', '', true)")


def replay_ledger(*, path: Path, now: datetime) -> Mapping[str, int]:
    """Erase again whom and what the ledger remembers, in a database that may be older than it.

    Both the file and the database's own table are read. Returns how many entries were read, and how many people and
    items were found and erased. Safe to repeat: the second time finds nobody. Raises `WrongSeal` when the file was
    written with a secret key that is not set.
    """
    remembered = ledger.read(path)
    entries = {entry.id: entry for entry in remembered.entries}
    keys = list(dict.fromkeys([*remembered.keys, digest_key()]))
    counts = Counter[str](entries=0, people=0, items=0)
    for workspace_id in list_workspace_ids():
        with in_workspace(workspace_id):
            hold_arrivals_off(workspace_id)
            known = {
                erasure.id: ledger.Entry(
                    erasure.id, workspace_id, erasure.kind, erasure.created_at, tuple(erasure.subjects)
                )
                for erasure in Erasure.objects.all()
            }
            own = {**{k: entry for k, entry in entries.items() if entry.workspace_id == workspace_id}, **known}
            counts["entries"] += len(own)
            forgotten = [entry for k, entry in own.items() if k not in known]
            counts.update(_replay(list(own.values()), forgotten, keys, now))
    return dict(counts)


def _replay(
    entries: Sequence[ledger.Entry], forgotten: Sequence[ledger.Entry], keys: Sequence[bytes], now: datetime
) -> dict[str, int]:
    until: dict[str, datetime] = {}
    for entry in entries:
        for digest in entry.digests:
            until[digest] = max(entry.at, until.get(digest, entry.at))
    if not until:
        return {}
    for entry in forgotten:
        Erasure.objects.create(
            id=entry.id,
            workspace_id=entry.workspace_id,
            kind=entry.kind,
            subjects=list(entry.digests),
            because=BECAUSE_REPLAYED,
            created_at=entry.at,
        )
    if forgotten:
        forget_set_aside(workspace_id=forgotten[0].workspace_id)
    people = [person for person in ledger.find_people(until, keys=keys) if not is_erased(person)]
    for person in people:
        erase_subject(subject_of_person(person), now=now)
    items = [item for item in ledger.find_items(until, keys=keys) if "erased" not in item.content]
    if items:
        erase_subject(subject_of_items(items), now=now)
    return {"people": len(people), "items": len(items)}


def is_erased(person: Principal) -> bool:
    """Whether nothing is left of a person but that there was one."""
    return not (person.email or person.display_name or person.company or person.user_id) and not (
        RawItem.objects.filter(principal=person).exclude(content__has_key="erased").exists()
    )


def empty_items(item_ids: Sequence[UUID], *, why: str, now: datetime) -> int:
    """Take the words, the author and the context out of items that still have them; returns how many. Needs `erasing`.

    Their ids at the source become a digest of no use to anybody.
    """
    content = {"text": "", "erased": {"at": now.isoformat(), "why": why}}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE raw_feedback_items SET content = %s, author = '{}', context_envelope = '{}', external_url = NULL,
                external_id = id::text, last_error = NULL, updated_at = %s,
                dedupe_key = CASE WHEN dedupe_key ~ '^[0-9a-f-]{32,64}$' THEN dedupe_key ELSE id::text END,
                processing_state = 'completed', lease_until = NULL
            WHERE id = ANY(%s) AND NOT content ? 'erased'
            """,
            [json.dumps(content), now, list(item_ids)],
        )
        return int(cursor.rowcount)
