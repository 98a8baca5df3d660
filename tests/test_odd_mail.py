"""Odd mail costs itself at most, and what people write becomes no header of anything (trust.md, INP-06 and INP-09)."""

import json
from collections.abc import Callable
from email import message_from_bytes, message_from_string
from email.policy import default
from io import BytesIO
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.effects.mail import Mail, send_mail
from tellback.intake.models import RawItem
from tellback.intake.pages.sending import send_file
from tellback.workspaces.models import Workspace
from tests.test_mail_in import connect_provider, outcomes, postmark_in_parts

ODD = {
    "NUL": "a\x00b",
    "half a character": "a\ud800b",
    "turned around": "\u202egnp.exe",
    "nothing to be seen": "\u200b\ufeff",
    "two forms": "e\u0301 \u00e9",
    "no characters": "\uffff\ufdd0",
    "another header": "x\r\nBcc: all@evil.example\r\n\r\nBody",
    "a bare line feed": "x\nBcc: all@evil.example",
    "other line ends": "x\x0bBcc: a\x85Bcc: b\u2028Bcc: c",
    "an encoded word": "=?utf-8?q?x=0D=0ABcc:_all=40evil.example?=",
    "a long word": "a" * 300_000,
}
PLACES: list[tuple[Any, ...]] = [
    ("Subject",), ("TextBody",), ("FromFull", "Name"), ("FromFull", "Email"), ("ToFull", 0, "Name"), ("MessageID",),
    ("Headers", 0, "Value"), ("Headers", 0, "Name"), ("Attachments", 0, "Name"), ("Attachments", 0, "ContentType"),
]  # fmt: skip


def with_odd(place: tuple[Any, ...], text: str) -> dict[str, Any]:
    """A delivery with this text at this place, in JSON, which can say half a character."""
    sent = postmark_in_parts()
    body = json.loads(sent["data"])
    body["Attachments"] = [{"Name": "n.txt", "Content": "aGVsbG8=", "ContentType": "text/plain", "ContentLength": 5}]
    inner = body
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = text
    return {**sent, "data": json.dumps(body)}


@pytest.mark.parametrize("place", PLACES, ids=[" ".join(map(str, place)) for place in PLACES])
def test_no_odd_text_in_a_mail_is_an_error_of_ours(
    workspace: Workspace, client: Client, place: tuple[Any, ...]
) -> None:
    source, path = connect_provider(workspace, "postmark", {})
    client.raise_request_exception = False
    for kind, text in ODD.items():
        assert client.post(path, **with_odd(place, text)).status_code in {200, 413}, kind
    assert client.post(path, **with_odd(("Subject",), "An ordinary one")).status_code == 200
    assert "accepted" in outcomes(source), "the control: what is ordinary is taken"
    for item in RawItem.objects.all():
        assert "\x00" not in str(item.content)


def test_what_people_write_becomes_no_header_of_our_mail(
    workspace: Workspace, settings: Settings, run_jobs: Callable[[], int]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    now = timezone.now()
    for kind, text in ODD.items():
        if kind in {"NUL", "half a character"}:
            continue
        letter = Mail(to="ada@example.com", subject=text[:500], text=text, html=f"<p>{text}</p>")
        send_mail(workspace_id=workspace.id, key=kind, mail=letter, due_at=now, now=now)
    run_jobs()
    assert len(outbox.outbox) == len(ODD) - 2
    for sent in outbox.outbox:
        read = message_from_bytes(sent.message().as_bytes(), policy=default)
        assert read["Bcc"] is None
        assert read["To"] == "ada@example.com"
        assert read.get_content_type() == "multipart/alternative"


def test_a_mail_of_ours_with_another_header_in_it_would_be_seen() -> None:
    """The control of the test above."""
    raw = b"Subject: x\r\nBcc: all@evil.example\r\n\r\nBody"
    assert message_from_bytes(raw, policy=default)["Bcc"] == "all@evil.example"


NAMES = {kind: text[:200] for kind, text in ODD.items() if kind != "half a character"}
NAMES |= {"a quote": '";x="y', "a backslash": "a\\b"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_files_name_is_one_part_of_one_header(name: str) -> None:
    answer = send_file(RequestFactory().get("/"), BytesIO(b"x"), name=f"{name}.csv", content_type="text/csv")
    assert answer.getvalue() == b"x"
    stated = answer.headers["Content-Disposition"]
    assert stated.isascii()
    assert not set(stated) & set("\r\n\x00\x0b\x85")
    read = message_from_string(f"Content-Disposition: {stated}\n\n", policy=default)
    assert read["Content-Disposition"].content_disposition == "attachment"
    assert set(read["Content-Disposition"].params) <= {"filename"}


def test_two_names_in_a_header_would_be_seen() -> None:
    """The control of the test above."""
    read = message_from_string('Content-Disposition: attachment; filename="";x="y.csv"\n\n', policy=default)
    assert set(read["Content-Disposition"].params) == {"filename", "x"}
