"""Posts that say the same are found before another one is written."""

import numpy as np
import pytest
from django.utils import timezone

from tellback.boards.models import Board, Post
from tellback.boards.selectors import posts_like, similar_posts
from tellback.boards.services import create_post, embed_posts, ensure_defaults, promote_theme
from tellback.themes.models import Theme
from tellback.understanding.engine import get_engine
from tellback.workspaces.models import Principal, Workspace


@pytest.fixture
def posts(workspace: Workspace) -> dict[str, Post]:
    ensure_defaults(workspace=workspace)
    titles = ["Dark mode", "Work without a network connection", "Reminders for customers"]
    return {
        title: create_post(
            workspace_id=workspace.id, board=Board.objects.get(), title=title, body="", author=None, tags=[],
            now=timezone.now(),
        )
        for title in titles
    }  # fmt: skip


def theme_of(workspace: Workspace, *texts: str) -> Theme:
    engine = get_engine()
    middle = np.asarray(engine.embed(list(texts))).mean(axis=0)
    return Theme.objects.create(
        workspace=workspace, title=texts[0], summary=texts[0], centroid_embedding=middle,
        centroid_model=engine.identity.embedding_model, signal_count=len(texts),
    )  # fmt: skip


def test_a_post_that_means_the_same_in_other_words_is_found(workspace: Workspace, posts: dict[str, Post]) -> None:
    theme = theme_of(workspace, "Offline use in the basement", "No signal underground, the app is no use offline")
    assert similar_posts(theme.title) == []
    assert embed_posts(engine=get_engine()) == 3
    assert similar_posts(theme.title, theme=theme)[0].title == "Work without a network connection"
    assert embed_posts(engine=get_engine()) == 0


def test_a_post_like_the_text_that_is_being_written_is_found_in_other_words(posts: dict[str, Post]) -> None:
    get_engine()
    embed_posts(engine=get_engine())
    similar = similar_posts("Offline use, when there is no connection")
    assert similar[0].title == "Work without a network connection"
    assert similar_posts("The invoice shows the wrong tax") == similar_posts("  ") == []


def test_a_post_knows_the_posts_that_mean_the_same(workspace: Workspace, posts: dict[str, Post]) -> None:
    other = create_post(
        workspace_id=workspace.id, board=Board.objects.get(), title="Use it offline, with no network connection",
        body="", author=None, tags=[], now=timezone.now(),
    )  # fmt: skip
    assert posts_like(other) == []
    embed_posts(engine=get_engine())
    other.refresh_from_db()
    assert [post.title for post in posts_like(other)] == ["Work without a network connection"]


def test_what_is_about_something_else_is_not(workspace: Workspace, posts: dict[str, Post]) -> None:
    embed_posts(engine=get_engine())
    theme = theme_of(workspace, "The invoice shows the wrong tax", "VAT is wrong on invoices")
    assert similar_posts(theme.title, theme=theme) == []


def test_words_find_a_post_that_has_no_embedding_yet(posts: dict[str, Post]) -> None:
    assert [post.title for post in similar_posts("A dark mode, please")] == ["Dark mode"]


def test_a_promoted_theme_belongs_to_its_posts_board(workspace: Workspace, posts: dict[str, Post]) -> None:
    theme = theme_of(workspace, "Invoices")
    actor = Principal.objects.create(workspace=workspace, display_name="Kim")
    post = promote_theme(
        theme=theme, board=Board.objects.get(), title="Invoices", body="", tags=[], actor=actor, now=timezone.now()
    )
    theme.refresh_from_db()
    assert theme.board_id == post.board_id
