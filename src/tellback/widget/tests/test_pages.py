"""The widget's settings, and the sample's website."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from tellback.loop.models import ChangelogEntry, Notification
from tellback.widget.options import read_options
from tellback.widget.sample import NAME, close_site, open_site
from tellback.workspaces.models import (
    ApiKey,
    AuditEntry,
    ExternalIdentity,
    KeyKind,
    Principal,
    WidgetSigningKey,
    Workspace,
)
from tellback.workspaces.services import issue_key

LOOK = {
    "accent": "#aa0055",
    "theme": "dark",
    "position": "start",
    "offset_x": "12",
    "offset_y": "80",
    "label": "Talk to us",
    "language": "ar",
    "kinds": ["praise", "bug"],
    "screenshot": "on",
    "launcher": "on",
}


def test_the_line_for_the_page_carries_the_key(as_role: Callable[[str], Client], workspace: Workspace) -> None:
    key = issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="Site").secret
    page = as_role("admin").get("/admin/settings/widget").content.decode()
    assert f"/widget.js?key={key}&quot;&gt;&lt;/script&gt;" in page
    ApiKey.objects.update(public_key="")
    assert key not in as_role("admin").get("/admin/settings/widget").content.decode()


def test_the_secret_of_an_api_key_is_not_kept(workspace: Workspace) -> None:
    secret = issue_key(workspace=workspace, kind=KeyKind.SECRET, name="Server").secret
    assert secret not in str(list(ApiKey.objects.values()))


def test_what_is_saved_is_what_the_widget_is_told(as_role: Callable[[str], Client], workspace: Workspace) -> None:
    client = as_role("admin")
    assert client.post("/admin/settings/widget", LOOK).status_code == 302
    workspace.refresh_from_db()
    options = read_options(workspace.settings["widget"])
    assert (options.accent, options.position, options.offset_y, options.kinds, options.rating, options.language) == (
        "#aa0055", "start", 80, ["bug", "praise"], False, "ar",
    )  # fmt: skip
    assert "Talk to us" in client.get("/admin/settings/widget").content.decode()


@pytest.mark.parametrize(
    "change",
    [{"accent": "red"}, {"accent": "#fff;}"}, {"kinds": []}, {"kinds": ["x"]}, {"offset_x": "-1"}, {"label": "x" * 25}],
)
def test_a_look_that_cannot_be_is_refused(
    as_role: Callable[[str], Client], workspace: Workspace, change: dict[str, object]
) -> None:
    answer = as_role("admin").post("/admin/settings/widget", {**LOOK, **change})
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    workspace.refresh_from_db()
    assert "widget" not in workspace.settings


def test_sites_are_saved_as_browsers_name_them_or_refused(
    as_role: Callable[[str], Client], workspace: Workspace
) -> None:
    issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="Site")
    api_key, client = ApiKey.objects.get(), as_role("admin")
    address = f"/admin/settings/widget/keys/{api_key.id}/sites"
    assert client.post(address, {"origins": "HTTPS://App.Example.com/\nhttps://*.example.org"}).status_code == 302
    api_key.refresh_from_db()
    assert api_key.origins == ["https://app.example.com", "https://*.example.org"]
    wrong = client.post(address, {"origins": "app.example.com"})
    assert wrong.status_code == 422
    assert "is not a site" in wrong.content.decode()
    assert client.post("/admin/settings/widget/keys", {"name": "Help centre"}).status_code == 302
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"key.sites", "key.created"}


def test_a_signing_secret_is_shown_once_and_ends_when_revoked(as_role: Callable[[str], Client]) -> None:
    client = as_role("admin")
    address = "/admin/settings/widget/signing-keys"
    made = client.post(address, {"name": "Website", "algorithm": "HS256"})
    found = re.search(r"<pre>([\w-]{43})</pre>", made.content.decode())
    assert made.status_code == 201
    assert found
    key = WidgetSigningKey.objects.get()
    page = client.get("/admin/settings/widget").content.decode()
    assert found[1] not in page + key.material
    assert key.public_id in page
    assert client.post(address, {"name": "Next", "algorithm": "HS256"}).status_code == 201
    third = client.post(address, {"name": "Third", "algorithm": "HS256"})
    assert third.status_code == 422
    assert client.post(f"{address}/{key.id}/revoke").status_code == 302
    assert WidgetSigningKey.objects.get(revoked_at=None).name == "Next"
    wrong = client.post(address, {"name": "PEM", "algorithm": "EdDSA", "public_key": "hello"})
    assert wrong.status_code == 422
    assert "Ed25519 public key" in wrong.content.decode()


def test_the_preview_shows_what_the_form_says_and_only_to_us(as_role: Callable[[str], Client]) -> None:
    answer = as_role("admin").get("/admin/settings/widget/preview", LOOK)
    assert "frame-ancestors &#x27;self&#x27;" not in answer.content.decode()
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert "#aa0055" in answer.content.decode()
    assert "#aa0055" not in as_role("admin").get("/admin/settings/widget/preview").content.decode()


def test_the_samples_website_is_there_only_with_the_sample(client: Client, workspace: Workspace) -> None:
    assert client.get("/demo/widget").status_code == 404
    person = Principal.objects.create(workspace=workspace, email="ada@example.com", display_name="Ada")
    ExternalIdentity.objects.create(
        workspace=workspace, source_type="api", external_user_id="tidemark:ada", principal=person
    )
    for _ in range(2):
        open_site(workspace=workspace, origin="http://127.0.0.1:8000", now=timezone.now())
    key = ApiKey.objects.get(name=NAME)
    page = client.get("/demo/widget").content.decode()
    assert f"/widget.js?key={key.public_key}" in page
    assert re.search(r'data-token="ey[\w.-]+"', page)
    assert 'data-token=""' in client.get("/demo/widget?as=nobody").content.decode()
    assert Notification.objects.get().principal == person
    assert "Start a job from a checklist" in client.get("/changelog").content.decode()
    close_site()
    assert client.get("/demo/widget").status_code == 404
    assert not WidgetSigningKey.objects.exists()
    assert not ChangelogEntry.objects.exists()
    assert not Notification.objects.exists()
    assert Principal.objects.filter(pk=person.pk).exists()


def test_the_samples_website_never_signs_for_anybody_else(client: Client, workspace: Workspace) -> None:
    Principal.objects.create(workspace=workspace, email="owner@example.com", display_name="Owner")
    open_site(workspace=workspace, origin="http://127.0.0.1:8000", now=timezone.now())
    page = client.get("/demo/widget?as=owner").content.decode()
    assert 'data-token=""' in page
    assert "Owner" not in page
