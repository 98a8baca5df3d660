"""Mail comes in: from a mailbox and from providers, once each, as feedback or as an answer to what we wrote."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings

from tellback.connections.mail.mime import read_message
from tellback.connections.mail.setup import Mailbox, MailSetup, make_hook_password, open_secrets
from tellback.effects.models import KeptMail
from tellback.intake.mail.door import hook_path
from tellback.intake.mail.polling import poll, read_cursor
from tellback.intake.mail.setting_up import connect_mail, switch_mail
from tellback.intake.models import Attachment, FeedbackSource, MailOutcome, RawItem, ReceivedMail
from tellback.kernel.errors import Unavailable
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Principal, Workspace
from tests.harness.imap import PASSWORD, USER, Box, mailbox

ADDRESS = "feedback@harbour.example"
COUNT = iter(range(1, 10_000))


def letter(text: str = "The export button does nothing.", *, html: str = "", **headers: str) -> EmailMessage:
    """A mail as somebody would send it; a header given as "" is left out."""
    mail = EmailMessage()
    given = {
        "From": "Ada Long <ada@customer.example>",
        "To": f"Harbour <{ADDRESS}>",
        "Subject": "Export",
        "Date": format_datetime(timezone.now()),
        "Message-ID": f"<m{next(COUNT)}.{time.time_ns()}@customer.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            mail[name] = value
    if text:
        mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html") if text else mail.set_content(html, subtype="html")
    return mail


@pytest.fixture
def box(settings: Settings) -> Iterator[Box]:
    """A mailbox on loopback, which the operator allows to be reached."""
    settings.OUTBOUND_ALLOWED = ["127.0.0.0/8"]
    with mailbox() as box:
        yield box


def connect_box(workspace: Workspace, box: Box, **changes: Any) -> FeedbackSource:
    """A connection to the mailbox; fields of `Mailbox` and of `MailSetup` may be changed."""
    inside = {name: changes.pop(name) for name in list(changes) if name in Mailbox.model_fields}
    stated = {"host": "127.0.0.1", "port": box.port, "security": "none", "username": USER, **inside}
    setup = MailSetup(provider="imap", address=ADDRESS, mailbox=Mailbox(**stated), **changes)
    return connect_mail(workspace=workspace, setup=setup, secrets={"password": PASSWORD}, actor=None)


def look_again(source: FeedbackSource) -> FeedbackSource:
    while poll(workspace_id=source.workspace_id, source_id=source.id, now=timezone.now):
        pass
    source.refresh_from_db()
    return source


def outcomes(source: FeedbackSource) -> list[str]:
    rows = ReceivedMail.objects.filter(source=source).order_by("id")
    return [f"{row.outcome} {row.reason}".strip() for row in rows]


# A mailbox


def test_what_arrives_in_a_mailbox_from_now_on_is_taken_in_once_and_left_alone(
    workspace: Workspace, box: Box, run_jobs: Callable[[], int]
) -> None:
    box.deliver(bytes(letter("Old news")))
    source = look_again(connect_box(workspace, box))
    assert RawItem.objects.count() == 0
    box.deliver(bytes(letter("The export button does nothing. Call +49 30 901820.")))
    for _ in range(2):
        source = look_again(source)
    item = RawItem.objects.get()
    assert item.content["text"].startswith("The export button does nothing.")
    assert "901820" not in json.dumps(item.content)
    assert (item.source_type, item.channel, item.content["subject"]) == ("email", "support", "Export")
    assert source.last_error is None
    assert source.last_success_at is not None
    assert box.seen == set()
    assert any("BODY.PEEK" in line for line in box.asked)
    run_jobs()
    item.refresh_from_db()
    assert item.principal is not None
    assert (item.principal.email, item.principal.display_name) == ("ada@customer.example", "Ada Long")


def test_mail_that_is_there_already_is_taken_in_and_marked_as_read_when_asked_for(
    workspace: Workspace, box: Box
) -> None:
    uids = {box.deliver(bytes(letter(f"Wish number {number} of many"))) for number in range(60)}
    source = look_again(connect_box(workspace, box, take_existing=True, mark_seen=True))
    assert RawItem.objects.count() == 60
    assert box.seen == uids
    cursor = read_cursor(source.cursor)
    assert cursor is not None
    assert cursor.position.last_uid == max(uids)


def test_a_mailbox_that_numbers_its_mails_anew_gives_nothing_twice(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    for number in range(3):
        box.deliver(bytes(letter(f"Wish number {number}")))
    look_again(source)
    box.forget_uids()
    box.deliver(bytes(letter("The fourth wish")))
    look_again(source)
    assert RawItem.objects.count() == 4


def test_a_mail_that_is_there_twice_counts_once(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    raw = bytes(letter())
    box.deliver(raw)
    box.deliver(b"Received: by another.example\r\n" + raw)
    look_again(source)
    assert RawItem.objects.count() == 1


def test_what_is_wrong_with_a_mailbox_is_said_in_a_sentence(workspace: Workspace, box: Box, settings: Settings) -> None:
    def problem(**changes: Any) -> str:
        secret = changes.pop("password", PASSWORD)
        source = connect_box(workspace, box, **changes)
        assert source.integration is not None
        with_secret = MailSetup.model_validate(source.integration.config)
        source = connect_mail(workspace=workspace, setup=with_secret, secrets={"password": secret}, actor=None)
        return str(look_again(source).last_error)

    assert "app password" in problem(password="wrong")
    assert "There is no folder “Feedback”. There are: INBOX." in problem(folder="Feedback")
    assert "does not speak TLS" in problem(security="tls")
    assert "does not offer STARTTLS" in problem(security="starttls")
    assert "does not take connections on port 1" in problem(port=1)
    assert "There is no host" in problem(host="mail.invalid")
    box.trouble = "not imap"
    assert "127.0.0.1" in problem()
    box.trouble = ""
    settings.OUTBOUND_ALLOWED = []
    assert "private network" in problem()
    assert PASSWORD not in "".join(str(error) for error in FeedbackSource.objects.values_list("last_error", flat=True))


def test_a_connection_that_breaks_off_loses_nothing(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    box.deliver(bytes(letter()))
    box.trouble = "cut"
    source = look_again(source)
    assert "broke off" in str(source.last_error)
    assert RawItem.objects.count() == 0
    box.trouble = ""
    assert look_again(source).last_error is None
    assert RawItem.objects.count() == 1


def test_one_hostile_mail_holds_up_no_other(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth) for depth in range(3_000)
    )
    hostile = [
        b"From: ada@customer.example\r\nMessage-ID: <1@x>\r\n" + nested,
        b"X-Huge: yes\r\n\r\n",
        b"",
        b"\xff\xfe\x00\x00",
        b"From: x@customer.example\r\nContent-Type: multipart/mixed\r\n\r\nThe boundary is missing here",
        b'From: y@customer.example\r\nContent-Type: text/plain; charset="no-such"\r\n\r\nA charset nobody knows \xe9',
        b"From: z@customer.example\r\nContent-Type: text/plain; charset=idna\r\n\r\n" + b"xn--" * 5_000,
        b"From: " + b"a" * 50_000 + b"@customer.example\r\nSubject: =?utf-8?b?////?= =?x?q?=FF?=\r\n\r\nA long header",
        b"From: q@customer.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
        b"From: n@customer.example\r\n\r\nNothing \x00 is \x1b[31m hidden",
        b"From: d@customer.example\r\nDate: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nA day that is none",
    ]
    for raw in hostile:
        box.deliver(raw)
    box.deliver(bytes(letter("The last one arrives as well")))
    source = look_again(source)
    assert source.last_error is None
    texts = list(RawItem.objects.values_list("content__text", flat=True))
    assert "The last one arrives as well" in texts
    assert "The boundary is missing here" in texts
    assert "A charset nobody knows é" in texts
    assert "A day that is none" in texts
    assert "Nothing  is [31m hidden" in texts
    assert outcomes(source).count("too_large") == 1
    assert outcomes(source).count("unreadable") == 1


def test_a_mail_that_brings_something_down_is_tried_again_then_passed_over_and_counted(
    workspace: Workspace, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = look_again(connect_box(workspace, box))
    box.deliver(bytes(letter("poison")))
    box.deliver(bytes(letter("The next one")))

    def breaks(message: Any, **named: Any) -> Any:
        if "poison" in str(message):
            raise ZeroDivisionError
        return read_message(message, **named)

    monkeypatch.setattr("tellback.intake.mail.polling.read_message", breaks)
    for _ in range(2):
        source = look_again(source)
        assert "tried again" in str(source.last_error)
    source = look_again(source)
    assert source.last_error is None
    assert outcomes(source) == ["unreadable", "accepted"]


def test_every_mailbox_that_is_on_is_looked_into_by_a_job_of_its_own(
    workspace: Workspace, box: Box, run_jobs: Callable[[], int]
) -> None:
    from tellback.intake.mail.polling import defer_polls

    source = look_again(connect_box(workspace, box))
    off = connect_box(workspace, box)
    switch_mail(source=off, on=False, actor=None)
    box.deliver(bytes(letter()))
    for _ in range(2):
        defer_polls(workspace_id=workspace.id)
    run_jobs()
    assert RawItem.objects.filter(source=source).count() == 1
    assert RawItem.objects.filter(source=off).count() == 0


# What is taken in


def test_nobodys_feedback_is_ignored_and_counted(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box, lists=("team.harbour.example",)))
    for headers in (
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"},
        {"List_Id": "News <news.customer.example>"},
        {"List_Unsubscribe": "<https://news.example/u>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@customer.example"},
        {"X_Failed_Recipients": "x@customer.example"},
        {"From": f"Harbour <{ADDRESS.upper()}>"},
        {"X_Tellback_Effect": "effect_1"},
    ):
        box.deliver(bytes(letter(**headers)))
    report = letter()
    report.set_type("multipart/report")
    box.deliver(bytes(report))
    box.deliver(bytes(letter("", Subject="")))
    for headers in ({"Auto_Submitted": "no"}, {"List_Id": "<team.harbour.example>", "Precedence": "list"}, {}):
        box.deliver(bytes(letter(**headers)))
    source = look_again(source)
    assert outcomes(source) == [
        "ignored automatic",
        "ignored list",
        "ignored automatic",
        "ignored automatic",
        "ignored automatic",
        "ignored list",
        "ignored list",
        "ignored bounce",
        "ignored bounce",
        "ignored bounce",
        "ignored own",
        "ignored own",
        "ignored bounce",
        "ignored empty",
        "accepted",
        "accepted",
        "accepted",
    ]
    assert RawItem.objects.count() == 3


def test_files_come_along_and_those_that_cannot_be_taken_cost_nothing_else(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    picture = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(picture, "PNG")
    mail = letter("See the picture.")
    mail.add_attachment(picture.getvalue(), maintype="image", subtype="png", filename="../../ada@customer.example.png")
    mail.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="virus.exe")
    mail.add_attachment(b"\x89PNG tiny", maintype="image", subtype="png", filename="logo.png", cid="<logo>")
    box.deliver(bytes(mail))
    look_again(source)
    item = RawItem.objects.get()
    file = Attachment.objects.get()
    assert (file.media_type, file.raw_item_id) == ("image/png", item.id)
    assert "customer" not in file.name
    (left_out,) = item.context_envelope["metadata"]["mail"]["leftOut"]
    assert left_out.startswith("virus: The file is of a type that is not taken.")


def test_html_mail_becomes_words_without_what_is_quoted(workspace: Workspace, box: Box) -> None:
    source = look_again(connect_box(workspace, box))
    html = (
        "<html><head><style>p{color:red}</style></head><body><div style='display:none'>Preview</div>"
        "<p>The export&nbsp;fails:</p><ul><li>in PDF</li><li>in CSV</li></ul><p>--&nbsp;<br>Ada Long</p>"
        "<div>On Mon, 3 Mar 2025 at 10:00, Kim &lt;kim@harbour.example&gt; wrote:</div>"
        "<blockquote><p>What was it?</p></blockquote></body></html>"
    )
    box.deliver(bytes(letter("", html=html)))
    look_again(source)
    assert RawItem.objects.get().content["text"] == "The export fails:\n\n- in PDF\n- in CSV"


def test_an_address_in_a_mail_is_only_what_somebody_says(
    workspace: Workspace, box: Box, run_jobs: Callable[[], int]
) -> None:
    known = Principal.objects.create(workspace=workspace, email="ada@customer.example", display_name="Ada")
    source = look_again(connect_box(workspace, box, auth_server="mx.harbour.example"))
    forged = {
        "Authentication_Results": "mx.harbour.example; spf=fail; dkim=none; dmarc=fail header.from=customer.example"
    }
    box.deliver(bytes(letter("I am not Ada at all.", **forged)))
    proven = {"Authentication_Results": "mx.harbour.example; spf=pass; dkim=fail; dkim=pass; dmarc=pass"}
    box.deliver(bytes(letter("I am Ada, as you see.", From="Adelaide <ADA@customer.example>", **proven)))
    lying = {"Authentication_Results": "mx.elsewhere.example; dmarc=fail"}
    box.deliver(bytes(letter("Somebody else says so.", **lying)))
    look_again(source)
    run_jobs()
    said = {item.content["text"]: item for item in RawItem.objects.all()}
    assert said["I am not Ada at all."].principal is None
    assert said["I am not Ada at all."].author == {}
    assert said["I am Ada, as you see."].principal == known
    assert said["I am Ada, as you see."].context_envelope["metadata"]["mail"]["senderChecks"] == {
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
    }
    assert said["Somebody else says so."].principal == known
    known.refresh_from_db()
    assert known.display_name == "Ada"
    assert {mail.to for mail in KeptMail.objects.all()} <= {"ada@customer.example"}


# Answers


@pytest.fixture
def answered(workspace: Workspace, box: Box, run_jobs: Callable[[], int]) -> tuple[FeedbackSource, RawItem]:
    """A mail that came in, and that we have answered that it did."""
    source = look_again(connect_box(workspace, box, plus_addressing=True))
    box.deliver(bytes(letter("The export button does nothing.")))
    look_again(source)
    run_jobs()
    from tellback.effects.models import Effect
    from tellback.effects.services import deliver_due

    Effect.objects.update(due_at=timezone.now())
    deliver_due(workspace_id=workspace.id, now=timezone.now)
    return source, RawItem.objects.get()


def reply_to(mail: KeptMail, text: str = "It also happens on Fridays.", **headers: str) -> EmailMessage:
    references = f"{mail.headers['References']} {mail.headers['Message-ID']}"
    given = {"To": mail.headers["Reply-To"], "References": references, "In_Reply_To": mail.headers["Message-ID"]}
    return letter(
        f"{text}\n\nOn Mon, 3 Mar 2025 at 10:00, Harbour <{ADDRESS}> wrote:\n> We got your feedback\n> Thank you\n",
        Subject="Re: We got your feedback",
        **{**given, **headers},
    )


def test_an_answer_to_our_mail_lands_on_the_same_feedback(
    answered: tuple[FeedbackSource, RawItem], box: Box, client: Client, run_jobs: Callable[[], int]
) -> None:
    source, item = answered
    ours = KeptMail.objects.get()
    local = ours.headers["Reply-To"].partition("@")[0]
    assert local.startswith("feedback+")
    assert len(local) <= 64
    for text, headers in (
        ("It also happens on Fridays.", {}),
        ("Only the address knows.", {"References": "", "In_Reply_To": ""}),
        ("Only the references know.", {"To": ADDRESS}),
        ("A server that shouts.", {"To": ours.headers["Reply-To"].upper(), "References": "", "In_Reply_To": ""}),
    ):
        box.deliver(bytes(reply_to(ours, text, **headers)))
        look_again(source)
        run_jobs()
        more = RawItem.objects.order_by("-id")[0]
        assert more.content == {"text": text}
        assert more.context_envelope["followUpTo"] == item.public_id
        item.refresh_from_db()
        assert more.principal == item.principal
        assert text in client.get(f"/r/{item.receipt_token}").content.decode()
    assert KeptMail.objects.count() == 1
    assert outcomes(source)[1:] == ["follow_up"] * 4


def test_a_token_that_is_not_ours_makes_new_feedback(
    answered: tuple[FeedbackSource, RawItem], box: Box, other_workspace_id: UUID
) -> None:
    from tellback.effects.reply_tokens import make_token, read_token

    source, item = answered
    ours = KeptMail.objects.get()
    token = make_token(workspace_id=source.workspace_id, subject_id=item.id)
    assert read_token(token, workspace_id=source.workspace_id) == item.id
    assert read_token(token, workspace_id=other_workspace_id) is None
    flipped = token[:-2] + ("b" if token[-2] != "b" else "c") + token[-1]
    elsewhere = make_token(workspace_id=other_workspace_id, subject_id=item.id)
    for forged in (flipped, elsewhere, "a" * 42, token[:41]):
        mail = reply_to(
            ours, f"Forged {forged}", To=f"feedback+{forged}@harbour.example", References="", In_Reply_To=""
        )
        box.deliver(bytes(mail))
    look_again(source)
    assert outcomes(source)[1:] == ["accepted"] * 4
    assert not RawItem.objects.filter(context_envelope__has_key="followUpTo").exists()


def test_what_somebody_else_answers_is_theirs_and_is_not_on_the_authors_receipt(
    answered: tuple[FeedbackSource, RawItem],
    box: Box,
    client: Client,
    as_role: Callable[[str], Client],
    run_jobs: Callable[[], int],
) -> None:
    source, item = answered
    box.deliver(bytes(reply_to(KeptMail.objects.get(), "I am a colleague.", From="Bo <bo@customer.example>")))
    look_again(source)
    run_jobs()
    more = RawItem.objects.get(context_envelope__followUpTo=item.public_id)
    assert more.principal is not None
    assert more.principal.email == "bo@customer.example"
    assert "I am a colleague." not in client.get(f"/r/{item.receipt_token}").content.decode()
    team = as_role("contributor")
    assert "I am a colleague." in team.get(f"/admin/feedback/stream/{item.id}").content.decode()
    assert item.content["text"] in team.get(f"/admin/feedback/stream/{more.id}").content.decode()


def test_the_teams_answer_can_be_answered_and_a_voters_mail_leads_to_nobody_elses_feedback(
    answered: tuple[FeedbackSource, RawItem], box: Box, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    from tellback.effects.models import Effect
    from tellback.triage.models import Feedback, FeedbackStatus
    from tellback.triage.services import change_status
    from tellback.triage.votes import vote
    from tellback.triage.workflow import respond

    source, item = answered
    feedback, now = Feedback.objects.get(raw_item=item), timezone.now()
    bo = Principal.objects.create(workspace=workspace, display_name="Bo", email="bo@customer.example")
    vote(feedback=feedback, principal=bo)
    respond(feedback=feedback, answer="Which button is it?", actor=None, now=now)
    change_status(feedback=feedback, status=FeedbackStatus.PLANNED, actor=None, note="", now=now)
    run_jobs()
    mails = Effect.objects.filter(kind="mail")
    told = {mail.payload["to"]: mail.payload["headers"] for mail in mails.filter(key__startswith="feedback_moved:")}
    assert "References" in told["ada@customer.example"]
    assert told["bo@customer.example"]["Reply-To"] == ADDRESS
    assert "References" not in told["bo@customer.example"]
    answer = mails.get(key__startswith="answered:").payload["headers"]
    box.deliver(bytes(letter("The blue one.", To=answer["Reply-To"], References=answer["References"])))
    look_again(source)
    assert RawItem.objects.get(context_envelope__followUpTo=item.public_id).content["text"] == "The blue one."


def test_a_second_mail_in_the_same_conversation_is_a_follow_up_for_its_sender_only(
    workspace: Workspace, box: Box, run_jobs: Callable[[], int]
) -> None:
    source = look_again(connect_box(workspace, box))
    first = letter("The export button does nothing.")
    box.deliver(bytes(first))
    box.deliver(bytes(letter("And it is slow.", In_Reply_To=first["Message-ID"])))
    box.deliver(bytes(letter("So say I.", In_Reply_To=first["Message-ID"], From="mallory@elsewhere.example")))
    look_again(source)
    assert outcomes(source) == ["accepted", "follow_up", "accepted"]


def test_an_answer_about_what_was_erased_is_new(
    answered: tuple[FeedbackSource, RawItem], box: Box, client: Client, run_jobs: Callable[[], int]
) -> None:
    source, item = answered
    mail = reply_to(KeptMail.objects.get(), "I have changed my mind.")
    assert client.post(f"/r/{item.receipt_token}", {"act": "take-back"}).status_code == 302
    run_jobs()
    box.deliver(bytes(mail))
    look_again(source)
    assert outcomes(source)[-1] == "accepted"


# Providers

RAW = bytes(letter("The export button does nothing.", Message_ID="<one@customer.example>")).decode()
KEY, PASSWORD_OF_OURS = "a signing key of the provider", make_hook_password()
BASIC: dict[str, Any] = {
    "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"tellback:{PASSWORD_OF_OURS}".encode()).decode()
}
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def as_json(payload: Any, **headers: str) -> dict[str, Any]:
    return {"data": json.dumps(payload), "content_type": "application/json", **headers}


def signed_hex(body: str, *, key: str = KEY) -> str:
    return hmac.new(key.encode(), body.encode(), "sha256").hexdigest()


def postmark() -> dict[str, Any]:
    return as_json(
        {"MessageID": "p-1", "RawEmail": RAW, "Headers": [{"Name": "Return-Path", "Value": "<ada@x.example>"}]}, **BASIC
    )


def postmark_in_parts() -> dict[str, Any]:
    return as_json(
        {
            "MessageID": "p-2",
            "FromFull": {"Email": "ada@customer.example", "Name": "Ada Long"},
            "ToFull": [{"Email": ADDRESS, "Name": ""}],
            "Subject": "Export",
            "TextBody": "The export button does nothing.",
            "Headers": [{"Name": "Message-ID", "Value": "<one@customer.example>"}],
            "Attachments": [],
        },
        **BASIC,
    )


def mailgun(*, age: int = 0, token: str = "t" * 50) -> dict[str, Any]:
    stated = str(int(time.time()) - age)
    fields = {"timestamp": stated, "token": token, "signature": signed_hex(stated + token), "body-mime": RAW}
    return {"data": {**fields, "sender": "ada@customer.example", "recipient": ADDRESS}}


def sendgrid() -> dict[str, Any]:
    return {
        "data": {"email": RAW, "envelope": json.dumps({"to": [ADDRESS], "from": "ada@x.example"}), "SPF": "pass"},
        **BASIC,
    }


def amazon_ses() -> dict[str, Any]:
    told = {"notificationType": "Received", "mail": {"messageId": "s-1", "source": "ada@x.example"}, "content": RAW}
    told["receipt"] = {
        "action": {"type": "SNS", "encoding": "UTF8"},
        "spfVerdict": {"status": "PASS"},
        "recipients": [ADDRESS],
    }
    sns = {
        "Type": "Notification",
        "MessageId": "n-1",
        "Message": json.dumps(told),
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
    }
    about = {"HTTP_X_AMZ_SNS_MESSAGE_TYPE": "Notification", "HTTP_X_AMZ_SNS_MESSAGE_ID": "n-1"}
    return as_json(sns, **about, **BASIC)


def brevo() -> dict[str, Any]:
    headers = {
        "From": "Ada Long <ada@customer.example>",
        "To": ADDRESS,
        "Subject": "Export",
        "Message-ID": "<one@customer.example>",
    }
    return as_json(
        {"items": [{"Uuid": ["b-1"], "Headers": headers, "RawTextBody": "The export button does nothing."}]}, **BASIC
    )


def mailersend() -> dict[str, Any]:
    sent = as_json({"type": "inbound.message", "data": {"id": "ms-1", "raw": RAW, "spf_check": {"code": "+"}}})
    return {**sent, "HTTP_SIGNATURE": signed_hex(sent["data"])}


def mailjet() -> dict[str, Any]:
    headers = {
        "From": "Ada Long <ada@customer.example>",
        "To": ADDRESS,
        "Subject": "Export",
        "Message-ID": "<one@customer.example>",
    }
    return as_json(
        {
            "Sender": "ada@x.example",
            "Recipient": ADDRESS,
            "Headers": headers,
            "Parts": [],
            "Text-part": "The export button does nothing.",
        },
        **BASIC,
    )


def mandrill() -> dict[str, Any]:
    event = {
        "event": "inbound",
        "ts": int(time.time()),
        "msg": {"raw_msg": RAW, "email": ADDRESS, "spf": {"result": "pass"}},
    }
    events = json.dumps([event])
    return {
        "data": {"mandrill_events": events},
        "sign": lambda url: base64.b64encode(
            hmac.new(KEY.encode(), f"{url}mandrill_events{events}".encode(), "sha1").digest()
        ).decode(),
    }


def postal() -> dict[str, Any]:
    sent = as_json(
        {
            "id": 1,
            "rcpt_to": ADDRESS,
            "mail_from": "ada@x.example",
            "message": base64.b64encode(RAW.encode()).decode(),
            "base64": True,
        }
    )
    signature = RSA.sign(sent["data"].encode(), padding.PKCS1v15(), hashes.SHA1())
    return {**sent, "HTTP_X_POSTAL_SIGNATURE": base64.b64encode(signature).decode()}


def sparkpost() -> dict[str, Any]:
    content = {"email_rfc822": RAW, "email_rfc822_is_base64": False}
    return as_json(
        [
            {
                "msys": {
                    "relay_message": {
                        "protocol": "smtp",
                        "content": content,
                        "msg_from": "ada@x.example",
                        "rcpt_to": ADDRESS,
                    }
                }
            }
        ],
        **BASIC,
    )


DELIVERIES: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, str]]] = {
    "postmark": (postmark, {}),
    "postmark ": (postmark_in_parts, {}),
    "mailgun": (mailgun, {"webhook_signing_key": KEY}),
    "sendgrid": (sendgrid, {}),
    "amazon-ses": (amazon_ses, {}),
    "brevo": (brevo, {"api_key": "k"}),
    "mailersend": (mailersend, {"inbound_secret": KEY}),
    "mailjet": (mailjet, {}),
    "mandrill": (mandrill, {"webhook_key": KEY}),
    "postal": (postal, {"webhook_key": public(RSA)}),
    "sparkpost": (sparkpost, {}),
}


def connect_provider(workspace: Workspace, provider: str, secrets: dict[str, str]) -> tuple[FeedbackSource, str]:
    given = {"user": "tellback", "password": PASSWORD_OF_OURS, **secrets}
    setup = MailSetup(provider=provider, address=ADDRESS)
    source = connect_mail(workspace=workspace, setup=setup, secrets=given, actor=None)
    assert source.integration_id is not None
    return source, hook_path(provider=provider, integration_id=source.integration_id)


def post(client: Client, path: str, sent: dict[str, Any], settings: Settings) -> Any:
    sent = dict(sent)
    sign = sent.pop("sign", None)
    if sign:
        sent["HTTP_X_MANDRILL_SIGNATURE"] = sign(settings.BASE_URL + path)
    return client.post(path, **sent)


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_providers_delivery_is_taken_in_once_and_only_with_its_proof(
    workspace: Workspace, client: Client, settings: Settings, name: str
) -> None:
    make, secrets = DELIVERIES[name]
    source, path = connect_provider(workspace, name.strip(), secrets)
    sent = make()
    bare = {
        field: value
        for field, value in sent.items()
        if field not in {"sign", "HTTP_AUTHORIZATION", "HTTP_SIGNATURE", "HTTP_X_POSTAL_SIGNATURE"}
    }
    if name == "mailgun":
        bare["data"] = {**sent["data"], "signature": "0" * 64}
    assert client.head(path).status_code == 200
    refused = client.post(path, **bare)
    assert (refused.status_code, refused.content) == (401, b"")
    source.refresh_from_db()
    assert "password or signature" in str(source.last_error)
    assert RawItem.objects.count() == 0
    for _ in range(2):
        assert post(client, path, sent, settings).status_code == 200
    item = RawItem.objects.get()
    assert item.content == {"text": "The export button does nothing.", "subject": "Export"}
    assert item.author == {"email": "ada@customer.example", "name": "Ada Long"}
    source.refresh_from_db()
    assert source.last_error is None
    assert outcomes(source) == ["accepted"]
    switch_mail(source=source, on=False, actor=None)
    assert post(client, path, sent, settings).status_code == 404


def test_a_body_that_was_changed_is_refused(workspace: Workspace, client: Client, settings: Settings) -> None:
    for name, field in (("mailersend", "HTTP_SIGNATURE"), ("postal", "HTTP_X_POSTAL_SIGNATURE")):
        make, secrets = DELIVERIES[name]
        _, path = connect_provider(workspace, name, secrets)
        sent = make()
        assert field in sent
        assert (
            post(client, path, {**sent, "data": sent["data"].replace("export", "import") + " "}, settings).status_code
            == 401
        )


def test_nothing_is_taken_where_a_secret_is_missing(workspace: Workspace, client: Client, settings: Settings) -> None:
    for name, (make, secrets) in DELIVERIES.items():
        source, path = connect_provider(workspace, name.strip(), {**dict.fromkeys(secrets, ""), "password": ""})
        assert post(client, path, make(), settings).status_code == 401, name
        empty = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"tellback:").decode()}
        assert post(client, path, {**make(), **empty}, settings).status_code == 401, name
        assert not RawItem.objects.filter(source=source).exists()


def test_a_connection_that_is_not_there_is_not_there(workspace: Workspace, client: Client) -> None:
    source, path = connect_provider(workspace, "postmark", {})
    assert source.integration is not None
    other = path.replace("postmark", "mailgun")
    for wrong in (
        other,
        "/hooks/postmark/nonsense",
        f"/hooks/postmark/{source.id}",
        path.replace("postmark", "x"),
        "/hooks/imap/" + path.rpartition("/")[2],
    ):
        answer = client.post(wrong, **postmark())
        assert (answer.status_code, answer.content) == (404, b""), wrong
    assert client.get(path).status_code == 405


def test_a_delivery_picks_its_workspace_by_the_address_alone(
    workspace: Workspace, other_workspace_id: UUID, client: Client
) -> None:
    with in_workspace(other_workspace_id):
        _, path = connect_provider(Workspace.objects.get(), "postmark", {})
    assert client.post(path, **postmark()).status_code == 200
    assert RawItem.objects.count() == 0
    with in_workspace(other_workspace_id):
        assert RawItem.objects.count() == 1


def test_mailguns_signature_counts_once_whatever_it_comes_with_and_not_for_ever(
    workspace: Workspace, client: Client
) -> None:
    _, path = connect_provider(workspace, "mailgun", {"webhook_signing_key": KEY})
    first = mailgun()
    assert client.post(path, **first).status_code == 200
    other = bytes(letter("Something that nobody signed")).decode()
    assert client.post(path, {**first["data"], "body-mime": other}).status_code == 200
    assert RawItem.objects.count() == 1
    assert client.post(path, **mailgun(age=13 * 3600, token="u" * 50)).status_code == 401
    assert client.post(path, {**mailgun()["data"], "timestamp": "now"}).status_code == 401


def test_sendgrids_signature_is_asked_for_where_its_key_is_known(workspace: Workspace, client: Client) -> None:
    _, path = connect_provider(workspace, "sendgrid", {"verification_key": public(EC)})
    body = json.dumps({"not": "a form"})
    stated = str(int(time.time()))

    def signed(sent_at: str, content: str) -> dict[str, Any]:
        signature = EC.sign(sent_at.encode() + content.encode(), ec.ECDSA(hashes.SHA256()))
        return {
            "HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_SIGNATURE": base64.b64encode(signature).decode(),
            "HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_TIMESTAMP": sent_at,
            "content_type": "application/json",
            "data": body,
            **BASIC,
        }

    assert client.post(path, **sendgrid()).status_code == 401
    assert client.post(path, **signed(stated, body)).status_code == 200
    assert client.post(path, **signed(stated, body + " ")).status_code == 401
    assert client.post(path, **signed(str(int(time.time()) - 400), body)).status_code == 401


def test_resends_signature_is_that_of_standard_webhooks(
    workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anymail.inbound import AnymailInboundMessage
    from anymail.webhooks.resend import ResendInboundWebhookView

    fetched = AnymailInboundMessage.parse_raw_mime(RAW)
    monkeypatch.setattr(ResendInboundWebhookView, "_fetch_inbound_email", lambda _view, _id: fetched)
    secret = base64.b64encode(b"s" * 24).decode()
    _, path = connect_provider(workspace, "resend", {"signing_secret": f"whsec_{secret}", "api_key": "k"})
    body = json.dumps({"type": "email.received", "created_at": "2026-11-21T08:00:00Z", "data": {"email_id": "e"}})

    def status(*, stated: int, content: str = body, extra: str = "") -> int:
        told = f"msg_1.{stated}.{body}".encode()
        signature = base64.b64encode(hmac.digest(b"s" * 24, told, hashlib.sha256)).decode()
        return client.post(
            path,
            data=content,
            content_type="application/json",
            HTTP_SVIX_ID="msg_1",
            HTTP_SVIX_TIMESTAMP=str(stated),
            HTTP_SVIX_SIGNATURE=f"{extra}v1,{signature}",
        ).status_code

    now = int(time.time())
    assert status(stated=now, content=body + " ") == 401
    assert status(stated=now - 400) == 401
    assert status(stated=now, extra="v1,é v1a,x ") == 200
    assert RawItem.objects.get().content["text"] == "The export button does nothing."


def test_amazons_subscription_is_confirmed_at_amazon_only(
    workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    asked: list[str] = []

    def get(address: str, **_named: Any) -> httpx.Response:
        asked.append(address)
        return httpx.Response(200, request=httpx.Request("GET", address))

    monkeypatch.setattr("tellback.connections.mail.providers.httpx.get", get)
    _, path = connect_provider(workspace, "amazon-ses", {})

    def confirm(address: str, **headers: str) -> int:
        sns = {
            "Type": "SubscriptionConfirmation",
            "MessageId": "n-2",
            "SubscribeURL": address,
            "TopicArn": "t",
            "Token": "x",
        }
        about = {"HTTP_X_AMZ_SNS_MESSAGE_TYPE": sns["Type"], "HTTP_X_AMZ_SNS_MESSAGE_ID": "n-2"}
        answer = client.post(path, **as_json(sns, **about, **headers))
        assert answer.status_code != 401 or "WWW-Authenticate" in answer
        return answer.status_code

    real = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x"
    assert confirm(real) == 401
    for wrong in ("https://sns.eu-west-1.amazonaws.com.evil.example/", "http://127.0.0.1/", ""):
        confirm(wrong, **BASIC)
    assert asked == []
    assert confirm(real, **BASIC) == 200
    assert asked == [real]


def test_a_form_with_a_whole_mail_in_a_field_is_taken_and_one_without_measure_is_not(
    workspace: Workspace, client: Client
) -> None:
    source, path = connect_provider(workspace, "sendgrid", {})
    mail = letter("See the file.")
    mail.add_attachment(b"\x00\r\n--x\r\n" * 500_000, maintype="video", subtype="mp4", filename="film.mp4")
    raw = bytes(mail).decode()
    assert len(raw) > 2_621_440
    assert client.post(path, {"email": raw}, **BASIC).status_code == 200
    assert RawItem.objects.get().content["text"] == "See the file."
    huge = client.post(path, data=b"x" * 10, content_type="text/plain", CONTENT_LENGTH="99999999", **BASIC)
    assert huge.status_code == 413
    assert outcomes(source) == ["accepted"]


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{", '{"RawEmail": 7}', '{"Headers": null}', "\udcff", '{"a":' * 9_000]
)
def test_what_a_provider_could_not_have_meant_is_counted_and_not_sent_again(
    workspace: Workspace, client: Client, body: str
) -> None:
    source, path = connect_provider(workspace, "postmark", {})
    raw = body.encode("utf-8", "surrogateescape")
    for _ in range(2):
        assert client.post(path, data=raw, content_type="application/json", **BASIC).status_code == 200
    assert outcomes(source) in (["unreadable"], ["ignored empty"])


def test_the_secrets_of_a_connection_are_sealed_and_open_nowhere_else(workspace: Workspace) -> None:
    one, two = (
        connect_provider(workspace, "mailgun", {"webhook_signing_key": key})[0].integration for key in (KEY, "other")
    )
    assert one is not None
    assert two is not None
    assert KEY not in str(one.secrets) + json.dumps(one.config)
    assert open_secrets(one)["webhook_signing_key"] == KEY
    two.secrets = one.secrets
    with pytest.raises(Unavailable):
        open_secrets(two)


def test_what_was_noted_about_old_mail_is_forgotten_and_it_still_counts_once(workspace: Workspace, box: Box) -> None:
    from datetime import timedelta

    from tellback.intake.mail.polling import forget_old

    source = look_again(connect_box(workspace, box))
    box.deliver(bytes(letter()))
    look_again(source)
    assert forget_old(now=timezone.now()) == 0
    assert forget_old(now=timezone.now() + timedelta(days=91)) == 1
    box.forget_uids()
    look_again(source)
    assert RawItem.objects.count() == 1
    assert ReceivedMail.objects.get().outcome == MailOutcome.ACCEPTED
