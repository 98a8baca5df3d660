"""The changelog's pages: what can be written, linked and read."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from tellback.boards.models import Board
from tellback.boards.services import create_post, ensure_defaults
from tellback.effects.models import KeptMail
from tellback.loop.models import ChangelogEntry
from tellback.workspaces.models import Workspace


def test_an_entry_can_be_linked_to_a_post(workspace: Workspace, as_role: Callable[[str], Client]) -> None:
    ensure_defaults(workspace=workspace)
    post = create_post(
        workspace_id=workspace.id,
        board=Board.objects.get(),
        title="Dark mode",
        body="",
        author=None,
        tags=[],
        now=timezone.now(),
    )
    answer = as_role("contributor").post(
        "/admin/changelog/new", {"title": "Dark mode is here", "body": "", "posts": [str(post.id)]}
    )
    assert answer.status_code == 302, answer.content.decode()
    entry = ChangelogEntry.objects.get()
    assert [link.post_id for link in entry.entry_posts.all()] == [post.id]


def test_a_post_that_does_not_exist_is_refused_in_words(workspace: Workspace, as_role: Callable[[str], Client]) -> None:
    answer = as_role("contributor").post("/admin/changelog/new", {"title": "It shipped", "posts": ["not-a-post"]})
    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()


def test_a_mail_that_arrives_while_the_mailbox_is_looked_at_breaks_nothing(
    workspace: Workspace, as_role: Callable[[str], Client]
) -> None:
    arrived: list[KeptMail] = []

    def arrive(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if sql.startswith("SELECT") and 'FROM "kept_mail"' in sql and not arrived:
            arrived.append(
                KeptMail(workspace=workspace, to="ada@example.com", sender="us@example.com", subject="Hello")
            )
            arrived[0].save()
        return found

    client = as_role("admin")
    with connection.execute_wrapper(arrive):
        assert client.get("/admin/mailbox").status_code == 200
    assert arrived
    assert "ada@example.com" in client.get("/admin/mailbox").content.decode()
