"""Writes of the vault: sealing as an item is accepted, giving a key to its person, revealing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import BinaryField, Func, QuerySet, Value

from tellback.intake.models import RawItem, VaultKey, VaultValue
from tellback.intake.redaction import Removed
from tellback.intake.vault import crypto
from tellback.kernel.errors import Forbidden, Invalid
from tellback.kernel.ids import new_id
from tellback.platform.bulk import update_rows
from tellback.platform.sealing import NAME_BYTES, new_key, vault_ring
from tellback.workspaces.access import has_role
from tellback.workspaces.models import Principal, Role, Workspace
from tellback.workspaces.services import record_audit

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Revealed:
    """What one token stands for. Never in a representation."""

    token: str
    type: str
    original: str

    def __repr__(self) -> str:
        return f"Revealed({self.token})"


def seal_removed(*, workspace_id: UUID, raw_item_id: UUID, removed: Sequence[Removed]) -> dict[str, Any]:
    """What `tellback_accept_sealed` stores of an item: a fresh key of its own, wrapped, and each original sealed by it.

    Whose words they are is found out later; then `hand_over` puts them under the key of that person.
    """
    key_id, data_key = new_id(), new_key()
    wrapped = crypto.wrap(data_key, ring=vault_ring(), workspace_id=workspace_id, key_id=key_id)
    values = {}
    for one in removed:
        place = crypto.Place(workspace_id, raw_item_id, one.token)
        values[one.token] = _text(crypto.seal(one.original, data_key=data_key, place=place))
    return {"key_id": key_id, "wrapped": _text(wrapped), "values": values}


def _text(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


@transaction.atomic
def hand_over(*, items: Sequence[RawItem]) -> None:
    """Put what is sealed of these items under the keys of their people, now that they are known. Safe to repeat."""
    whose = {item.id: item.principal_id for item in items if item.principal_id}
    orphans = VaultKey.objects.select_for_update().filter(principal=None, values__raw_item__in=whose)
    for key in {key.id: key for key in orphans.order_by("id")}.values():
        values = list(VaultValue.objects.filter(key=key))
        person_id = whose[values[0].raw_item_id]
        assert person_id is not None
        if not _adopt(key, person_id):
            _reseal(key, VaultKey.objects.get(principal_id=person_id), values)


def _adopt(key: VaultKey, person_id: UUID) -> bool:
    """Make the key the person's, unless they have one."""
    if VaultKey.objects.filter(principal_id=person_id).exists():
        return False
    try:
        with transaction.atomic():
            VaultKey.objects.filter(pk=key.pk).update(principal_id=person_id)
    except IntegrityError:
        return False
    return True


def _reseal(old: VaultKey, new: VaultKey, values: Sequence[VaultValue]) -> None:
    old_key, new_key = _data_key(old), _data_key(new)
    for value in values:
        original = crypto.unseal(bytes(value.sealed), data_key=old_key, place=_place(value))
        value.sealed = crypto.seal(original, data_key=new_key, place=_place(value))
        value.key = new
    VaultValue.objects.bulk_update(values, ["sealed", "key"])
    old.delete()


def _data_key(key: VaultKey) -> bytes:
    return crypto.unwrap(bytes(key.wrapped), ring=vault_ring(), workspace_id=key.workspace_id, key_id=key.id)


def count_keys() -> tuple[int, int]:
    """How many keys there are, and how many of them are wrapped under a former secret."""
    return VaultKey.objects.count(), _stale_keys().count()


def rewrap_keys(most: int) -> int:
    """Wrap up to so many of these anew; returns how many. The values stay as they are: their keys are the same."""
    found = list(_stale_keys().select_for_update(of=("self",))[:most])
    for key in found:
        key.wrapped = crypto.wrap(_data_key(key), ring=vault_ring(), workspace_id=key.workspace_id, key_id=key.id)
    update_rows(found, ["wrapped"])
    return len(found)


def _stale_keys() -> QuerySet[VaultKey]:
    made_by = Func("wrapped", Value(1), Value(NAME_BYTES), function="substr", output_field=BinaryField())
    return VaultKey.objects.alias(made_by=made_by).exclude(made_by=vault_ring().name)


def _place(value: VaultValue) -> crypto.Place:
    return crypto.Place(value.workspace_id, value.raw_item_id, value.token)


@transaction.atomic
def reveal(*, workspace: Workspace, item: RawItem, actor: Principal, reason: str) -> list[Revealed]:
    """What was taken out of an item, in the order of its tokens, with an entry in the audit trail that says who asked
    and why.

    Raises `Forbidden` below admin, `Invalid` without a reason, `WrongSeal` for a value that does not belong there.
    """
    if not has_role(actor, Role.ADMIN):
        raise Forbidden("Only owners and admins may see what was taken out.")
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_LENGTH:
        raise Invalid(f"Say in up to {REASON_LENGTH} characters why you need to see it; it is kept in the audit trail.")
    found = open_item(item=item)
    record_audit(
        workspace=workspace,
        actor=actor,
        action="vault.revealed",
        subject=item.public_id,
        details={"tokens": [one.token for one in found], "reason": reason},
    )
    return found


def open_item(*, item: RawItem) -> list[Revealed]:
    """What was taken out of an item, in the order of its tokens. For callers that write the audit trail themselves."""
    values = list(VaultValue.objects.filter(raw_item=item).select_related("key").order_by("token"))
    data_keys = {key.id: _data_key(key) for key in {value.key_id: value.key for value in values}.values()}
    return [
        Revealed(
            value.token,
            value.token.strip("[]").partition(":")[0],
            crypto.unseal(bytes(value.sealed), data_key=data_keys[value.key_id], place=_place(value)),
        )
        for value in values
    ]


def destroy_keys(*, principal_ids: Sequence[UUID], raw_item_ids: Sequence[UUID]) -> int:
    """Destroy the keys of these people, and what is sealed of these items; returns how many values are gone."""
    gone = VaultValue.objects.filter(raw_item__in=raw_item_ids) | VaultValue.objects.filter(
        key__principal__in=principal_ids
    )
    count = gone.count()
    VaultKey.objects.filter(principal=None, values__raw_item__in=raw_item_ids).delete()
    gone.delete()
    VaultKey.objects.filter(principal__in=principal_ids).delete()
    return count
