"""Signals and themes are derived anew in a shadow: nothing changes before it is adopted, and people's word holds."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.engines.openai.fake import FakeModel, answers
from tellback.intake.models import ItemState, RawItem
from tellback.intake.subjects.erasing import erase_person
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.themes import changes, corrections
from tellback.themes.models import Replay, ReplaySignal, ReplayState, ReplayTheme, Theme, ThemeStatus
from tellback.themes.replay import services
from tellback.themes.replay.matching import match
from tellback.themes.replay.report import report
from tellback.themes.tests import test_corrections
from tellback.themes.tests.test_corrections import TEXTS, about, say
from tellback.understanding.language_model.books import close_breaker
from tellback.understanding.language_model.choices import Wanted, save_choices
from tellback.understanding.models import Correction, Signal
from tellback.workspaces.models import Principal, Workspace

Run = Callable[[], int]


def spans(*pairs: tuple[int, int]) -> list[dict[str, int]]:
    return [{"start": start, "end": end} for start, end in pairs]


def shown() -> str:
    """Everything of signals and themes that people see."""
    signals = list(Signal.objects.order_by("id").values("id", "summary", "signal_type", "theme_id", "position"))
    themes = list(Theme.objects.order_by("id").values("id", "title", "summary", "status", "signal_count"))
    return json.dumps([signals, themes], default=str)


def derive(workspace: Workspace, **wishes: Any) -> Replay:
    """A replay by the local engine, as far as it goes by itself."""
    replay = services.begin_replay(workspace_id=workspace.id, **{"engine": "local", "now": timezone.now(), **wishes})
    while services.go_on(workspace_id=workspace.id, replay_id=replay.pk, now=timezone.now()):
        pass
    replay.refresh_from_db()
    return replay


def adopt(workspace: Workspace) -> Replay:
    replay = services.adopt_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    while services.go_on(workspace_id=workspace.id, replay_id=replay.pk, now=timezone.now()):
        pass
    replay.refresh_from_db()
    return replay


def theme_of(words: str) -> Theme:
    return Theme.objects.get(pk=about(words).theme_id or "")


@pytest.fixture
def ada(workspace: Workspace, run_jobs: Run) -> Principal:
    """A contributor, in a workspace where people speak of an export and of a dark mode."""
    say(workspace, *TEXTS)
    run_jobs()
    return Principal.objects.create(workspace=workspace, display_name="Ada", email="ada@example.com")


def spoil() -> None:
    """Make the signals as another engine might have: one is lost, one is made up, one is of another type."""
    made_up = about("dark mode, the app")
    Signal.objects.filter(pk=about("Exporting to CSV").pk).delete()
    Signal.objects.filter(pk=about("dark mode? My eyes").pk).update(signal_type="praise", theme_id=None)
    Signal.objects.create(
        workspace_id=made_up.workspace_id,
        raw_feedback_item_id=made_up.raw_feedback_item_id,
        position=7,
        signal_type="question",
        summary="Made up",
        extraction_confidence=0.5,
        processing_state="completed",
    )


def test_each_old_signal_is_the_counterpart_of_the_one_that_shares_most_of_its_words() -> None:
    before = [spans((0, 10)), spans((20, 40)), []]
    assert match(before, [spans((21, 40)), spans((0, 9)), spans((50, 60))]) == [1, 0, None]
    assert match(before, [spans((0, 4)), spans((0, 9))]) == [None, 0]


def test_the_same_engine_finds_the_same_and_says_that_nothing_would_change(
    ada: Principal, workspace: Workspace
) -> None:
    before = shown()
    found = report(derive(workspace))
    assert found["signals"]["before"] == found["signals"]["after"] == len(TEXTS)
    assert (found["signals"]["gained"], found["signals"]["lost"], found["themes"]["signals_moved"]) == (0, 0, 0)
    assert found["items"] == {"all": 5, "done": 5, "skipped": 0, "read_by_local_instead": 0}
    assert shown() == before


def test_the_report_says_what_is_gained_lost_moved_and_changed_and_adopting_does_just_that(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    spoil()
    spoilt, themes = shown(), set(Theme.objects.values_list("id", flat=True))
    kept = about("The CSV export is broken").pk
    found = report(derive(workspace))
    assert [one["summary"] for one in found["lost"]] == ["Made up"]
    assert found["signals"]["gained"] == 1
    assert found["signals"]["changed"]["signal_type"] == 1
    assert found["themes"]["signals_moved"] == 1
    assert shown() == spoilt
    assert adopt(workspace).state == ReplayState.ADOPTED
    run_jobs()
    assert about("Exporting to CSV").theme_id == about("The CSV export is broken").theme_id
    assert about("dark mode? My eyes").theme_id == about("dark mode, the app").theme_id
    assert about("The CSV export is broken").pk == kept
    assert themes <= set(Theme.objects.values_list("id", flat=True))
    for theme in Theme.objects.filter(status=ThemeStatus.ACTIVE):
        assert theme.signal_count == Signal.objects.filter(theme_id=theme.id).count()
    assert not ReplaySignal.objects.exists()
    assert not ReplayTheme.objects.exists()
    again = report(derive(workspace))
    assert (again["signals"]["gained"], again["signals"]["lost"], again["themes"]["signals_moved"]) == (0, 0, 0)


def test_two_runs_give_the_same_report_to_the_byte(ada: Principal, workspace: Workspace) -> None:
    spoil()
    Theme.objects.update(status=ThemeStatus.ARCHIVED)
    Signal.objects.update(theme_id=None)
    first = json.dumps(report(derive(workspace)))
    services.discard_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    assert json.dumps(report(derive(workspace))) == first
    assert json.loads(first)["themes"]["new"] == 2


def test_discarding_changes_nothing_and_leaves_nothing_behind(ada: Principal, workspace: Workspace) -> None:
    spoil()
    before = shown()
    derive(workspace)
    services.discard_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    assert shown() == before
    assert not ReplaySignal.objects.exists()
    with pytest.raises(NotFound):
        services.get_replay()


def test_an_interrupted_replay_goes_on_where_it_was(
    ada: Principal, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.dumps(report(derive(workspace)))
    services.discard_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    monkeypatch.setattr(services, "GROUPED", 2)
    monkeypatch.setattr(services, "ADOPTED", 2)
    keep, seen = services._keep, []

    def die_at_the_third(replay: Replay, item_id: Any, derived: Any) -> None:
        seen.append(item_id)
        if len(seen) == 3:
            raise RuntimeError("killed")
        keep(replay, item_id, derived)

    monkeypatch.setattr(services, "_keep", die_at_the_third)
    with pytest.raises(RuntimeError):
        derive(workspace)
    assert not ReplaySignal.objects.exists()
    resumed = derive(workspace)
    assert Replay.objects.exclude(state=ReplayState.DISCARDED).count() == 1
    assert ReplaySignal.objects.count() == len(TEXTS)
    assert json.dumps(report(resumed)) == whole
    spoil()
    services.adopt_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    services.go_on(workspace_id=workspace.id, replay_id=resumed.pk, now=timezone.now())
    with pytest.raises(Conflict, match="half way"):
        services.discard_replay(workspace_id=workspace.id, actor=None, now=timezone.now())
    assert adopt(workspace).state == ReplayState.ADOPTED
    assert Signal.objects.count() == len(TEXTS)


def test_a_correction_survives_also_one_that_was_made_while_the_shadow_waited(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    dark, early = about("dark mode? My eyes"), about("CSV export drops")
    target = dark.theme_id
    assert target
    corrections.move_signal(signal_id=early.id, theme_id=target, actor=ada, now=timezone.now())
    derive(workspace)
    late = about("The CSV export is broken")
    corrections.change_signal(signal_id=late.id, changes={"urgency": "critical"}, actor=ada, now=timezone.now())
    dismissed = about("dark mode, the app")
    corrections.dismiss_signal(signal_id=dismissed.id, actor=ada, now=timezone.now())
    adopt(workspace)
    run_jobs()
    assert about("CSV export drops").theme_id == target
    assert about("The CSV export is broken").urgency == "critical"
    assert about("dark mode, the app").theme_id is None
    assert {one.signal_id for one in Correction.objects.all()} == {early.id, late.id, dismissed.id}


def test_what_people_made_of_themes_survives_and_can_still_be_taken_back(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    export = theme_of("The CSV export is broken")
    dark = theme_of("dark mode? My eyes")
    before = dict(Signal.objects.values_list("id", "theme_id"))
    changes.rename_theme(theme=export, title="Exports lose rows", actor=ada, now=timezone.now())
    merge = changes.merge_themes(others=[dark], into=export, actor=ada, now=timezone.now())[0]
    found = report(derive(workspace))
    assert found["themes"]["signals_moved"] == 0
    assert found["titles"] == []
    adopt(workspace)
    run_jobs()
    assert set(Signal.objects.values_list("theme_id", flat=True)) == {export.pk}
    assert Theme.objects.get(pk=export.pk).title == "Exports lose rows"
    changes.undo_change(change=merge, now=timezone.now())
    assert dict(Signal.objects.values_list("id", "theme_id")) == before


def test_a_theme_merged_since_the_shadow_was_made_gets_nothing_back(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    export = theme_of("The CSV export is broken")
    dark = theme_of("dark mode? My eyes")
    derive(workspace)
    changes.merge_themes(others=[dark], into=export, actor=ada, now=timezone.now())
    adopt(workspace)
    run_jobs()
    assert set(Signal.objects.values_list("theme_id", flat=True)) == {export.pk}


def test_what_was_on_its_way_when_the_shadow_was_made_keeps_its_signals(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    late = RawItem.objects.filter(content__text=TEXTS[0])
    late.update(processing_state=ItemState.EXTRACTING)
    derive(workspace)
    late.update(processing_state=ItemState.COMPLETED)
    before = shown()
    found = report(services.get_replay())
    assert (found["signals"]["lost"], found["signals"]["before"]) == (0, len(TEXTS) - 1)
    adopt(workspace)
    run_jobs()
    assert shown() == before


def test_an_item_in_which_nothing_is_found_any_more_loses_its_signals(
    ada: Principal, workspace: Workspace, run_jobs: Run
) -> None:
    say(workspace, "👍")
    run_jobs()
    thumb = RawItem.objects.get(content__text="👍")
    thumb.signals.all().delete()
    Signal.objects.create(
        workspace_id=workspace.id,
        raw_feedback_item=thumb,
        signal_type="question",
        summary="Made up",
        extraction_confidence=0.5,
        processing_state="completed",
    )
    assert report(derive(workspace))["signals"]["lost"] == 1
    adopt(workspace)
    assert not thumb.signals.exists()


def test_only_what_arrived_since_a_day_is_replayed(
    ada: Principal, workspace: Workspace, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = test_corrections.NOW + timedelta(hours=1)
    monkeypatch.setattr(test_corrections, "NOW", since)
    say(workspace, "The dark mode has too little contrast in the menus.")
    run_jobs()
    found = report(derive(workspace, since=since))
    assert (found["items"]["all"], found["signals"]["before"], found["themes"]["left_empty"]) == (1, 1, 0)
    before = Signal.objects.count()
    adopt(workspace)
    assert Signal.objects.count() == before


def test_another_replay_is_refused_while_one_is_under_way_and_unknown_engines_always(
    ada: Principal, workspace: Workspace
) -> None:
    derive(workspace)
    with pytest.raises(Conflict, match="Adopt or discard"):
        derive(workspace, since=timezone.now())
    with pytest.raises(Invalid, match="local, openai"):
        derive(workspace, engine="oracle")
    with pytest.raises(Invalid, match="It has: v1"):
        derive(workspace, engine="openai", prompt_version="v9")


@pytest.fixture
def model(workspace: Workspace, settings: Settings) -> Iterator[FakeModel]:
    """A language model on loopback that the workspace could choose; it uses the local engine so far."""
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    with FakeModel() as model:
        choose(workspace, model, engine="local")
        yield model


def choose(workspace: Workspace, model: FakeModel, **changes: Any) -> None:
    wanted = {"base_url": model.url, "key": "sk-of-this-test", **changes}
    save_choices(workspace=workspace, wanted=Wanted(**wanted), actor=None)


def test_a_language_model_reads_it_again_and_its_tokens_are_told(
    ada: Principal, workspace: Workspace, model: FakeModel
) -> None:
    before = shown()
    found = report(derive(workspace, engine="openai"))
    assert found["cost"]["input_tokens"] > 0
    assert found["signals"]["after"] >= len(TEXTS)
    assert shown() == before
    adopt(workspace)
    assert set(Signal.objects.values_list("extraction_model", flat=True)) == {"gpt-5.2"}


def test_a_model_that_does_not_answer_is_waited_for_and_nothing_is_read_twice(
    ada: Principal, workspace: Workspace, model: FakeModel
) -> None:
    answering, model.behaviour = model.behaviour, answers(503)
    waiting = derive(workspace, engine="openai")
    assert (waiting.state, waiting.done_count) == (ReplayState.READING, 0)
    assert waiting.waits
    model.behaviour = answering
    close_breaker()
    assert derive(workspace, engine="openai").pk == waiting.pk
    waiting.refresh_from_db()
    assert (waiting.state, waiting.waits, waiting.stood_in_count) == (ReplayState.READY, "", 0)


def test_vectors_of_another_model_start_from_the_themes_of_now_and_are_adopted_with_it(
    ada: Principal, workspace: Workspace, run_jobs: Run, model: FakeModel
) -> None:
    themes = dict(Signal.objects.values_list("raw_feedback_item", "theme_id"))
    choose(workspace, model, engine="local", embedding="text-embedding-x")
    with pytest.raises(Invalid, match="--since"):
        derive(workspace, engine="openai", since=test_corrections.NOW)
    assert report(derive(workspace, engine="openai"))["signals"]["lost"] == 0
    with pytest.raises(Conflict, match="Settings, AI"):
        adopt(workspace)
    choose(workspace, model, engine="openai", embedding="text-embedding-x")
    adopt(workspace)
    run_jobs()
    after = dict(Signal.objects.values_list("raw_feedback_item", "theme_id"))
    assert set(after.values()) & set(themes.values())
    shown_themes = Theme.objects.filter(status=ThemeStatus.ACTIVE)
    assert {len(theme.centroid_embedding) for theme in shown_themes if theme.centroid_embedding is not None} == {96}
    say(workspace, "The CSV export is broken again, rows are missing.")
    run_jobs()
    assert about("broken again").embedding_model == "text-embedding-x"


def test_erasing_a_person_takes_the_shadow_with_their_words_along(ada: Principal, workspace: Workspace) -> None:
    replay = derive(workspace)
    item = RawItem.objects.get(content__text=TEXTS[0])
    person = Principal.objects.create(workspace=workspace, display_name="Bea", email="bea@example.com")
    RawItem.objects.filter(pk=item.pk).update(principal=person)
    erase_person(person=person, actor=None, now=timezone.now())
    replay.refresh_from_db()
    assert replay.state == ReplayState.DISCARDED
    assert not ReplaySignal.objects.exists()
    assert not ReplayTheme.objects.exists()


def test_an_admin_starts_it_looks_at_the_difference_and_adopts_it(
    ada: Principal, as_role: Callable[[str], Client], run_jobs: Run
) -> None:
    spoil()
    admin, page = as_role("admin"), "/admin/settings/ai/replay"
    assert admin.post(page, {"engine": "oracle"}).status_code == 422
    assert admin.post(page, {"engine": "local", "since": ""}).status_code == 302
    before = shown()
    run_jobs()
    answer = admin.get(page)
    assert "1 are new, 1 are not found again" in answer.text
    assert shown() == before
    assert admin.post(page, {"engine": "local", "since": "2026-11-01"}).status_code == 409
    admin.post(f"{page}/adopt")
    run_jobs()
    assert "Adopted" in admin.get(page).text
    assert Signal.objects.count() == len(TEXTS)
    admin.post(f"{page}/discard", follow=True)
    assert Replay.objects.get().state == ReplayState.ADOPTED
