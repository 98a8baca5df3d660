"""Two principals that are one person: merging them, and taking it back exactly.

From the merge on whoever is found under the merged one's address or ids is the kept one (`identity.current_person`).
The rows of the packages above follow by jobs: each package moves its own, with `follow`, which notes every row that it
touches. Undoing sets off the same jobs, which then put each row back.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core import serializers
from django.db import transaction
from django.db.models import ForeignKey, Q, QuerySet

from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.jobs import Queue, defer
from tellback.workspaces.models import (
    ExternalIdentity,
    Principal,
    PrincipalMerge,
    PrincipalMove,
    PrincipalType,
    Role,
    WorkspaceOwned,
)
from tellback.workspaces.services import record_audit

#: Packages with rows of people, by the name of the job that moves them. Each gets `merge_id`.
FOLLOWERS = ("intake.follow_merge", "triage.follow_merge", "boards.follow_merge", "loop.follow_merge")
#: What the kept one learns when it was unknown.
LEARNT = ("display_name", "company", "plan", "mrr", "unsubscribed_at")
SUGGESTIONS = 5
#: What is unknown of a person.
_NOBODY = Principal()

Row = TypeVar("Row", bound=WorkspaceOwned)


@transaction.atomic
def merge_principals(*, kept: Principal, merged: Principal, actor: Principal, now: datetime) -> PrincipalMerge:
    """Make `merged` the same person as `kept`. What was unknown of the kept one is learnt from the other.

    Raises `Invalid` for one and the same, `Conflict` when one is merged already, is of the team, or signs in itself.
    """
    people = Principal.objects.select_for_update().in_bulk([kept.id, merged.id])
    if len(people) != 2:
        raise Invalid("Choose another person to merge.")
    kept, merged = people[kept.id], people[merged.id]
    _require_mergeable(kept, merged)
    merge = PrincipalMerge.objects.create(
        workspace_id=kept.workspace_id, kept=kept, merged=merged, actor=actor, learnt=_learn(kept, merged)
    )
    merged.merged_into = kept
    if "email" in merge.learnt:
        merged.email = ""
    merged.save(update_fields=["merged_into", "email", "updated_at"])
    kept.save(update_fields=[*LEARNT, "email", "updated_at"])
    _set_off(merge, actor, "people.merge", now)
    return merge


@transaction.atomic
def undo_merge(*, merge: PrincipalMerge, actor: Principal, now: datetime) -> None:
    """Make them two again, as they were. What was changed by hand since stays.

    Raises `Conflict` when it was undone already, or a later merge of the kept one must be undone first.
    """
    merge = PrincipalMerge.objects.select_for_update().select_related("kept", "merged").get(id=merge.id)
    if merge.undone_at:
        raise Conflict("This merge was undone already.")
    if merge.kept.merged_into_id:
        raise Conflict(f"{merge.kept} was merged into somebody else since. Undo that first.")
    later = PrincipalMerge.objects.filter(kept=merge.kept, undone_at=None, id__gt=merge.id).select_related("merged")
    if following := later.order_by("-id").first():
        raise Conflict(f"{following.merged} was merged into {merge.kept} after that. Undo that first.")
    merge.undone_at = now
    merge.save(update_fields=["undone_at"])
    kept, merged = merge.kept, merge.merged
    _forget(kept, merge.learnt)
    kept.save(update_fields=[*LEARNT, "email", "updated_at"])
    merged.merged_into, merged.email = None, merge.learnt.get("email", merged.email)
    merged.save(update_fields=["merged_into", "email", "updated_at"])
    _set_off(merge, actor, "people.unmerge", now)


def follow(*, merge: PrincipalMerge, model: type[Row], column: str, unique_with: Sequence[str] = ()) -> list[Row]:
    """Move the rows of this table that belong to the merged one to the kept one, or back when the merge was undone.

    Where a person may have only one row for each `unique_with`, a second one is set aside and comes back unchanged.
    Safe to repeat. Returns every row that was touched, as it was before.
    """
    table = model._meta.db_table
    if merge.undone_at:
        return _go_back(merge, model, table, column, unique_with)
    rows = list(_rows(model).filter(**{f"{column}_id": merge.merged_id}))
    taken = _taken(model, column, merge.kept_id, unique_with)
    aside = [row for row in rows if unique_with and _key(row, unique_with) in taken]
    PrincipalMove.objects.bulk_create(
        PrincipalMove(
            workspace_id=merge.workspace_id,
            merge=merge,
            table=table,
            column=column,
            row_id=row.id,
            set_aside=_written(row) if row in aside else None,
        )
        for row in rows
    )
    _rows(model).filter(id__in=[row.id for row in aside]).delete()
    _rows(model).filter(id__in=[row.id for row in rows if row not in aside]).update(**{f"{column}_id": merge.kept_id})
    return rows


def suggest_merges(person: Principal) -> list[Principal]:
    """People who may be the same: by the same name, or by an address that a source knows under another name."""
    known = ExternalIdentity.objects.filter(principal=person).exclude(external_email=None)
    addresses = {address.lower() for address in known.values_list("external_email", flat=True) if address}
    same = Q()
    if len(person.display_name.split()) > 1:
        same |= Q(display_name__iexact=person.display_name)
    if addresses:
        same |= Q(email__in=addresses)
    if person.email:
        others = ExternalIdentity.objects.filter(external_email__iexact=person.email)
        same |= Q(id__in=others.values("principal_id"))
    return list(mergeable_with(person).filter(same).order_by("created_at", "id")[:SUGGESTIONS]) if same else []


def find_mergeable(person: Principal, *, search: str) -> list[Principal]:
    """People who could be merged into this one and who fit each word, by name or address."""
    people = mergeable_with(person)
    for word in search.split():
        people = people.filter(Q(display_name__icontains=word) | Q(email__icontains=word))
    return list(people.order_by("display_name", "id")[: 2 * SUGGESTIONS])


def mergeable_with(person: Principal) -> QuerySet[Principal]:
    """Everybody who could be merged into this person."""
    people = Principal.objects.filter(type=PrincipalType.USER, role=Role.USER, user=None, merged_into=None)
    return people.exclude(id=person.id)


def list_merges(person: Principal) -> list[PrincipalMerge]:
    """The merges into this person that hold, the latest first."""
    held = PrincipalMerge.objects.filter(kept=person, undone_at=None).select_related("merged", "actor")
    return list(held.order_by("-id"))


def _require_mergeable(kept: Principal, merged: Principal) -> None:
    for person in (kept, merged):
        if person.type != PrincipalType.USER:
            raise Conflict(f"{person} is not a person.")
        if person.merged_into_id:
            raise Conflict(f"{person} was merged into somebody else already.")
    if merged.role != Role.USER:
        raise Conflict(f"{merged} is on the team. Merge the other way round, or take them off the team first.")
    if merged.user_id:
        raise Conflict(f"{merged} signs in. Merge the other way round, so that they go on signing in as themselves.")


def _learn(kept: Principal, merged: Principal) -> dict[str, Any]:
    """Fill in what was unknown of the kept one; returns it as it is written down."""
    learnt = {}
    for name in (*LEARNT, "email"):
        value = getattr(merged, name)
        if value and not getattr(kept, name):
            setattr(kept, name, value)
            learnt[name] = str(value)
    return learnt


def _forget(kept: Principal, learnt: dict[str, Any]) -> None:
    """Take back what the kept one learnt, unless somebody has changed it since."""
    for name, value in learnt.items():
        if str(getattr(kept, name)) == value:
            setattr(kept, name, getattr(_NOBODY, name))


def _set_off(merge: PrincipalMerge, actor: Principal, action: str, now: datetime) -> None:
    for name in FOLLOWERS:
        defer(name, queue=Queue.INGEST, workspace_id=merge.workspace_id, merge_id=str(merge.id))
    record_audit(
        workspace=merge.workspace,
        actor=actor,
        action=action,
        subject=merge.kept.public_id,
        details={"merged": merge.merged.public_id, "merge": merge.public_id, "at": now.isoformat()},
    )


def _go_back(merge: PrincipalMerge, model: type[Row], table: str, column: str, unique_with: Sequence[str]) -> list[Row]:
    moves = list(PrincipalMove.objects.select_for_update().filter(merge=merge, table=table, column=column))
    ours = [move.row_id for move in moves if move.set_aside is None]
    moved = list(_rows(model).filter(id__in=ours, **{f"{column}_id": merge.kept_id}))
    taken = _taken(model, column, merge.merged_id, unique_with)
    back = [row for row in moved if not (unique_with and _key(row, unique_with) in taken)]
    _rows(model).filter(id__in=[row.id for row in back]).update(**{f"{column}_id": merge.merged_id})
    restored = [_restore(model, move.set_aside, taken, unique_with) for move in moves if move.set_aside]
    PrincipalMove.objects.filter(id__in=[move.id for move in moves]).delete()
    return [*back, *(row for row in restored if row is not None)]


def _written(row: WorkspaceOwned) -> dict[str, Any]:
    """The whole row as JSON, times to the microsecond (Django's own encoder cuts them)."""
    found: dict[str, Any] = json.loads(json.dumps(serializers.serialize("python", [row])[0], default=str))
    return found


def _restore(
    model: type[Row], stored: dict[str, Any], taken: set[tuple[Any, ...]], unique_with: Sequence[str]
) -> Row | None:
    """Bring a row back that was set aside, unless what it was about is gone."""
    (found,) = serializers.deserialize("python", [stored])
    row: Row = found.object  # type: ignore[assignment]
    if _key(row, unique_with) in taken or not all(_still_there(row, link) for link in _links(model)):
        return None
    row.save_base(raw=True, force_insert=True)
    return row


def _links(model: type[Row]) -> list[ForeignKey[Any, Any]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]


def _still_there(row: WorkspaceOwned, link: ForeignKey[Any, Any]) -> bool:
    value = getattr(row, link.attname)
    return value is None or link.related_model._default_manager.filter(pk=value).exists()


def _rows(model: type[Row]) -> QuerySet[Row]:
    return model._default_manager.all()


def _key(row: WorkspaceOwned, unique_with: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in unique_with)


def _taken(model: type[Row], column: str, person: UUID, unique_with: Sequence[str]) -> set[tuple[Any, ...]]:
    if not unique_with:
        return set()
    return set(_rows(model).filter(**{f"{column}_id": person}).values_list(*unique_with))
