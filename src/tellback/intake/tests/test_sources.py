"""Sources that programs name, and what an item says of its author."""

from collections.abc import Callable

import pytest
from django.test import Client

from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.services import MAX_SOURCES, add_source, author_of, ensure_default_sources
from tellback.kernel.errors import Invalid
from tellback.workspaces.models import Workspace


def test_an_admin_adds_a_source_and_a_name_is_taken_once(
    workspace: Workspace, as_role: Callable[[str], Client]
) -> None:
    admin = as_role("admin")
    for _ in range(2):
        assert admin.post("/admin/settings/sources/new", {"name": "  iOS   app "}).status_code == 302
    assert [source.name for source in FeedbackSource.objects.filter(source_type="api")] == ["iOS app"]
    page = admin.get("/admin/settings/sources").content.decode()
    assert "There is a source “iOS app” already." in page


def test_there_may_be_so_many_sources_and_no_more(workspace: Workspace) -> None:
    ensure_default_sources(workspace=workspace)
    for number in range(MAX_SOURCES - 2):
        add_source(workspace=workspace, name=f"Source {number}")
    with pytest.raises(Invalid, match="There may be 100"):
        add_source(workspace=workspace, name="One more")


@pytest.mark.parametrize(
    ("source_type", "author", "vouched", "namespace"),
    [
        ("api", {}, True, "api"),
        ("widget", {}, False, "widget"),
        ("widget", {"verified": True}, True, "api"),
        ("csv", {}, True, "csv"),
    ],
)
def test_what_a_public_page_says_of_its_author_is_not_vouched_for(
    source_type: str, author: dict[str, bool], vouched: bool, namespace: str
) -> None:
    found = author_of(RawItem(source_type=source_type, author={"externalUserId": "u_1", **author}))
    assert (found.vouched, found.source_type) == (vouched, namespace)


@pytest.mark.parametrize(("mrr", "kept"), [(120.5, "120.50"), (0, "0.00"), (-1, ""), (1e12, ""), (True, ""), ("9", "")])
def test_a_revenue_is_taken_when_it_is_one(mrr: object, kept: str) -> None:
    found = author_of(RawItem(source_type="api", context_envelope={"customer": {"mrr": mrr}}))
    assert str(found.mrr or ("0.00" if mrr == 0 and mrr is not False else "")) == kept
