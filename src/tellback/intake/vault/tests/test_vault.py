"""What redaction took out, sealed: opened by those who may, never by a value that was moved, gone with its key."""

import json
import secrets
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.intake.accept import Submission, accept_batch, prepare
from tellback.intake.models import RawItem, VaultKey, VaultValue
from tellback.intake.policy import get_policy, switch_vault
from tellback.intake.services import ensure_default_sources
from tellback.intake.vault import crypto
from tellback.intake.vault.services import destroy_keys, reveal
from tellback.kernel.errors import Forbidden, Invalid
from tellback.kernel.ids import new_id
from tellback.platform.sealing import Ring, WrongSeal, new_key
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import AuditEntry, Principal, Role, Workspace

NOW = timezone.now()


@pytest.fixture
def safe(workspace: Workspace, settings: Settings) -> Workspace:
    """A workspace with the vault on."""
    settings.VAULT_SECRETS = [secrets.token_urlsafe(32)]
    ensure_default_sources(workspace=workspace)
    switch_vault(workspace=workspace, on=True, actor=None)
    return workspace


@pytest.fixture
def admin(workspace: Workspace) -> Principal:
    return Principal.objects.create(workspace=workspace, role=Role.ADMIN, display_name="Ana")


def send(workspace: Workspace, text: str, *, user: str = "u_1", key: str = "") -> RawItem:
    from tellback.intake.models import FeedbackSource

    source = FeedbackSource.objects.get(source_type="api")
    submission = Submission(
        source_id=source.id,
        source_type="api",
        channel="api",
        text=text,
        source_created_at=NOW,
        author={"externalUserId": user} if user else {},
        dedupe_key=key or None,
    )
    accepted = accept_batch(workspace_id=workspace.id, submissions=[submission], now=NOW)[0]
    assert accepted.raw_item_id
    return RawItem.objects.get(pk=accepted.raw_item_id)


def originals(workspace: Workspace, item: RawItem, admin: Principal) -> dict[str, str]:
    return {one.token: one.original for one in reveal(workspace=workspace, item=item, actor=admin, reason="asked")}


def test_what_was_taken_out_can_be_seen_again_by_an_admin_and_is_audited(safe: Workspace, admin: Principal) -> None:
    item = send(safe, "I am ada@example.com, call +49 30 901820 or ada@example.com")
    assert item.content["text"] == "I am [email:1], call [phone:1] or [email:1]"
    found = reveal(workspace=safe, item=item, actor=admin, reason="  She asked us\nto call ")
    assert {one.token: one.original for one in found} == {"[email:1]": "ada@example.com", "[phone:1]": "+49 30 901820"}
    assert "ada" not in repr(found)
    entry = AuditEntry.objects.get(action="vault.revealed")
    assert (entry.actor, entry.subject) == (admin, item.public_id)
    assert entry.details == {"tokens": ["[email:1]", "[phone:1]"], "reason": "She asked us to call"}


def test_nothing_is_kept_while_the_vault_is_off(workspace: Workspace) -> None:
    ensure_default_sources(workspace=workspace)
    item = send(workspace, "I am ada@example.com")
    assert item.content["text"] == "I am [email:1]"
    assert not VaultKey.objects.exists()


