"""Merging two people brings everything of theirs together, and undoing it puts every row back where it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core import serializers
from django.db.models import ForeignKey
from django.test import Client

from tellback.boards.models import Board, Comment, Post, Vote
from tellback.boards.services import comment, create_post, ensure_defaults, vote
from tellback.intake.accept import Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.kernel.errors import Conflict, Invalid
from tellback.loop.models import Notification, Subscription
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.identity import Author, current_person, resolve_author
from tellback.workspaces.merging import FOLLOWERS, merge_principals, suggest_merges, undo_merge
from tellback.workspaces.models import (
    ExternalIdentity,
    Principal,
    PrincipalMerge,
    PrincipalMove,
    PrincipalType,
    Role,
    User,
    Workspace,
)

NOW = datetime.now(UTC)
Run = Callable[[], int]


class Town:
    """Two people who are one, somebody of the team, and posts to vote for."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        ensure_defaults(workspace=workspace)
        ensure_default_sources(workspace=workspace)
        self.ada = self.person("Ada Reis", "ada@example.com")
        self.work = self.person("Ada Reis", "ada@work.example", company="Cais", plan="team")
        self.admin = Principal.objects.create(workspace=workspace, display_name="Grace", role=Role.ADMIN)
        self.board = Board.objects.all()[0]
        self.both, self.only = [self.post(title) for title in ("Dark mode", "Export")]

    def person(self, name: str, email: str = "", **more: Any) -> Principal:
        return Principal.objects.create(workspace=self.workspace, display_name=name, email=email, **more)

    def post(self, title: str) -> Post:
        return create_post(
            workspace_id=self.workspace.id, board=self.board, title=title, body="", author=self.work, tags=[], now=NOW
        )

    def say(self, author: dict[str, str]) -> None:
        submission = Submission(
            source_id=FeedbackSource.objects.get(source_type="api").id,
            source_type="api",
            channel="api",
            text="The export loses its last rows.",
            source_created_at=NOW - timedelta(minutes=1),
            author=author,
        )
        accept_batch(workspace_id=self.workspace.id, submissions=[submission], now=NOW)

    def live(self, run_jobs: Run) -> None:
        """Both vote, one comments, both say something; then every job is done."""
        for person, post in ((self.ada, self.both), (self.work, self.both), (self.work, self.only)):
            vote(post=post, principal=person)
        comment(post=self.only, author=self.work, body="Please.", is_from_team=False, now=NOW)
        self.say({"email": "ada@example.com", "externalUserId": "u_1"})
        self.say({"email": "ada@work.example", "externalUserId": "u_2"})
        Notification.objects.create(workspace=self.workspace, principal=self.ada, type="x", key="same", title="Yours")
        Notification.objects.create(workspace=self.workspace, principal=self.work, type="x", key="same", title="Theirs")
        run_jobs()

    def merge(self) -> PrincipalMerge:
        return merge_principals(kept=self.ada, merged=self.work, actor=self.admin, now=NOW)


@pytest.fixture
def town(workspace: Workspace) -> Town:
    return Town(workspace)


