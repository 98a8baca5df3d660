"""What a theme's words rest on, what its people weigh, and how themes are found and counted when there are many."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tellback.boards.models import Board
from tellback.boards.services import ensure_defaults, promote_theme
from tellback.themes import candidates, changes, rules, upkeep
from tellback.themes.candidates import Candidates, nearest_themes
from tellback.themes.models import ChangeKind, Theme, ThemeSpace, ThemeStatus
from tellback.themes.services import count_leftovers, load_space, refresh_themes
from tellback.themes.tests.test_corrections import say, theme_of
from tellback.themes.tests.test_pages import INSIGHTS, Filling, body, days_ago
from tellback.understanding.engine import get_engine
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Run = Callable[[], int]


@pytest.fixture
def filling(workspace: Workspace) -> Filling:
    return Filling(workspace)


def cited(theme: Theme) -> list[Signal]:
    return list(Signal.objects.filter(id__in=theme.summary_cites, theme_id=theme.id))


def test_a_summary_always_cites_signals_that_are_in_the_theme(workspace: Workspace, run_jobs: Run) -> None:
    say(workspace, "The CSV export misses rows.", "CSV exports lose rows at the end.", "The export to CSV drops rows.")
    run_jobs()
    theme = theme_of("misses rows")
    [first] = cited(theme)
    assert first.summary.rstrip(".") in theme.summary
    ada = Principal.objects.create(workspace=workspace, display_name="Ada")
    changes.split_theme(theme=theme, signal_ids=[first.id], title="Apart", actor=ada, now=NOW)
    run_jobs()
    theme.refresh_from_db()
    apart = Theme.objects.get(title="Apart")
    for one in (theme, apart):
        assert one.summary
        assert cited(one), one.title
    assert first not in cited(theme)


def test_a_theme_shows_which_quotes_its_summary_rests_on(as_role: Callable[[str], Client], filling: Filling) -> None:
    theme = filling.add_theme("Dark mode", signal_count=9)
    signals = [filling.add_signal(theme, f"dark mode {number}.") for number in range(9)]
    Theme.objects.update(summary_cites=[str(signals[8].id)])
    page = body(as_role("contributor"), INSIGHTS, theme=theme.id)
    assert f'href="#quote-{signals[8].id}"' in page
    assert f'id="quote-{signals[8].id}"' in page


def test_a_company_pays_once_however_many_of_it_speak(filling: Filling) -> None:
    theme = filling.add_theme("Dark mode")
    for name, company, mrr in (("A", "Acme", 900), ("B", "acme ", 1000), ("C", "", 50), ("D", "Other", None)):
        person = Principal.objects.create(
            workspace=filling.workspace, display_name=name, company=company, mrr=mrr, plan="pro"
        )
        filling.add_signal(theme, "dark mode", principal=person)
    refresh_themes(engine=get_engine(), now=NOW)
    theme.refresh_from_db()
    assert theme.revenue == Decimal(1050)
    assert theme.reach > theme.unique_author_count == 4


def test_trends_velocity_and_revenue_are_shown(as_role: Callable[[str], Client], filling: Filling) -> None:
    theme = filling.add_theme("Dark mode", revenue=1234)
    ensure_defaults(workspace=filling.workspace)
    ada = filling.add_person("Ada")
    promote_theme(theme=theme, board=Board.objects.get(), title="Dark", body="", tags=[], actor=ada, now=filling.now)
    for age in (1, 2, 3, 8, 20, 40, 45):
        filling.add_signal(theme, "dark mode", source_created_at=days_ago(filling.now, age))
    Theme.objects.update(promoted_at=days_ago(filling.now, 1))
    page = body(as_role("contributor"), INSIGHTS, theme=theme.id)
    assert "1,234 a month" in page
    assert "7 new since" in page
    told = " ".join(page.split())
    for row in ('Last 7 days </th> <td>3</td> <td class="muted"> +2', "Last 30 days </th> <td>5</td>", "2.6×"):
        assert row in told, row


def test_what_grew_too_little_to_be_counted_at_once_is_counted_later(filling: Filling) -> None:
    theme = filling.add_theme("Dark mode", signal_count=1001, counted_signals=1000, is_stale=False)
    filling.add_signal(theme, "dark mode")
    assert refresh_themes(engine=get_engine(), now=NOW) == 0
    assert count_leftovers() == 1
    assert refresh_themes(engine=get_engine(), now=NOW) == 1
    theme.refresh_from_db()
    assert theme.signal_count == theme.counted_signals == 1
    assert count_leftovers() == 0


def test_upkeep_counts_every_theme_anew_for_strength_fades(filling: Filling, run_jobs: Run) -> None:
    theme = filling.add_theme("Dark mode", strength=90, is_stale=False)
    filling.add_signal(theme, "dark mode", source_created_at=days_ago(filling.now, 90))
    upkeep.count_all_anew(workspace_id=filling.workspace.id)
    refresh_themes(engine=get_engine(), now=timezone.now())
    theme.refresh_from_db()
    assert theme.strength < 10


def test_a_split_of_a_large_theme_moves_what_was_not_compared_too(
    workspace: Workspace, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, filling = get_engine(), Filling(workspace)
    theme = filling.add_theme("Mixed", centroid_model=engine.identity.embedding_model)
    draw = np.random.default_rng(1)
    axes = np.eye(engine.identity.dimensions, dtype=np.float32)[[3, 200]]
    for number in range(24):
        vector = axes[number % 2] + 0.02 * draw.standard_normal(axes.shape[1])
        filling.add_signal(
            theme, f"topic {number % 2}", embedding=vector, embedding_model=engine.identity.embedding_model
        )
    Theme.objects.update(signal_count=24, centroid_embedding=axes.mean(axis=0))
    ThemeSpace.objects.create(
        workspace=workspace, embedding_model=engine.identity.embedding_model, mean_embedding=engine.background * 0
    )
    monkeypatch.setattr(upkeep, "OF_ONE_THEME", 12)
    [change] = upkeep.propose_changes(workspace_id=workspace.id, engine=engine, now=NOW)
    assert change.kind == ChangeKind.SPLIT
    upkeep.accept_proposal(change=change, actor=None, now=NOW)
    by_theme = {
        frozenset(Signal.objects.filter(theme_id=one.id).values_list("summary", flat=True))
        for one in Theme.objects.filter(signal_count__gt=0)
    }
    assert by_theme == {frozenset({"topic 0"}), frozenset({"topic 1"})}
    changes.undo_change(change=change, now=NOW)
    assert Signal.objects.filter(theme_id=theme.id).count() == 24


class TestCandidates:
    """The centres that a process keeps."""

    MODEL = "three"

    @pytest.fixture(autouse=True)
    def _forget(self) -> None:
        candidates._kept.clear()

    def add(self, workspace: Workspace, axis: int, **fields: object) -> Theme:
        vector = np.eye(12, dtype=np.float32)[axis]
        return Theme.objects.create(
            workspace=workspace,
            **{"title": str(axis), "centroid_model": self.MODEL, "centroid_embedding": vector, **fields},
        )

    def near(self, axis: int, *, most: int = 1) -> set[str]:
        space = rules.Space(mean=np.zeros(12, dtype=np.float32))
        vector = np.eye(12, dtype=np.float32)[[axis]]
        found = nearest_themes(vector, model=self.MODEL, space=space)
        return set(Theme.objects.filter(id__in=found).values_list("title", flat=True))

    def test_follow_what_is_made_moved_closed_and_opened_again(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "CANDIDATES", 1)
        themes = [self.add(workspace, axis) for axis in range(10)]
        self.add(workspace, 4, centroid_model="another", title="of another model")
        assert self.near(4) == {"4"}
        Theme.objects.filter(pk=themes[4].pk).update(status=ThemeStatus.ARCHIVED)
        assert self.near(4) != {"4"}
        Theme.objects.filter(pk=themes[4].pk).update(status=ThemeStatus.ACTIVE)
        assert self.near(4) == {"4"}
        Theme.objects.filter(pk=themes[7].pk).update(centroid_embedding=np.eye(12, dtype=np.float32)[11])
        assert self.near(11) == {"7"}
        self.add(workspace, 10)
        assert self.near(10) == {"10"}

    def test_read_only_what_changed(self, workspace: Workspace) -> None:
        self.add(workspace, 1)
        self.near(1)
        centres = candidates._kept[workspace.id, self.MODEL]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM feedback_themes WHERE changed_in >= %s::xid8", [centres.seen])
            own = cursor.fetchone()
        # This test is one transaction, so its own changes are all there is to read again.
        assert own == (1,)
        assert len(centres.ids) == 1

    def test_are_let_go_of_the_workspaces_that_did_least_lately(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(candidates, "KEPT", 1)
        for axis in range(2):
            self.add(workspace, axis, centroid_model=f"model {axis}")
            self.add(workspace, axis, centroid_model=f"model {axis}")
            space = rules.Space(mean=np.zeros(12, dtype=np.float32))
            nearest_themes(np.eye(12, dtype=np.float32)[[axis]], model=f"model {axis}", space=space)
        assert list(candidates._kept) == [(workspace.id, "model 1")]

    def test_give_the_theme_that_comparing_with_all_would_give(self, workspace: Workspace, run_jobs: Run) -> None:
        say(workspace, "The CSV export misses rows.", "Please add a dark mode.", "How do I change my PIN?")
        run_jobs()
        engine = get_engine()
        model = engine.identity.embedding_model
        space = load_space(ThemeSpace.objects.get(embedding_model=model))
        vector = engine.embed(["Dark mode please"])[0]
        signal = Signal(workspace=workspace, embedding=vector, embedding_model=model)
        found = Candidates.near([signal], model=model, space=space)
        everything = np.array(
            list(Theme.objects.order_by("id").values_list("centroid_embedding", flat=True)), dtype=np.float32
        )
        wanted = rules.assign(vector, everything, space)
        assert rules.assign(vector, found.centroids, space).similarity == pytest.approx(wanted.similarity, abs=1e-6)
