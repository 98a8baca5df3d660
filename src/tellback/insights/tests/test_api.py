"""The search, as programs ask it."""

import pytest
from django.test import Client
from django.utils import timezone

from tellback.boards.models import Board
from tellback.boards.services import create_post, ensure_defaults
from tellback.insights.services import index_stale
from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.services import issue_key


@pytest.fixture
def key(workspace: Workspace) -> str:
    """A key of a workspace with one post."""
    ensure_defaults(workspace=workspace)
    create_post(
        workspace_id=workspace.id, board=Board.objects.get(), title="Print reports", author=None, tags=[],
        now=timezone.now(), body="Send a report 👍 to the printer.",
    )  # fmt: skip
    index_stale()
    return issue_key(workspace=workspace, kind=KeyKind.SECRET, name="Desk").secret


def test_results_come_with_their_marks_and_addresses(client: Client, key: str) -> None:
    answer = client.get("/api/v1/search", {"q": "printers"}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.content
    (one,) = answer.json()["results"]
    assert (one["kind"], one["title"], one["found_by"][0]) == ("post", "Print reports", "words")
    (mark,) = one["marks"]
    assert one["text"][mark["start"] : mark["end"]] == "printer"
    assert "/admin/posts/" in one["url"]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"q": ""}, "/q"),
        ({"q": "x" * 301}, "/q"),
        ({}, "/q"),
        ({"q": "x", "board": "nothing"}, "/board"),
        ({"q": "x", "sentiment": "glad"}, "/sentiment"),
        ({"q": "x", "limit": "101"}, "/limit"),
        ({"q": "x", "colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_place(
    client: Client, key: str, asked: dict[str, str], pointer: str
) -> None:
    answer = client.get("/api/v1/search/", asked, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_it_needs_a_key_of_the_team(client: Client, key: str, workspace: Workspace) -> None:
    assert client.get("/api/v1/search", {"q": "printer"}).status_code == 401
    widget = issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="Shop").secret
    answer = client.get("/api/v1/search", {"q": "printer"}, headers={"Authorization": f"Bearer {widget}"})
    assert answer.status_code == 403
