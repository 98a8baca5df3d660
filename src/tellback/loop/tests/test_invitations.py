"""Somebody who was added to the team hears of it, can sign in with what the mail says, and hears of it once."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.effects.models import Effect, KeptMail
from tellback.effects.services import deliver_due
from tellback.workspaces.models import Principal, Workspace


@pytest.fixture(autouse=True)
def forget_limits() -> None:
    cache.clear()


def mails(workspace: Workspace) -> list[KeptMail]:
    deliver_due(workspace_id=workspace.id, now=timezone.now)
    return list(KeptMail.objects.order_by("created_at"))


def test_the_mail_leads_into_the_workspace(
    as_role: Callable[[str], Client], workspace: Workspace, run_jobs: Callable[[], int], settings: Settings
) -> None:
    settings.BASE_URL = "http://testserver"
    as_role("admin").post("/admin/settings/members", {"email": "Bea@example.com", "role": "contributor"})
    run_jobs()
    (mail,) = mails(workspace)
    assert (mail.to, mail.subject) == ("bea@example.com", "You are in the team of Harbour")
    assert "Admin added you to the team of Harbour, as Contributor." in mail.text
    assert "unsubscribe" not in mail.text + mail.html
    address = re.search(r"http://testserver(/\S+)", mail.text)
    assert address
    assert address[1] in mail.html
    browser = Client()
    sent = browser.post(address[1], {"email": "bea@example.com"})
    code = re.search(r"^    (\S+)$", mails(workspace)[-1].text, re.MULTILINE)
    assert code
    browser.post(sent["Location"], {"code": code[1]})
    assert browser.get("/admin/account").status_code == 200


def test_a_name_with_marks_turns_into_no_mark_up(
    as_role: Callable[[str], Client], workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    Workspace.objects.update(name="<b>R&D</b>")
    as_role("admin").post("/admin/settings/members", {"email": "bea@example.com", "role": "admin"})
    run_jobs()
    (mail,) = mails(workspace)
    assert "<b>R&D" in mail.text
    assert "<b>R&" not in mail.html
    assert "&lt;b&gt;R&amp;D" in mail.html


def test_a_repeated_job_sends_no_second_mail_and_a_second_invitation_does(
    as_role: Callable[[str], Client], workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    from tellback.loop.jobs import invite

    client = as_role("admin")
    client.post("/admin/settings/members", {"email": "bea@example.com", "role": "contributor"})
    run_jobs()
    bea, admin = Principal.objects.get(email="bea@example.com"), Principal.objects.get(email="admin@example.com")
    occasion = Effect.objects.get().key.split(":")[1]
    invite(member_id=str(bea.id), actor_id=str(admin.id), occasion=occasion)
    assert Effect.objects.count() == 1
    client.post(f"/admin/settings/members/{bea.id}", {"role": "user"})
    invite(member_id=str(bea.id), actor_id=str(admin.id), occasion="later")
    assert Effect.objects.count() == 1, "who was taken out is not mailed"
    client.post("/admin/settings/members", {"email": "bea@example.com", "role": "contributor"})
    run_jobs()
    assert Effect.objects.count() == 2