def rows_of_people() -> dict[str, list[Any]]:
    """Every row that points to a person, whole, by table, but for what merging writes down and times of change."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models():
        links = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
        if any(link.related_model is Principal for link in links) and model not in {PrincipalMerge, PrincipalMove}:
            rows = serializers.serialize("python", model._default_manager.order_by("pk"))
            for row in rows:
                row["fields"].pop("updated_at", None)
            found[model._meta.db_table] = rows
    found.pop("audit_entry")
    found["posts' votes"] = list(Post.objects.order_by("id").values_list("id", "vote_count", "comment_count"))
    return found


def test_after_a_merge_nothing_belongs_to_the_merged_one(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    town.merge()
    run_jobs()
    for model, column in (
        (RawItem, "principal"),
        (Vote, "principal"),
        (Post, "author"),
        (Comment, "author"),
        (Subscription, "principal"),
        (Notification, "principal"),
    ):
        assert not model._default_manager.filter(**{column: town.work}).exists(), model
        assert model._default_manager.filter(**{column: town.ada}).exists(), model
    assert RawItem.objects.filter(principal=town.ada).count() == 2
    assert Notification.objects.get().title == "Yours"


def test_one_person_has_one_vote_and_each_figure_is_its_votes(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    town.merge()
    run_jobs()
    for post, votes in ((town.both, 1), (town.only, 1)):
        post.refresh_from_db()
        assert post.vote_count == Vote.objects.filter(post=post).count() == votes


def test_undoing_puts_every_row_back_exactly(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    before = rows_of_people()
    assert sum(map(len, before.values())) > 15
    merge = town.merge()
    run_jobs()
    during = rows_of_people()
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    run_jobs()
    assert rows_of_people() == before != during
    assert not PrincipalMove.objects.exists()


def test_the_jobs_of_a_merge_may_run_twice_and_in_any_order(town: Town, run_jobs: Run) -> None:
    from procrastinate.contrib.django import app

    town.live(run_jobs)
    before = rows_of_people()
    merge = town.merge()
    for name in [*FOLLOWERS, *reversed(FOLLOWERS)]:
        app.tasks[name].func(workspace_id=str(town.workspace.id), merge_id=str(merge.id))
    run_jobs()
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    for name in reversed(FOLLOWERS):
        app.tasks[name].func(workspace_id=str(town.workspace.id), merge_id=str(merge.id))
    run_jobs()
    assert rows_of_people() == before


def test_a_merge_that_is_undone_before_its_jobs_ran_moves_nothing(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    before = rows_of_people()
    undo_merge(merge=town.merge(), actor=town.admin, now=NOW)
    run_jobs()
    assert rows_of_people() == before


def test_what_happened_since_stays_when_a_merge_is_undone(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    merge = town.merge()
    run_jobs()
    new = town.post("Shortcuts")
    vote(post=new, principal=town.ada)
    Principal.objects.filter(id=town.ada.id).update(company="Changed by hand")
    town.only.delete()
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    run_jobs()
    assert Vote.objects.get(post=new).principal == town.ada
    town.ada.refresh_from_db()
    assert (town.ada.company, town.ada.plan) == ("Changed by hand", "")
    assert not Vote.objects.filter(post_id=town.only.id).exists()


@pytest.mark.parametrize("author", [{"email": "ada@work.example"}, {"externalUserId": "u_2"}])
def test_who_comes_back_under_the_merged_ones_address_or_id_is_the_kept_one(
    town: Town, run_jobs: Run, author: dict[str, str]
) -> None:
    town.live(run_jobs)
    merge = town.merge()
    run_jobs()
    town.say(author)
    run_jobs()
    assert RawItem.objects.filter(principal=town.ada).count() == 3
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    run_jobs()
    town.say(author)
    run_jobs()
    assert RawItem.objects.filter(principal=town.work).count() == 2


def test_what_was_unknown_of_the_kept_one_is_learnt_and_forgotten_again(town: Town, run_jobs: Run) -> None:
    nameless = town.person("")
    ExternalIdentity.objects.create(
        workspace=town.workspace, source_type="api", external_user_id="u_9", principal=nameless
    )
    merge = merge_principals(kept=nameless, merged=town.work, actor=town.admin, now=NOW)
    nameless.refresh_from_db()
    assert (nameless.display_name, nameless.email, nameless.company) == ("Ada Reis", "ada@work.example", "Cais")
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    nameless.refresh_from_db()
    town.work.refresh_from_db()
    assert (nameless.display_name, nameless.email, nameless.company) == ("", "", "")
    assert town.work.email == "ada@work.example"


def test_three_people_are_one_and_are_taken_apart_from_the_last(town: Town, run_jobs: Run) -> None:
    town.live(run_jobs)
    before = rows_of_people()
    third = town.person("A. Reis")
    first = town.merge()
    run_jobs()
    second = merge_principals(kept=third, merged=town.ada, actor=town.admin, now=NOW)
    run_jobs()
    assert current_person(Principal.objects.get(id=town.work.id)) == third
    found = resolve_author(workspace_id=town.workspace.id, author=Author(source_type="api", email="ada@work.example"))
    assert found == third
    with pytest.raises(Conflict, match="Undo that first"):
        undo_merge(merge=first, actor=town.admin, now=NOW)
    undo_merge(merge=second, actor=town.admin, now=NOW)
    run_jobs()
    undo_merge(merge=first, actor=town.admin, now=NOW)
    run_jobs()
    third.delete()
    assert rows_of_people() == before


def test_of_two_merges_into_one_person_the_later_is_undone_first(town: Town) -> None:
    first = town.merge()
    third = town.person("A. Reis")
    merge_principals(kept=town.ada, merged=third, actor=town.admin, now=NOW)
    with pytest.raises(Conflict, match="Reis was merged"):
        undo_merge(merge=first, actor=town.admin, now=NOW)


def test_what_cannot_be_merged_is_refused(town: Town) -> None:
    service = town.person("Bot", type=PrincipalType.SERVICE)
    login = town.person("Lin", user=User.objects.create_user("lin@example.com"))
    for merged, reason in ((town.admin, "team"), (service, "not a person"), (login, "signs in")):
        with pytest.raises(Conflict, match=reason):
            merge_principals(kept=town.ada, merged=merged, actor=town.admin, now=NOW)
    with pytest.raises(Invalid):
        merge_principals(kept=town.ada, merged=town.ada, actor=town.admin, now=NOW)
    merge = town.merge()
    with pytest.raises(Conflict, match="already"):
        town.merge()
    undo_merge(merge=merge, actor=town.admin, now=NOW)
    with pytest.raises(Conflict, match="already"):
        undo_merge(merge=merge, actor=town.admin, now=NOW)


def test_who_may_be_the_same_is_found_by_name_and_by_address(town: Town, other_workspace_id: UUID) -> None:
    hidden = town.person("Somebody Else")
    ExternalIdentity.objects.create(
        workspace=town.workspace, source_type="slack", external_user_id="U1", principal=hidden,
        external_email="ADA@example.com",
    )  # fmt: skip
    town.person("Ada")
    with in_workspace(other_workspace_id):
        Principal.objects.create(workspace_id=other_workspace_id, display_name="Ada Reis")
    assert set(suggest_merges(town.ada)) == {town.work, hidden}
    assert set(suggest_merges(hidden)) == {town.ada}


def test_an_admin_merges_and_undoes_on_the_persons_page(
    town: Town, run_jobs: Run, as_role: Callable[[str], Client]
) -> None:
    town.live(run_jobs)
    client = as_role("admin")
    page = client.get(f"/admin/users/{town.ada.id}").content.decode()
    assert "1 person may be the same" in page
    found = client.get(f"/admin/users/{town.ada.id}?same=work.example").content.decode()
    assert found.count(f'value="{town.work.id}"') == 2
    answer = client.post(f"/admin/users/{town.ada.id}/merge", {"other": str(town.work.id)})
    assert answer["Location"] == f"/admin/users/{town.ada.id}"
    run_jobs()
    assert "is the same person" in client.get(f"/admin/users/{town.ada.id}").content.decode()
    assert client.get(f"/admin/users/{town.work.id}")["Location"] == f"/admin/users/{town.ada.id}"
    assert str(town.work.id) not in client.get("/admin/users").content.decode()
    merge = PrincipalMerge.objects.get()
    assert merge.actor is not None
    client.post(f"/admin/users/merges/{merge.id}/undo")
    run_jobs()
    assert client.get(f"/admin/users/{town.work.id}").status_code == 200


def test_somebody_of_another_workspace_is_nobody_here(
    town: Town, other_workspace_id: UUID, as_role: Callable[[str], Client]
) -> None:
    with in_workspace(other_workspace_id):
        stranger = Principal.objects.create(workspace_id=other_workspace_id, display_name="Ada Reis")
    client = as_role("admin")
    assert client.post(f"/admin/users/{town.ada.id}/merge", {"other": str(stranger.id)}).status_code == 404
    assert client.post(f"/admin/users/{stranger.id}/merge", {"other": str(town.ada.id)}).status_code == 404
