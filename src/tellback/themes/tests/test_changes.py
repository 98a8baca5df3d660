"""Themes that are merged, split, gathered, renamed, nested and archived, and all of it taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from tellback.boards.models import Board, Post
from tellback.boards.services import ensure_defaults, promote_theme
from tellback.intake.models import ItemState, RawItem
from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.jobs import Queue, defer
from tellback.themes import changes, upkeep
from tellback.themes.corrections import move_signal, recentre
from tellback.themes.models import ChangeKind, ChangeState, Theme, ThemeChange, ThemeStatus
from tellback.themes.tests.test_corrections import about, say, theme_of
from tellback.understanding.engine import get_engine
from tellback.understanding.models import Correction, Signal
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Run = Callable[[], int]
TEXTS = [
    "The CSV export is broken, it misses the last rows.",
    "Exporting to CSV loses rows at the end of the file.",
    "CSV export drops the last three rows every time.",
    "Could you add a dark mode? My eyes hurt at night.",
    "Please add dark mode, the app is too bright in the evening.",
]


@pytest.fixture
def ada(workspace: Workspace, run_jobs: Run) -> Principal:
    """A contributor, in a workspace where people speak of an export and of a dark mode."""
    say(workspace, *TEXTS)
    run_jobs()
    return Principal.objects.create(workspace=workspace, display_name="Ada", email="ada@example.com")


def state_of_everything() -> list[tuple[object, ...]]:
    """Where every signal is, and what every open theme is."""
    themes = Theme.objects.exclude(status=ThemeStatus.MERGED).exclude(signal_count=0).order_by("id")
    signals = Signal.objects.order_by("id").values_list("id", "theme_id")
    return [*signals, *themes.values_list("id", "title", "status", "signal_count", "parent_theme_id")]


def test_a_merged_theme_points_to_its_successor_and_its_post_follows(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    ensure_defaults(workspace=workspace)
    export, dark = theme_of("misses the last"), theme_of("eyes hurt")
    post = promote_theme(theme=dark, board=Board.objects.get(), title="Dark mode", body="", tags=[], actor=ada, now=NOW)
    run_jobs()
    dark.refresh_from_db()
    before = state_of_everything()
    [change] = changes.merge_themes(into=export, others=[dark], actor=ada, now=NOW)
    run_jobs()
    dark.refresh_from_db()
    export.refresh_from_db()
    assert (dark.status, dark.merged_into_theme_id, dark.signal_count) == (ThemeStatus.MERGED, export.id, 0)
    assert (export.signal_count, export.promoted_to_post_id) == (5, post.id)
    assert Post.objects.get().promoted_from_theme_id == export.id
    changes.undo_change(change=change, now=NOW)
    run_jobs()
    assert state_of_everything() == before
    assert Post.objects.get().promoted_from_theme_id == dark.id
    assert Theme.objects.get(pk=export.pk).promoted_to_post_id is None
    with pytest.raises(Conflict):
        changes.undo_change(change=change, now=NOW)


def test_a_merge_of_a_merge_is_taken_back_from_the_outside_in(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    say(workspace, "Let me sign in with Google please.", "I want to sign in with my Google account.")
    run_jobs()
    export, dark, login = theme_of("misses the last"), theme_of("eyes hurt"), theme_of("Let me sign in")
    [first] = changes.merge_themes(into=dark, others=[login], actor=ada, now=NOW)
    [second] = changes.merge_themes(into=export, others=[Theme.objects.get(pk=dark.pk)], actor=ada, now=NOW)
    with pytest.raises(Conflict, match="was merged since"):
        changes.undo_change(change=first, now=NOW)
    login.refresh_from_db()
    assert changes.successor_of(login).pk == export.pk
    changes.undo_change(change=second, now=NOW)
    changes.undo_change(change=first, now=NOW)
    assert theme_of("Let me sign in").pk == login.pk


def test_what_is_said_after_a_merge_goes_to_the_successor(ada: Principal, workspace: Workspace, run_jobs: Run) -> None:
    export, dark = theme_of("misses the last"), theme_of("eyes hurt")
    changes.merge_themes(into=export, others=[dark], actor=ada, now=NOW)
    say(workspace, "A dark mode please, it is far too bright at night.")
    item = RawItem.objects.get(content__text__icontains="A dark mode please")
    run_jobs()
    assert not Signal.objects.filter(theme_id=dark.id).exists()
    RawItem.objects.filter(pk=item.pk).update(processing_state=ItemState.READY)
    defer("understanding.understand", queue=Queue.AI, workspace_id=workspace.id, item_ids=[str(item.id)])
    run_jobs()
    assert not Signal.objects.filter(theme_id=dark.id).exists()


def test_a_split_stays_when_the_item_is_read_again(ada: Principal, workspace: Workspace, run_jobs: Run) -> None:
    export = theme_of("misses the last")
    before = state_of_everything()
    chosen = about("Exporting to CSV")
    change = changes.split_theme(theme=export, signal_ids=[chosen.id], title=" End of file ", actor=ada, now=NOW)
    made = theme_of("Exporting to CSV")
    assert (made.title, made.signal_count) == ("End of file", 1)
    assert Theme.objects.get(pk=export.pk).signal_count == 2
    item = chosen.raw_feedback_item
    RawItem.objects.filter(pk=item.pk).update(processing_state=ItemState.READY)
    defer("understanding.understand", queue=Queue.AI, workspace_id=workspace.id, item_ids=[str(item.id)])
    run_jobs()
    assert theme_of("Exporting to CSV").pk == made.pk
    changes.undo_change(change=change, now=NOW)
    run_jobs()
    assert not Correction.objects.filter(undone_at=None).exists()
    assert Theme.objects.get(pk=made.pk).status in {ThemeStatus.MERGED, ThemeStatus.ARCHIVED}
    assert len(state_of_everything()) == len(before)


def test_a_split_needs_a_part_and_a_title(ada: Principal) -> None:
    export = theme_of("misses the last")
    everything = list(Signal.objects.filter(theme_id=export.id).values_list("id", flat=True))
    for chosen, title in (
        (everything, "All"),
        ([], "None"),
        (everything[:1], "  "),
        ([about("eyes hurt").id], "Other"),
    ):
        with pytest.raises(Invalid):
            changes.split_theme(theme=export, signal_ids=chosen, title=title, actor=ada, now=NOW)
    assert not ThemeChange.objects.exists()


def test_a_title_given_by_a_person_stays_until_it_is_taken_back(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    export = theme_of("misses the last")
    change = changes.rename_theme(theme=export, title="Rows go missing", actor=ada, now=NOW)
    say(workspace, "My CSV export has fewer rows than the table.", "The CSV export loses the last rows.")
    run_jobs()
    assert Theme.objects.get(pk=export.pk).title == "Rows go missing"
    changes.undo_change(change=change, now=NOW)
    after = Theme.objects.get(pk=export.pk)
    assert (after.title, after.title_is_manual) == (export.title, False)


def test_themes_nest_one_level_deep(ada: Principal) -> None:
    export, dark = theme_of("misses the last"), theme_of("eyes hurt")
    change = changes.nest_theme(theme=dark, inside=export, actor=ada, now=NOW)
    for theme, inside in ((export, dark), (export, export)):
        with pytest.raises(Invalid):
            changes.nest_theme(theme=theme, inside=inside, actor=ada, now=NOW)
    changes.undo_change(change=change, now=NOW)
    assert Theme.objects.get(pk=dark.pk).parent_theme_id is None


def test_upkeep_moves_nothing_and_proposes_the_same_once(
    ada: Principal, workspace: Workspace, run_jobs: Run, apart: tuple[Theme, Theme]
) -> None:
    before = state_of_everything()
    first = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=NOW)
    again = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=NOW)
    assert [one.id for one in first] == [one.id for one in again] != []
    assert state_of_everything() == before


@pytest.fixture
def apart(ada: Principal, workspace: Workspace, run_jobs: Run) -> tuple[Theme, Theme]:
    """One thing in two themes, as an unlucky order of arrival can leave it."""
    say(
        workspace,
        "CSV export misses rows.",
        "The exported CSV file lacks the last rows.",
        "Rows are missing from my CSV export.",
        "The export to CSV cuts off the last rows.",
    )
    run_jobs()
    one = theme_of("misses the last")
    other = Theme.objects.create(
        workspace=workspace,
        title="Missing rows",
        summary="",
        centroid_embedding=one.centroid_embedding,
        centroid_model=one.centroid_model,
    )
    chosen = Signal.objects.filter(theme_id=one.id).order_by("-id")[:3].values_list("id", flat=True)
    Signal.objects.filter(id__in=list(chosen)).update(theme_id=other.id)
    for theme in (one, other):
        recentre(theme.id, now=NOW)
    run_jobs()
    return Theme.objects.get(pk=one.pk), Theme.objects.get(pk=other.pk)


def test_a_proposed_merge_is_accepted_or_never_proposed_again(
    ada: Principal, workspace: Workspace, apart: tuple[Theme, Theme]
) -> None:
    proposals = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=NOW)
    [merge] = [one for one in proposals if one.kind == ChangeKind.MERGE]
    assert {merge.theme_id, merge.into_theme_id} == {one.id for one in apart}
    upkeep.decline_proposal(change=merge, actor=ada, now=NOW)
    with pytest.raises(Conflict):
        upkeep.accept_proposal(change=merge, actor=ada, now=NOW)
    after = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=NOW + timedelta(days=1))
    assert not [one for one in after if one.kind == ChangeKind.MERGE]


def test_themes_between_which_a_person_moved_a_signal_are_not_to_be_merged(
    ada: Principal, workspace: Workspace, apart: tuple[Theme, Theme]
) -> None:
    signal = Signal.objects.filter(theme_id=apart[0].id).order_by("id").first()
    assert signal
    move_signal(signal_id=signal.id, theme_id=apart[1].id, actor=ada, now=NOW)
    proposals = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=NOW)
    assert not [one for one in proposals if one.kind == ChangeKind.MERGE]
    assert not [one for one in proposals if str(signal.id) in one.moves]


def test_a_workspace_that_wants_no_questions_gets_none(
    ada: Principal, workspace: Workspace, apart: tuple[Theme, Theme], run_jobs: Run
) -> None:
    upkeep.set_accepts_itself(workspace_id=workspace.id, accepts=True)
    defer("themes.upkeep", queue=Queue.MAINTENANCE, workspace_id=workspace.id)
    run_jobs()
    done = ThemeChange.objects.get(kind=ChangeKind.MERGE)
    assert (done.state, done.actor) == (ChangeState.DONE, None)
    assert Signal.objects.filter(theme_id=done.into_theme_id).count() == 7


def test_a_theme_that_nobody_speaks_of_may_be_put_away(ada: Principal, workspace: Workspace, run_jobs: Run) -> None:
    run_jobs()
    later = datetime.now(UTC) + timedelta(days=400)
    proposals = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=later)
    assert {one.kind for one in proposals} == {ChangeKind.ARCHIVE}
    upkeep.accept_proposal(change=proposals[0], actor=ada, now=later)
    assert Theme.objects.get(pk=proposals[0].theme_id).status == ThemeStatus.ARCHIVED
    changes.undo_change(change=ThemeChange.objects.get(pk=proposals[0].pk), now=later)
    assert Theme.objects.get(pk=proposals[0].theme_id).status == ThemeStatus.ACTIVE


def test_the_pages_do_what_they_say(
    ada: Principal, apart: tuple[Theme, Theme], as_role: Callable[[str], Client], run_jobs: Run
) -> None:
    client, (one, other) = as_role("contributor"), apart
    page = client.get(f"/admin/feedback/insights/{one.id}/arrange").content.decode()
    assert "Missing rows" in page
    client.post(f"/admin/feedback/insights/{one.id}/rename", {"title": "Rows of exports"})
    client.post(f"/admin/feedback/insights/{other.id}/join", {"how": "merge", "other": str(one.id)})
    client.post(f"/admin/feedback/insights/{one.id}/join", {"how": "merge", "other": "nonsense"})
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.title, other.merged_into_theme_id) == ("Rows of exports", one.id)
    decided = client.get("/admin/feedback/proposals").content.decode()
    assert "Merge “Missing rows” into “Rows of exports”" in decided
    merge = ThemeChange.objects.get(kind=ChangeKind.MERGE)
    client.post(f"/admin/feedback/proposals/{merge.id}/undo")
    other.refresh_from_db()
    assert other.status == ThemeStatus.ACTIVE
    client.post("/admin/feedback/proposals/look")
    run_jobs()
    signal = Signal.objects.filter(theme_id=one.id).order_by("id")[0]
    client.post(f"/admin/feedback/insights/{one.id}/split", {"signal": [str(signal.id)], "title": "Apart"})
    assert Theme.objects.get(title="Apart").signal_count == 1


def test_titles_that_may_be_somebodys_words_go_when_they_are_erased(ada: Principal, workspace: Workspace) -> None:
    export = theme_of("misses the last")
    changes.rename_theme(theme=export, title="Rows go missing", actor=ada, now=NOW)
    from tellback.themes.privacy import _forget_words

    _forget_words([export.id])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM feedback_theme_changes")
        assert cursor.fetchone()[0] == 0
