"""What pages with the widget ask for: its code, who somebody is, what shipped for them."""

import gzip
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tellback.loop.models import ChangelogEntry, Notification
from tellback.platform.tenancy import in_workspace
from tellback.widget import assets
from tellback.widget.options import WidgetOptions
from tellback.widget.selectors import forget_loader_options
from tellback.widget.services import save_options
from tellback.workspaces.models import KeyKind, Principal, WidgetKeyAlgorithm, Workspace
from tellback.workspaces.services import issue_key, revoke_key, set_origins
from tellback.workspaces.tests.test_widget_tokens import NOW, WRONG_CLAIMS, WRONG_TOKENS, Customer
from tellback.workspaces.widget_identity.keys import IssuedSigningKey, issue_signing_key
from tellback.workspaces.widget_identity.sessions import issue_session

SITE = "https://app.example.com"


@pytest.fixture
def key(workspace: Workspace) -> str:
    forget_loader_options()
    return issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="Site", origins=[SITE]).secret


@pytest.fixture
def signing(workspace: Workspace) -> IssuedSigningKey:
    return issue_signing_key(workspace=workspace, name="Server", algorithm=WidgetKeyAlgorithm.HS256)


def token_of(signing: IssuedSigningKey, **claims: Any) -> str:
    stated = {
        "sub": "u-1",
        "aud": signing.signing_key.workspace.public_id,
        "exp": timezone.now() + timedelta(minutes=5),
        "email": "ada@example.com",
        **claims,
    }
    assert signing.secret
    return jwt.encode(stated, signing.secret, algorithm="HS256", headers={"kid": signing.signing_key.public_id})


def identify(client: Client, key: str, body: object, origin: str = SITE) -> Any:
    return client.post(
        "/widget/identity", body, content_type="application/json", headers={"X-Widget-Key": key, "Origin": origin}
    )


