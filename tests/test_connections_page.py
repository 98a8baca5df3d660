"""Settings, Connections: mail is set up, proven to come in, and seen for what became of it."""

import base64
import importlib
import pkgutil
from collections.abc import Callable
from datetime import timedelta

import anymail.webhooks
import pytest
from django.core import mail as sent_mail
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from tellback.connections.mail.providers import PROVIDERS
from tellback.connections.mail.setup import open_secrets
from tellback.connections.models import Integration
from tellback.effects.models import Effect
from tellback.effects.services import deliver_due
from tellback.intake.mail.setting_up import remove_mail
from tellback.intake.mail.trial import read_trial
from tellback.intake.models import FeedbackSource, RawItem, ReceivedMail
from tellback.workspaces.models import Workspace
from tests.harness.imap import PASSWORD, USER, Box
from tests.test_mail_in import (
    ADDRESS,
    KEY,
    box,
    connect_box,
    connect_provider,
    letter,
    look_again,
    mailgun,
    outcomes,
    postmark,
)

__all__ = ["box"]
PAGE = "/admin/settings/connections"


@pytest.fixture
def admin(as_role: Callable[[str], Client]) -> Client:
    """Somebody who may set things up."""
    return as_role("admin")


@pytest.fixture
def mails_leave(settings: Settings) -> None:
    """A mail server, as far as this installation can tell."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def typed(box: Box, **changes: object) -> dict[str, object]:
    """The form of a mailbox, filled in."""
    stated: dict[str, object] = {"address": ADDRESS, "host": "127.0.0.1", "port": box.port, "security": "none"}
    return {**stated, "username": USER, "password": PASSWORD, "folder": "INBOX", **changes}


def page_of(source: FeedbackSource) -> str:
    return f"{PAGE}/{source.id}"


def test_every_provider_that_anymail_reads_is_offered(admin: Client) -> None:
    known = {"mandrill"}  # its view is for mail in and for what became of mail out
    for module in pkgutil.iter_modules(anymail.webhooks.__path__):
        if module.name in {"base", "sendinblue"}:
            continue
        names = vars(importlib.import_module(f"anymail.webhooks.{module.name}"))
        if any(name.endswith("InboundWebhookView") for name in names):
            known.add(module.name.replace("_", "-"))
    assert len(known) >= 12
    assert known == set(PROVIDERS)
    shown = admin.get(f"{PAGE}/new").content.decode()
    for key in known:
        assert f"{PAGE}/new/{key}" in shown
        assert admin.get(f"{PAGE}/new/{key}").status_code == 200


def test_a_provider_is_set_up_in_two_steps_and_its_mail_comes_in(
    admin: Client, client: Client, workspace: Workspace
) -> None:
    made = admin.post(f"{PAGE}/new/mailgun", {"address": ADDRESS.upper(), "plus_addressing": "on", "lists": ""})
    source = FeedbackSource.objects.get(source_type="email")
    assert made["Location"] == page_of(source)
    shown = admin.get(page_of(source))
    assert "Not set up yet" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert source.integration is not None
    hook = f"/hooks/mailgun/{source.integration.public_id}/mime"
    assert hook in shown.content.decode()
    assert client.post(hook, **mailgun()).status_code == 401
    secret = {"address": ADDRESS, "lists": "", "secret_webhook_signing_key": KEY}
    assert admin.post(page_of(source), secret).status_code == 302
    assert client.post(hook, **mailgun()).status_code == 200
    assert RawItem.objects.get().content["text"] == "The export button does nothing."
    kept = admin.get(page_of(source)).content.decode()
    assert "Works" in kept
    assert "1 became feedback" in kept
    assert KEY not in kept
    assert admin.post(page_of(source), {"address": ADDRESS, "lists": ""}).status_code == 302
    assert open_secrets(Integration.objects.get())["webhook_signing_key"] == KEY


def test_the_address_for_a_provider_without_a_signature_carries_a_password(
    admin: Client, client: Client, workspace: Workspace, settings: Settings
) -> None:
    admin.post(f"{PAGE}/new/postmark", {"address": ADDRESS, "lists": ""})
    integration = Integration.objects.get()
    password = open_secrets(integration)["password"]
    scheme, _, host = settings.BASE_URL.partition("://")
    address = f"{scheme}://tellback:{password}@{host}/hooks/postmark/{integration.public_id}"
    assert address in admin.get(page_of(FeedbackSource.objects.get(source_type="email"))).content.decode()
    sent = {**postmark(), "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"tellback:{password}".encode()).decode()}
    assert client.post(f"/hooks/postmark/{integration.public_id}", **postmark()).status_code == 401
    assert client.post(f"/hooks/postmark/{integration.public_id}", **sent).status_code == 200


@pytest.mark.parametrize(
    ("provider", "field", "wrong"),
    [
        ("postal", "secret_webhook_key", "not a key"),
        ("sendgrid", "secret_verification_key", base64.b64encode(b"short").decode()),
        ("resend", "secret_signing_secret", "whsec_ö"),
    ],
)
def test_a_secret_of_the_wrong_form_is_said_to_be_one_and_not_kept(
    admin: Client, workspace: Workspace, provider: str, field: str, wrong: str
) -> None:
    source, _path = connect_provider(workspace, provider, {})
    answer = admin.post(page_of(source), {"address": ADDRESS, "lists": "", field: wrong})
    assert answer.status_code == 422
    assert "does not have the form of one" in answer.content.decode()
    assert wrong not in answer.content.decode()
    source.refresh_from_db()
    assert source.integration is not None
    assert field.removeprefix("secret_") not in open_secrets(source.integration)


def test_a_mailbox_is_opened_before_it_is_kept(
    admin: Client, workspace: Workspace, box: Box, run_jobs: Callable[[], int]
) -> None:
    for changes, problem in (
        ({"password": "wrong"}, "does not accept this user and password"),
        ({"folder": "Elsewhere"}, "There is no folder “Elsewhere”"),
        ({"port": 1}, "does not take connections on port 1"),
        ({"host": ""}, "This field is required"),
        ({"username": "a\x01b"}, "characters that cannot be seen"),
    ):
        answer = admin.post(f"{PAGE}/new/imap", typed(box, **changes))
        assert answer.status_code == 422, problem
        assert problem in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"
    tried = admin.post(f"{PAGE}/new/imap", typed(box, **{"try": "yes"}), HTTP_HX_REQUEST="true")
    assert "Signed in, and the folder opens. It holds 0 mails." in tried.content.decode()
    assert "<html" not in tried.content.decode()
    assert not FeedbackSource.objects.filter(source_type="email").exists()
    assert admin.post(f"{PAGE}/new/imap", typed(box)).status_code == 302
    run_jobs()
    source = FeedbackSource.objects.get(source_type="email")
    assert source.last_success_at is not None
    assert PASSWORD not in admin.get(page_of(source)).content.decode()


def test_what_is_changed_about_a_mailbox_is_tried_with_the_password_that_is_kept(
    admin: Client, workspace: Workspace, box: Box
) -> None:
    source = connect_box(workspace, box)
    assert admin.post(page_of(source), typed(box, password="", mark_seen="on")).status_code == 302
    refused = admin.post(page_of(source), typed(box, password="", folder="Elsewhere"))
    assert "There is no folder" in refused.content.decode()
    source.refresh_from_db()
    assert source.integration is not None
    assert source.integration.config["mailbox"]["folder"] == "INBOX"
    assert source.integration.config["mailbox"]["mark_seen"] is True
    assert open_secrets(source.integration)["password"] == PASSWORD
    box.deliver(bytes(letter()))
    assert "It opens and holds 1 mail." in admin.post(f"{page_of(source)}/look", follow=True).content.decode()


def test_a_test_mail_goes_the_whole_way_round_and_never_becomes_feedback(
    admin: Client, workspace: Workspace, box: Box, run_jobs: Callable[[], int], mails_leave: None
) -> None:
    source, other = look_again(connect_box(workspace, box)), look_again(connect_box(workspace, box))
    going = admin.post(f"{page_of(source)}/test", HTTP_HX_REQUEST="true").content.decode()
    assert "on its way out" in going
    assert "every 3s" in going
    deliver_due(workspace_id=workspace.id, now=timezone.now)
    [mail] = sent_mail.outbox
    assert mail.to == [ADDRESS]
    assert "Waiting for it to come back" in admin.get(page_of(source)).content.decode()
    box.deliver(mail.message().as_bytes())
    run_jobs()
    back = admin.get(f"{page_of(source)}/test", HTTP_HX_REQUEST="true").content.decode()
    assert "The test mail came back after 1 second. Mail comes in." in back
    assert "every 3s" not in back
    look_again(other)
    assert outcomes(source) == ["ignored test"]
    assert outcomes(other) == ["ignored own"]
    assert RawItem.objects.count() == 0
    assert "The test mail" in admin.get(page_of(source)).content.decode()


def test_a_test_mail_that_does_not_leave_or_come_back_says_so(
    admin: Client, workspace: Workspace, box: Box, mails_leave: None, settings: Settings
) -> None:
    source = look_again(connect_box(workspace, box))
    now = timezone.now()
    assert read_trial(source=source, now=now).state == "none"
    admin.post(f"{page_of(source)}/test")
    settings.EMAIL_BACKEND = "nowhere.Backend"
    deliver_due(workspace_id=workspace.id, now=timezone.now)
    assert "could not be sent" in admin.get(page_of(source)).content.decode()
    Effect.objects.update(last_error=None, state="delivered")
    assert read_trial(source=source, now=now).state == "travelling"
    assert read_trial(source=source, now=now + timedelta(minutes=11)).state == "late"


def test_an_installation_that_sends_no_mail_does_not_pretend_to(admin: Client, workspace: Workspace, box: Box) -> None:
    source = connect_box(workspace, box)
    assert "keeps its mail instead of sending it" in admin.get(page_of(source)).content.decode()
    assert admin.post(f"{page_of(source)}/test").status_code == 302
    assert not Effect.objects.filter(key__startswith="mail-trial:").exists()


def test_test_mails_are_sent_a_few_times_a_minute_only(
    admin: Client, workspace: Workspace, box: Box, mails_leave: None
) -> None:
    source = connect_box(workspace, box)
    told = [admin.post(f"{page_of(source)}/test", HTTP_HX_REQUEST="true").content.decode() for _ in range(6)]
    assert "limited to 4" in told[-1]
    assert Effect.objects.filter(key__startswith="mail-trial:").count() == 4


def test_what_is_ignored_is_listed_with_its_reason_and_without_its_sender(
    admin: Client, workspace: Workspace, box: Box
) -> None:
    source = look_again(connect_box(workspace, box))
    box.deliver(bytes(letter("I am away", Auto_Submitted="auto-replied", From="ada@secret.example")))
    box.deliver(bytes(letter("Returned", From="MAILER-DAEMON@secret.example")))
    box.deliver(bytes(letter("This week", List_Id="<news.secret.example>")))
    box.deliver(bytes(letter()))
    look_again(source)
    shown = admin.get(page_of(source)).content.decode()
    for reason in ("An automatic answer", "A delivery report", "Sent to many at once", "New feedback"):
        assert reason in shown
    assert "1 became feedback, 3 were ignored" in shown
    assert "secret.example" not in shown
    assert f"/admin/feedback/stream/{RawItem.objects.get().id}" in shown


def test_a_connection_is_switched_off_and_taken_out_with_its_secrets(
    admin: Client, client: Client, workspace: Workspace
) -> None:
    source, path = connect_provider(workspace, "mailgun", {"webhook_signing_key": KEY})
    admin.post(f"{page_of(source)}/switch")
    assert client.post(path, **mailgun()).status_code == 404
    assert "Off" in admin.get(PAGE).content.decode()
    admin.post(f"{page_of(source)}/switch", {"on": "yes"})
    assert client.post(path, **mailgun()).status_code == 200
    assert admin.post(f"{page_of(source)}/remove")["Location"] == PAGE
    assert not Integration.objects.exists()
    assert RawItem.objects.exists()
    assert ReceivedMail.objects.exists()
    assert admin.get(page_of(source)).status_code == 404
    assert "Let people simply write to you" in admin.get(PAGE).content.decode()


def test_the_list_takes_the_same_queries_for_one_connection_as_for_many(
    admin: Client, workspace: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first, _path = connect_provider(workspace, "mailgun", {"webhook_signing_key": KEY})
    admin.get(PAGE)
    with django_assert_max_num_queries(20) as one:
        admin.get(PAGE)
    for _ in range(5):
        connect_provider(workspace, "postmark", {})
    with django_assert_max_num_queries(len(one)):
        admin.get(PAGE)
    remove_mail(source=first, actor=None, now=timezone.now())