def test_no_original_stands_in_the_row_or_in_the_tables(safe: Workspace) -> None:
    marker = f"{secrets.token_hex(8)}@example.com"
    submission = Submission(
        source_id=new_id(), source_type="api", channel="api", text=f"I am {marker}", source_created_at=NOW
    )
    row = prepare(submission, now=NOW, policy=get_policy(safe.id))
    assert "sealed" in row
    assert marker not in json.dumps(row, default=str)
    item = send(safe, f"I am {marker}")
    with connection.cursor() as cursor:
        for table in ("raw_feedback_items", "vault_key", "vault_value"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
            assert marker not in cursor.fetchone()[0]
    assert marker.encode() not in bytes(VaultValue.objects.get(raw_item=item).sealed)


@pytest.mark.parametrize("role", [Role.USER, Role.CONTRIBUTOR])
def test_others_may_not_see_it(safe: Workspace, role: Role) -> None:
    item = send(safe, "I am ada@example.com")
    somebody = Principal.objects.create(workspace=safe, role=role)
    with pytest.raises(Forbidden):
        reveal(workspace=safe, item=item, actor=somebody, reason="curious")
    assert not AuditEntry.objects.filter(action="vault.revealed").exists()


def test_a_reason_is_needed(safe: Workspace, admin: Principal) -> None:
    with pytest.raises(Invalid):
        reveal(workspace=safe, item=send(safe, "I am ada@example.com"), actor=admin, reason=" ")


def test_a_person_has_one_key_however_many_items(
    safe: Workspace, admin: Principal, run_jobs: Callable[[], int]
) -> None:
    items = [send(safe, f"I am ada{n}@example.com") for n in range(3)]
    other = send(safe, "I am bob@example.com", user="u_2")
    nobody = send(safe, "I am eve@example.com", user="")
    assert VaultKey.objects.filter(principal=None).count() == 5
    run_jobs()
    assert VaultKey.objects.exclude(principal=None).count() == 2
    assert VaultKey.objects.filter(principal=None).count() == 1
    for n, item in enumerate(items):
        assert originals(safe, item, admin) == {"[email:1]": f"ada{n}@example.com"}
    assert originals(safe, other, admin) == {"[email:1]": "bob@example.com"}
    assert originals(safe, nobody, admin) == {"[email:1]": "eve@example.com"}


def test_a_repeated_item_is_sealed_once(safe: Workspace) -> None:
    first = send(safe, "I am ada@example.com", key="once")
    assert send(safe, "I am ada@example.com", key="once") == first
    assert VaultValue.objects.count() == VaultKey.objects.count() == 1


@pytest.mark.parametrize("swap", ["item", "token", "key"])
def test_a_value_that_was_moved_does_not_open(
    safe: Workspace, admin: Principal, run_jobs: Callable[[], int], swap: str
) -> None:
    one = send(safe, "I am ada@example.com and bob@example.com")
    two = send(safe, "I am eve@example.com", user="u_2" if swap == "key" else "u_1")
    run_jobs()
    first = VaultValue.objects.get(raw_item=one, token="[email:1]")
    if swap == "token":
        second = VaultValue.objects.get(raw_item=one, token="[email:2]")
        VaultValue.objects.filter(pk=first.pk).update(sealed=bytes(second.sealed))
    elif swap == "item":
        VaultValue.objects.filter(pk=first.pk).update(sealed=bytes(VaultValue.objects.get(raw_item=two).sealed))
    else:
        VaultValue.objects.filter(pk=first.pk).update(key=VaultValue.objects.get(raw_item=two).key_id)
    with pytest.raises(WrongSeal):
        originals(safe, one, admin)


def test_a_key_that_was_moved_to_another_row_or_workspace_does_not_open() -> None:
    ring, data_key = Ring("vault", ("a secret",)), new_key()
    here, row = new_id(), new_id()
    wrapped = crypto.wrap(data_key, ring=ring, workspace_id=here, key_id=row)
    assert crypto.unwrap(wrapped, ring=ring, workspace_id=here, key_id=row) == data_key
    for workspace_id, key_id in ((new_id(), row), (here, new_id())):
        with pytest.raises(WrongSeal):
            crypto.unwrap(wrapped, ring=ring, workspace_id=workspace_id, key_id=key_id)
    with pytest.raises(WrongSeal):
        crypto.unwrap(wrapped, ring=Ring("vault", ("another",)), workspace_id=here, key_id=row)


def test_another_secret_key_opens_nothing(safe: Workspace, admin: Principal, settings: Settings) -> None:
    item = send(safe, "I am ada@example.com")
    settings.VAULT_SECRETS = [secrets.token_urlsafe(32)]
    with pytest.raises(WrongSeal):
        originals(safe, item, admin)


def test_destroying_a_persons_key_leaves_other_people_theirs(
    safe: Workspace, admin: Principal, run_jobs: Callable[[], int]
) -> None:
    hers, his = send(safe, "I am ada@example.com"), send(safe, "I am bob@example.com", user="u_2")
    run_jobs()
    hers.refresh_from_db()
    assert hers.principal_id
    assert destroy_keys(principal_ids=[hers.principal_id], raw_item_ids=[]) == 1
    assert originals(safe, hers, admin) == {}
    assert originals(safe, his, admin) == {"[email:1]": "bob@example.com"}


def test_another_workspace_sees_nothing_of_it(safe: Workspace, other_workspace_id: UUID) -> None:
    send(safe, "I am ada@example.com")
    with in_workspace(other_workspace_id):
        assert not VaultKey.objects.exists()
        assert not VaultValue.objects.exists()
    assert VaultKey.objects.exists()
