"""The pages about private data, as an admin uses them."""

import io
import secrets
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.intake.accept import Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.policy import get_policy
from tellback.intake.services import ensure_default_sources
from tellback.workspaces.models import AuditEntry, Principal, Workspace

PRIVACY = "/admin/settings/privacy"
SignIn = Callable[[str], Client]


@pytest.fixture
def admin(workspace: Workspace, as_role: SignIn, settings: Settings, tmp_path: Path) -> Client:
    settings.VAULT_SECRETS = [secrets.token_urlsafe(32)]
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"
    ensure_default_sources(workspace=workspace)
    return as_role("admin")


def said(workspace: Workspace, text: str, run_jobs: Callable[[], int]) -> RawItem:
    submission = Submission(
        source_id=FeedbackSource.objects.get(source_type="api").id,
        source_type="api",
        channel="api",
        text=text,
        source_created_at=timezone.now(),
        author={"externalUserId": "u_1", "email": "grace@example.com"},
    )
    accepted = accept_batch(workspace_id=workspace.id, submissions=[submission], now=timezone.now())[0]
    run_jobs()
    assert accepted.raw_item_id
    return RawItem.objects.get(pk=accepted.raw_item_id)


def kept_for(item: RawItem) -> int | None:
    return FeedbackSource.objects.values_list("retention_days", flat=True).get(pk=item.source_id)


def test_a_pattern_is_tried_added_used_and_removed(
    admin: Client, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    form = {"name": "customer", "expression": r"CUST-\d{4,8}", "sample": "I am CUST-4711, ada@example.com"}
    tried = admin.post(f"{PRIVACY}/patterns", {**form, "try": "yes"})
    assert "I am [customer:1], [email:1]" in tried.content.decode()
    assert get_policy(workspace.id).patterns == ()
    assert admin.post(f"{PRIVACY}/patterns", form, follow=True).status_code == 200
    assert "CUST-" in admin.get(PRIVACY).content.decode()
    assert said(workspace, "I am CUST-4711", run_jobs).content["text"] == "I am [customer:1]"
    admin.post(f"{PRIVACY}/patterns/remove", {"name": "customer"})
    assert said(workspace, "I am CUST-4711", run_jobs).content["text"] == "I am CUST-4711"
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        "privacy.pattern_added",
        "privacy.pattern_removed",
    }


@pytest.mark.parametrize("expression", ["(", ".*", r"(?=a)"])
def test_a_bad_pattern_is_refused_beside_its_field(admin: Client, workspace: Workspace, expression: str) -> None:
    response = admin.post(f"{PRIVACY}/patterns", {"name": "mine", "expression": expression})
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert get_policy(workspace.id).patterns == ()


def test_the_same_name_twice_is_refused(admin: Client) -> None:
    form = {"name": "mine", "expression": "ABC-1"}
    assert admin.post(f"{PRIVACY}/patterns", form).status_code == 302
    assert admin.post(f"{PRIVACY}/patterns", form).status_code == 422


def test_an_original_is_revealed_with_a_reason(
    admin: Client, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    admin.post(f"{PRIVACY}/vault", {"vault": "on"})
    item = said(workspace, "Call me on +49 30 901820", run_jobs)
    assert "Reveal" in admin.get(f"/admin/feedback/stream/{item.id}").content.decode()
    page = admin.post(f"/admin/feedback/stream/{item.id}/originals", {"reason": "They asked to be called"})
    assert "+49 30 901820" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    assert AuditEntry.objects.get(action="vault.revealed").details["reason"] == "They asked to be called"
    refused = admin.post(f"/admin/feedback/stream/{item.id}/originals", {"reason": " "}, follow=True)
    assert "+49 30 901820" not in refused.content.decode()


def test_who_may_not_reveal_sees_no_button(
    admin: Client, as_role: SignIn, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    admin.post(f"{PRIVACY}/vault", {"vault": "on"})
    item = said(workspace, "Call me on +49 30 901820", run_jobs)
    assert "Reveal" not in as_role("contributor").get(f"/admin/feedback/stream/{item.id}").content.decode()


def test_a_person_is_exported_and_then_erased(admin: Client, workspace: Workspace, run_jobs: Callable[[], int]) -> None:
    item = said(workspace, "The export is broken again, sadly", run_jobs)
    person = item.principal
    assert person
    export = admin.post(f"/admin/users/{person.id}/export")
    content = b"".join(export.streaming_content)  # type: ignore[attr-defined]
    assert len(content) == int(export.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "The export is broken again" in archive.read("data.json").decode()
    asked = admin.post(f"/admin/users/{person.id}/erase")
    assert "Tick the box" in asked.content.decode()
    assert Principal.objects.get(pk=person.pk).email == "grace@example.com"
    assert admin.post(f"/admin/users/{person.id}/erase", {"sure": "yes"}).status_code == 302
    item.refresh_from_db()
    assert item.content["text"] == ""
    assert "It was erased" in admin.get("/admin/feedback/stream").content.decode()
    assert "1 items" in admin.get(PRIVACY).content.decode()
    assert "person.erased" in AuditEntry.objects.values_list("action", flat=True)


def test_retention_is_previewed_before_it_is_set(
    admin: Client, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    item = said(workspace, "The export is broken again, sadly", run_jobs)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
        RawItem.objects.filter(pk=item.pk).update(created_at=timezone.now() - timedelta(days=100))
        cursor.execute("SELECT set_config('tellback.erasing', '', true)")
    address = f"/admin/settings/sources/{item.source_id}/retention"
    page = admin.get(address, {"days": 90}).content.decode()
    assert "1 item is older" in page
    assert kept_for(item) is None
    assert admin.post(address, {"days": 90}).status_code == 302
    assert kept_for(item) == 90
    assert "90 days" in admin.get("/admin/settings/sources").content.decode()
    assert (
        "1 to" in admin.get(address, {"days": 0}).content.decode()
        or "greater than" in admin.get(address, {"days": 0}).content.decode()
    )
    admin.post(address, {"days": ""})
    assert kept_for(item) is None
