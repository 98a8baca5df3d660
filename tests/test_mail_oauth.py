"""A mailbox is signed in to with OAuth 2: tokens are fetched when needed, kept sealed, and what is wrong is told."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.connections.mail.setup import Mailbox, MailSetup, OAuth, open_secrets
from tellback.connections.models import Integration
from tellback.intake.mail.polling import poll
from tellback.intake.mail.setting_up import connect_mail
from tellback.intake.models import FeedbackSource, RawItem
from tellback.workspaces.models import Workspace
from tests.harness.imap import USER, Box, mailbox

SECRETS = {"client_secret": "the-client's-secret", "refresh_token": "refresh-0"}


@dataclass
class Giver:
    """Who gives tokens: what it was asked, and what it answers. Each token is the mailbox's until the next one."""

    box: Box
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b""
    lasts: int = 3600
    url: str = ""

    def give(self, asked: dict[str, str]) -> bytes:
        self.asked.append(asked)
        self.box.token = f"access-{len(self.asked)}"
        given = {"access_token": self.box.token, "expires_in": self.lasts, "token_type": "Bearer"}
        if asked["grant_type"] == "refresh_token":
            given["refresh_token"] = f"refresh-{len(self.asked)}"
        return self.answer or json.dumps(given).encode()


@pytest.fixture
def giver(settings: Settings) -> Iterator[Giver]:
    settings.OUTBOUND_ALLOWED = ["127.0.0.0/8"]
    with mailbox() as box:
        box.token = "nobody's"
        giver = Giver(box)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                content = giver.give({name: values[0] for name, values in parse_qs(body).items()})
                self.send_response(giver.status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                return

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            giver.url = f"http://127.0.0.1:{server.server_address[1]}/token"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            yield giver
            server.shutdown()
            thread.join()


def connect(workspace: Workspace, giver: Giver, secrets: dict[str, str]) -> FeedbackSource:
    oauth = OAuth(token_url=giver.url, client_id="client-7", scope="imap")
    box = Mailbox(
        host="127.0.0.1", port=giver.box.port, security="none", username=USER, take_existing=True, oauth=oauth
    )
    return connect_mail(
        workspace=workspace, setup=MailSetup(provider="imap", address=USER, mailbox=box), secrets=secrets, actor=None
    )


def look(source: FeedbackSource, *, later: timedelta = timedelta()) -> FeedbackSource:
    poll(workspace_id=source.workspace_id, source_id=source.id, now=lambda: timezone.now() + later)
    source.refresh_from_db()
    return source


def integration_of(source: FeedbackSource) -> Integration:
    assert source.integration_id
    return Integration.objects.get(pk=source.integration_id)


def secrets_of(source: FeedbackSource) -> dict[str, str]:
    return open_secrets(integration_of(source))


def deliver(giver: Giver, words: str) -> None:
    giver.box.deliver(f"From: ada@customer.example\r\nMessage-ID: <{words}@x.example>\r\n\r\n{words}".encode())


def test_a_token_is_fetched_once_kept_sealed_and_fetched_anew_when_it_ends(workspace: Workspace, giver: Giver) -> None:
    source = connect(workspace, giver, SECRETS)
    for words, later in (("one", 0), ("two", 0), ("three", 2)):
        deliver(giver, words)
        assert look(source, later=timedelta(hours=later)).last_error is None
    assert RawItem.objects.count() == 3
    first, second = giver.asked
    assert first == {"grant_type": "refresh_token", "client_id": "client-7", "scope": "imap", **SECRETS}
    assert second["refresh_token"] == "refresh-1"
    assert secrets_of(source)["refresh_token"] == "refresh-2"
    stored = integration_of(source)
    assert not any(word in f"{stored.secrets} {stored.config}" for word in ("refresh-", "access-", "the-client"))


def test_a_client_signs_in_for_itself_where_nobody_gave_a_refresh_token(workspace: Workspace, giver: Giver) -> None:
    source = connect(workspace, giver, {"client_secret": "s"})
    deliver(giver, "one")
    assert look(source).last_error is None
    assert RawItem.objects.count() == 1
    assert giver.asked == [
        {"grant_type": "client_credentials", "client_id": "client-7", "scope": "imap", "client_secret": "s"}
    ]


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, b'{"error": "invalid_grant", "error_description": "refresh-0"}', "takes this refresh token no longer"),
        (401, b'{"error": "invalid_client"}', "does not know this client id and secret"),
        (400, b"<html>refresh-0", "gives no access token (HTTP 400)"),
        (302, b"", "gives no access token (HTTP 302)"),
        (200, b'{"access_token": ""}', "gives no access token (HTTP 200)"),
        (200, b"[" * 60_000, "gives no access token (HTTP 200)"),
        (503, b"", "for now (HTTP 503)"),
        (200, b" " * 100_000, "longer than"),
    ],
)
def test_what_is_wrong_with_a_token_is_told_without_telling_it(
    workspace: Workspace, giver: Giver, status: int, answer: bytes, said: str
) -> None:
    giver.status, giver.answer = status, answer
    source = look(connect(workspace, giver, SECRETS))
    assert said in str(source.last_error)
    assert "refresh-0" not in str(source.last_error)
    assert secrets_of(source) == SECRETS


def test_a_token_that_the_mailbox_refuses_is_let_go(workspace: Workspace, giver: Giver) -> None:
    source = look(connect(workspace, giver, SECRETS))
    giver.box.token = "taken back"
    assert "does not accept the access token" in str(look(source).last_error)
    assert "access_token" not in secrets_of(source)
    assert look(source).last_error is None


def test_tokens_are_asked_for_only_where_the_operator_allows(
    workspace: Workspace, giver: Giver, settings: Settings
) -> None:
    source = connect(workspace, giver, SECRETS)
    settings.OUTBOUND_ALLOWED = []
    assert look(source).last_error
    assert giver.asked == []


def test_it_is_set_up_on_the_page(as_role: Callable[[str], Client], giver: Giver) -> None:
    owner_client = as_role("owner")
    form = {"address": USER, "host": "127.0.0.1", "port": giver.box.port, "security": "none", "folder": "INBOX"}
    address = "/admin/settings/connections/new/imap"
    refused = owner_client.post(address, {**form, "client_id": "client-7"})
    assert refused.status_code == 422
    assert "Enter a client secret" in refused.text
    given = {**form, "client_id": "client-7", "token_url": giver.url, "scope": "imap", **SECRETS}
    assert owner_client.post(address, {**given, "try": "yes"}).status_code == 200
    assert FeedbackSource.objects.filter(source_type="email").count() == 0
    connected = owner_client.post(address, given)
    assert connected.status_code == 302
    source = FeedbackSource.objects.get(source_type="email")
    page = owner_client.get(connected.headers["Location"])
    assert "client-7" in page.text
    assert not any(word in page.text for word in ("the-client", "refresh-", "access-"))
    kept = {**given, "client_secret": "", "refresh_token": "", "folder": "INBOX"}
    assert owner_client.post(connected.headers["Location"], kept).status_code == 302
    assert secrets_of(source)["client_secret"] == SECRETS["client_secret"]