def test_the_loader_carries_the_options_and_may_be_kept_for_minutes(
    client: Client, workspace: Workspace, key: str
) -> None:
    save_options(workspace=workspace, options=WidgetOptions(accent="#ff0000", kinds=["praise", "bug"], offset_y=90))
    answer = client.get("/widget.js", {"key": key})
    code = answer.content.decode()
    setup = json.loads(code[code.rindex('({"base"') + 1 : code.rindex(")")])
    assert setup["options"] == {"key": key, "accent": "#ff0000", "kinds": ["bug", "praise"], "offsetY": 90}
    assert setup["base"] == settings.BASE_URL
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert "max-age=300" in answer["Cache-Control"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = client.get("/widget.js", {"key": key}, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_loader_is_compressed_for_who_can_read_that(client: Client, key: str) -> None:
    plain = client.get("/widget.js", {"key": key})
    zipped = client.get("/widget.js", {"key": key}, headers={"Accept-Encoding": "br, gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped["Vary"]
    assert gzip.decompress(zipped.content) == plain.content


def test_without_a_key_the_loader_waits_and_with_a_wrong_one_it_says_so(
    client: Client, workspace: Workspace, key: str
) -> None:
    secret = issue_key(workspace=workspace, kind=KeyKind.SECRET, name="Server").secret
    assert '"options":{}}' in client.get("/widget.js").content.decode()
    for wrong in ("pk_nobody", secret, "\x00", "'"):
        answer = client.get("/widget.js", {"key": wrong})
        assert answer.status_code == 200
        assert "console.warn" in answer.content.decode()
        assert secret not in answer.content.decode()


def test_options_cannot_break_out_of_the_script(client: Client, workspace: Workspace, key: str) -> None:
    save_options(workspace=workspace, options=WidgetOptions(label='</script>"); \u2028 x'))
    code = client.get("/widget.js", {"key": key}).content.decode()
    assert '\\"); \\u2028 x' in code


def test_a_chunk_of_this_version_is_kept_for_ever_and_of_another_is_not(client: Client, db: None) -> None:
    mine = client.get(f"/widget/{assets.version()}/form.js")
    assert "immutable" in mine["Cache-Control"]
    other = client.get("/widget/000000000000/form.js")
    assert "immutable" not in other["Cache-Control"]
    assert other.content == mine.content
    assert client.get(f"/widget/{assets.version()}/loader.js").status_code == 404
    assert client.get(f"/widget/{assets.version()}/..%2fassets.js").status_code == 404


def test_a_signed_token_is_exchanged_for_a_session(
    client: Client, workspace: Workspace, key: str, signing: IssuedSigningKey
) -> None:
    answer = identify(client, key, {"token": token_of(signing, name="Ada", jti="n-1")})
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["name"] == "Ada"
    person = Principal.objects.get(email="ada@example.com")
    seen = client.get("/widget/notices", headers={"X-Widget-Key": key, "X-Widget-Session": answer.json()["session"]})
    assert (seen.status_code, seen.json()) == (200, {"notices": []})
    assert person.user is None
    again = identify(client, key, {"token": token_of(signing, jti="n-1")})
    assert (again.status_code, again.json()["code"]) == (401, "widget-token-reused")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "x"}, 401),
        ({"token": ""}, 401),
        ({"token": 5}, 422),
        ({"token": "x", "more": 1}, 422),
        ({}, 422),
        ([], 422),
        ("not JSON", 422),
        ({"token": "x" * 20_000}, 413),
        ("[" * 10_000, 422),
    ],
)
def test_what_is_no_token_is_refused_with_a_reason_that_the_page_can_read(
    client: Client, key: str, body: object, status: int
) -> None:
    answer = identify(client, key, body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert answer.json()["detail"]


def test_every_token_that_does_not_hold_is_refused_at_the_door_and_none_is_an_error(
    client: Client, workspace: Workspace, key: str
) -> None:
    """AUT-04, at the door itself: what `workspaces` refuses one by one."""
    client.raise_request_exception = False
    customer = Customer(workspace)
    forged = {name: make(customer) for name, make in WRONG_TOKENS}
    forged |= {name: customer.raw(payload=customer.claims(**changes)) for name, changes in WRONG_CLAIMS}
    with time_machine.travel(NOW, tick=False):
        for name, token in forged.items():
            answer = identify(client, key, json.dumps({"token": token}))
            assert answer.status_code in {401, 413}, name
            assert answer["Content-Type"] == "application/problem+json", name
        assert identify(client, key, {"token": customer.sign()}).status_code == 200, "the control"
    assert len(forged) > 60


def test_a_key_counts_only_on_its_sites(client: Client, workspace: Workspace, key: str) -> None:
    refused = identify(client, key, {"token": "x"}, origin="https://evil.example")
    assert (refused.status_code, refused.json()["code"]) == (403, "origin-not-allowed")
    assert "Settings, Widget" in refused.json()["detail"]
    api_key = workspace_key(workspace)
    set_origins(api_key=api_key, origins=["https://*.evil.example"])
    assert identify(client, key, {"token": "x"}, origin="https://not.evil.example").status_code == 401
    revoke_key(api_key=api_key, now=timezone.now())
    assert identify(client, key, {"token": "x"}).json()["code"] == "unauthenticated"


def workspace_key(workspace: Workspace) -> Any:
    from tellback.workspaces.models import ApiKey

    return ApiKey.objects.get(workspace=workspace, kind=KeyKind.WIDGET)


def test_browsers_may_ask_before_they_send(client: Client, db: None) -> None:
    answer = client.options("/widget/identity", headers={"Origin": SITE})
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert "x-widget-session" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert client.get("/widget/identity").status_code == 405


def told(person: Principal, title: str, number: int) -> Notification:
    entry = ChangelogEntry.objects.create(
        workspace=person.workspace, title=title, slug=f"entry-{number}", published_at=timezone.now()
    )
    return Notification.objects.create(
        workspace=person.workspace,
        principal=person,
        type="changelog_published",
        key=f"changelog:{entry.id}",
        title=f"Shipped: {title}",
        url=f"/changelog/entry-{number}",
    )


def test_what_shipped_is_shown_until_it_was_seen(client: Client, workspace: Workspace, key: str) -> None:
    person = Principal.objects.create(workspace=workspace, email="ada@example.com")
    stranger = Principal.objects.create(workspace=workspace, email="bea@example.com")
    first, _, _ = told(person, "Offline mode", 1), told(stranger, "Dark mode", 2), told(person, "Undo", 3)
    session = issue_session(workspace_id=workspace.id, principal_id=person.id)
    headers = {"X-Widget-Key": key, "X-Widget-Session": session, "Origin": SITE}
    answer = client.get("/widget/notices", headers=headers)
    notices = answer.json()["notices"]
    assert [notice["title"] for notice in notices] == ["Undo", "Offline mode"]
    assert notices[0]["url"] == f"{settings.BASE_URL}/changelog/entry-3"
    assert "private" in answer["Cache-Control"]
    again = client.get("/widget/notices", headers={**headers, "If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    seen = client.post("/widget/notices", {"through": first.public_id}, "application/json", headers=headers)
    assert seen.status_code == 204
    assert [one["title"] for one in client.get("/widget/notices", headers=headers).json()["notices"]] == ["Undo"]
    assert Notification.objects.get(principal=stranger).read_at is None


def test_nobody_sees_or_marks_what_somebody_else_was_told(
    client: Client, workspace: Workspace, key: str, other_workspace_id: UUID
) -> None:
    person = Principal.objects.create(workspace=workspace, email="ada@example.com")
    mine = told(person, "Offline mode", 1)
    other = Principal.objects.create(workspace=workspace, email="bea@example.com")
    theirs = issue_session(workspace_id=workspace.id, principal_id=other.id)
    strange = issue_session(workspace_id=other_workspace_id, principal_id=person.id)
    with in_workspace(other_workspace_id):
        other_key = issue_key(workspace=Workspace.objects.get(), kind=KeyKind.WIDGET, name="Theirs").secret
    for one_key, session, status in ((key, "", 401), (key, "x", 401), (key, strange, 401), (key, theirs, 200)):
        answer = client.get("/widget/notices", headers={"X-Widget-Key": one_key, "X-Widget-Session": session})
        assert answer.status_code == status
        assert "Offline" not in answer.content.decode()
    through = {"through": mine.public_id}
    for one_key, session in ((key, theirs), (other_key, strange)):
        headers = {"X-Widget-Key": one_key, "X-Widget-Session": session}
        client.post("/widget/notices", through, "application/json", headers=headers)
    mine.refresh_from_db()
    assert mine.read_at is None
