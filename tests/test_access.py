"""Who may open what: every address of the product as every role, and from another workspace.

An address that this table does not know fails, so that a new page is never open by accident.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tellback.intake.models import DeliveryMode, FeedbackSource, RawItem
from tellback.platform.tenancy import in_workspace
from tellback.themes.models import Theme
from tellback.workspaces.access import RANK
from tellback.workspaces.models import Principal, Role

PUBLIC, CUSTOMER, TEAM, ADMIN = "public", "user", "contributor", "admin"

#: The least role that each named address asks for.
TABLE = {
    PUBLIC: """boards board new-post post vote comment roadmap changelog changelog-entry receipt unsubscribe enter
        signed-file sign-in account_login account_request_login_code account_confirm_login_code account_logout
        account_signup account_inactive account_email account_email_verification_sent account_reauthenticate
        account_change_password account_set_password account_reset_password demo-widget""",
    CUSTOMER: "notifications",
    TEAM: """account account-name account-password account-sessions choose-workspace sources insights
        theme-archive theme-arrange quality quality-check
        theme-rename theme-join theme-split theme-proposals theme-upkeep
        theme-change-accept theme-change-decline theme-change-undo stream attachment
        stream-counts stream-retry raw-item users person admin-roadmap admin-post move-post promote
        admin-changelog new-entry edit-entry publish-entry
        signal move-signal change-signal dismiss-signal confirm-signal undo-correction
        duplicate-confirm duplicate-dismiss duplicate-undo search""",
    ADMIN: """settings theme-upkeep-settings settings-name settings-keys settings-key-revoke
        settings-members settings-member mailbox kept-mail kept-mail-html merge-person unmerge-person settings-privacy
        settings-ai settings-ai-again settings-replay settings-replay-adopt settings-replay-discard settings-loop
        privacy-vault privacy-patterns privacy-pattern-remove
        reveal-originals export-person erase-person source-retention new-source settings-widget
        settings-widget-preview settings-widget-keys settings-widget-sites settings-signing-keys
        settings-signing-key-revoke settings-answers settings-anonymous connections new-connection connect-mail
        connection connection-look connection-test connection-switch connection-remove imports import undo-import
        refused-rows""",
}
ROLE_OF = {name: role for role, names in TABLE.items() for name in names.split()}
#: Not pages: they have no name, know no session, and are tried where they are defined.
OTHERS = ("livez", "readyz", "metrics", "api/", "schemas", "widget.js", "widget/", "hooks/", "v1/", "v2/")
REDIRECTS = {"admin", "admin/", "admin/feedback"}


def addresses(patterns: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif not route.startswith(OTHERS):
            yield route, pattern


ADDRESSES = list(addresses())
GUARDED = [(route, pattern) for route, pattern in ADDRESSES if ROLE_OF.get(pattern.name or "", PUBLIC) != PUBLIC]


def filled(route: str, given: object = None) -> str:
    """The address with every id in it replaced by this one, or by one that does not exist."""
    return "/" + re.sub(r"<[^>]+>", str(given or uuid4()), route)


@pytest.mark.parametrize(("route", "pattern"), ADDRESSES, ids=[route for route, _ in ADDRESSES])
def test_every_address_is_declared_with_the_role_that_it_asks_for(route: str, pattern: URLPattern) -> None:
    if route in REDIRECTS:
        return
    assert pattern.name in ROLE_OF, f"Say in this table who may open /{route}"
    assert getattr(pattern.callback, "required_role", PUBLIC) == ROLE_OF[pattern.name]


def test_the_table_names_no_address_that_is_gone() -> None:
    assert set(ROLE_OF) <= {pattern.name for _route, pattern in ADDRESSES}


@pytest.mark.parametrize("role", ["stranger", *Role])
def test_nobody_opens_what_their_role_does_not_allow(as_role: Callable[[str], Client], role: str) -> None:
    client = as_role(role)
    for route, pattern in GUARDED:
        wanted = Role(ROLE_OF[str(pattern.name)])
        for send in (client.get, client.post):
            status = send(filled(route)).status_code
            if status == 405:
                continue
            if role == "stranger":
                assert status == 302, route
            elif RANK[Role(role)] < RANK[wanted]:
                assert status == 403, route
            else:
                assert status != 403, route
            assert status < 500, route


@pytest.fixture
def strange_ids(other_workspace_id: UUID) -> list[UUID]:
    """Ids of rows that exist, in a workspace that is not the signed-in person's."""
    with in_workspace(other_workspace_id):
        person = Principal.objects.create(workspace_id=other_workspace_id, display_name="Somebody of Lantern")
        theme = Theme.objects.create(workspace_id=other_workspace_id, title="A secret of Lantern", summary="")
        source = FeedbackSource.objects.create(
            workspace_id=other_workspace_id, source_type="api", delivery_mode=DeliveryMode.PASSIVE, name="API"
        )
        item = RawItem.objects.create(
            workspace_id=other_workspace_id,
            source=source,
            source_type="api",
            external_id="1",
            dedupe_key="1",
            source_created_at=person.created_at,
            content={"text": "A secret of Lantern"},
            channel="in-app",
            receipt_token="lantern",
            principal=person,
        )
    return [person.id, theme.id, item.id, other_workspace_id]


def test_nothing_of_another_workspace_is_shown_or_changed(
    as_role: Callable[[str], Client], strange_ids: list[UUID]
) -> None:
    client = as_role("owner")
    for route, pattern in GUARDED:
        given = strange_ids if "<" in route else [None]
        for strange in given:
            for send in (client.get, client.post):
                answer = send(filled(route, strange), {"role": "user", "workspace": str(strange)})
                assert answer.status_code in ({404, 405} if strange else {200, 302, 405, 422}), (route, pattern.name)
                assert "Lantern" not in answer.content.decode(), route
    assert client.get("/admin/feedback/insights", {"theme": str(strange_ids[1])}).status_code == 404
    assert "Lantern" not in client.get("/admin/feedback/stream", {"search": "secret"}).content.decode()


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/feedback"])
def test_the_admin_opens_on_insights(as_role: Callable[[str], Client], path: str) -> None:
    assert as_role("contributor").get(path)["Location"] == "/admin/feedback/insights"
