"""What people put right holds: at once, when the item is read again, and when somebody else says the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tellback.intake.accept import Submission, accept_batch
from tellback.intake.models import FeedbackSource, ItemState, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.kernel.ids import new_id
from tellback.platform.jobs import Queue, defer
from tellback.themes import corrections
from tellback.themes.models import Theme, ThemeStatus
from tellback.themes.rules import shares_words
from tellback.themes.selectors import suggest_themes
from tellback.understanding.models import Correction, Signal, SignalType
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = [
    "The CSV export is broken, it misses the last rows.",
    "Exporting to CSV loses rows at the end of the file.",
    "CSV export drops the last three rows every time.",
    "Could you add a dark mode? My eyes hurt at night.",
    "Please add dark mode, the app is too bright in the evening.",
]
Run = Callable[[], int]


def say(workspace: Workspace, *texts: str) -> None:
    ensure_default_sources(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")
    said = [
        Submission(
            source_id=source.id,
            source_type="api",
            channel="in-app",
            text=text,
            source_created_at=NOW,
            external_id=str(new_id()),
            silent=True,
        )
        for text in texts
    ]
    accept_batch(workspace_id=workspace.id, submissions=said, now=NOW)


@pytest.fixture
def ada(workspace: Workspace, run_jobs: Run) -> Principal:
    """A contributor, in a workspace where people speak of an export and of a dark mode."""
    say(workspace, *TEXTS)
    run_jobs()
    return Principal.objects.create(workspace=workspace, display_name="Ada", email="ada@example.com")


def about(words: str) -> Signal:
    return Signal.objects.get(raw_feedback_item__content__text__icontains=words)


def theme_of(words: str) -> Theme:
    theme_id = about(words).theme_id
    assert theme_id
    return Theme.objects.get(pk=theme_id)


def test_a_moved_signal_counts_where_it_is_now(ada: Principal, run_jobs: Run) -> None:
    export, dark = theme_of("misses the last"), theme_of("eyes hurt")
    assert export != dark
    before = {export.id: export.signal_count, dark.id: dark.signal_count}
    corrections.move_signal(
        signal_id=about("misses the last").id, theme_id=dark.id, actor=ada, reason="Not  really", now=NOW
    )
    run_jobs()
    export.refresh_from_db()
    dark.refresh_from_db()
    assert (export.signal_count, dark.signal_count) == (before[export.id] - 1, before[dark.id] + 1)
    written = Correction.objects.get()
    assert (written.previous_value, written.new_value, written.reason) == (str(export.id), str(dark.id), "Not really")
    assert written.prompt_version == about("misses the last").interpretation_prompt_version
    assert about("misses the last").theme_reason == "Ada put it right"


def test_undoing_puts_it_back(ada: Principal, run_jobs: Run) -> None:
    home = theme_of("misses the last")
    moved = corrections.move_signal(
        signal_id=about("misses the last").id, theme_id=theme_of("eyes hurt").id, actor=ada, now=NOW
    )
    corrections.undo_correction(correction_id=moved.id, now=NOW)
    run_jobs()
    assert theme_of("misses the last") == home
    with pytest.raises(Conflict):
        corrections.undo_correction(correction_id=moved.id, now=NOW)


def test_only_the_latest_change_of_a_thing_is_undone(ada: Principal) -> None:
    signal = about("misses the last")
    first = corrections.move_signal(signal_id=signal.id, theme_id=theme_of("eyes hurt").id, actor=ada, now=NOW)
    corrections.move_signal_to_new_theme(signal_id=signal.id, title="Rows", actor=ada, now=NOW + timedelta(minutes=1))
    with pytest.raises(Conflict):
        corrections.undo_correction(correction_id=first.id, now=NOW + timedelta(minutes=2))


def test_a_theme_of_its_own_is_shown_at_once_and_keeps_its_title(ada: Principal, run_jobs: Run) -> None:
    corrections.move_signal_to_new_theme(
        signal_id=about("misses the last").id, title=" Whole  exports ", actor=ada, now=NOW
    )
    run_jobs()
    made = theme_of("misses the last")
    assert (made.title, made.status, made.signal_count) == ("Whole exports", ThemeStatus.ACTIVE, 1)


def test_a_theme_that_lost_its_last_signal_is_put_away_and_comes_back_with_it(ada: Principal, run_jobs: Run) -> None:
    dark, moved = theme_of("eyes hurt"), []
    for signal in Signal.objects.filter(theme_id=dark.id):
        export = theme_of("Exporting to CSV")
        moved.append(corrections.move_signal(signal_id=signal.id, theme_id=export.id, actor=ada, now=NOW))
    dark.refresh_from_db()
    assert (dark.status, dark.signal_count) == (ThemeStatus.ARCHIVED, 0)
    corrections.undo_correction(correction_id=moved[0].id, now=NOW)
    dark.refresh_from_db()
    assert (dark.status, dark.signal_count) == (ThemeStatus.ACTIVE, 1)


def test_the_same_said_again_goes_where_a_person_put_it(workspace: Workspace, ada: Principal, run_jobs: Run) -> None:
    corrections.move_signal_to_new_theme(
        signal_id=about("misses the last").id, title="Whole exports", actor=ada, now=NOW
    )
    corrections.change_signal(
        signal_id=about("misses the last").id, changes={"signal_type": "churn_risk"}, actor=ada, now=NOW
    )
    say(
        workspace,
        "The CSV export is broken: it misses its last rows!",
        "Could you add a darker mode that hurts my eyes less?",
    )
    run_jobs()
    again = about("misses its last")
    assert (theme_of("misses its last").title, again.signal_type) == ("Whole exports", SignalType.CHURN_RISK)
    assert again.theme_reason == "A person put the same right before"
    assert theme_of("darker mode").title != "Whole exports"


def test_without_a_correction_it_goes_where_it_went_before(workspace: Workspace, ada: Principal, run_jobs: Run) -> None:
    """The control of the test above: it is the correction that sends it elsewhere."""
    assert ada
    say(workspace, "The CSV export is broken: it misses its last rows!")
    run_jobs()
    assert theme_of("misses its last") == theme_of("misses the last")


def test_what_was_put_right_holds_when_the_item_is_read_again(
    workspace: Workspace, ada: Principal, run_jobs: Run
) -> None:
    signal = about("misses the last")
    corrections.move_signal_to_new_theme(signal_id=signal.id, title="Whole exports", actor=ada, now=NOW)
    corrections.change_signal(signal_id=signal.id, changes={"urgency": "critical"}, actor=ada, now=NOW)
    item = signal.raw_feedback_item_id
    RawItem.objects.filter(pk=item).update(processing_state=ItemState.READY)
    defer("understanding.understand", queue=Queue.AI, workspace_id=workspace.id, item_ids=[str(item)])
    run_jobs()
    again = about("misses the last")
    assert again.id != signal.id
    assert (theme_of("misses the last").title, again.urgency) == ("Whole exports", "critical")
    assert {one.signal_id for one in Correction.objects.all()} == {again.id}


def test_no_feedback_is_counted_nowhere(ada: Principal, run_jobs: Run) -> None:
    home = theme_of("misses the last")
    size = home.signal_count
    dismissed = corrections.dismiss_signal(signal_id=about("misses the last").id, actor=ada, now=NOW)
    run_jobs()
    home.refresh_from_db()
    assert about("misses the last").theme_id is None
    assert home.signal_count == size - 1
    corrections.undo_correction(correction_id=dismissed.id, now=NOW)
    assert theme_of("misses the last") == home


def test_what_cannot_be_is_refused(ada: Principal) -> None:
    signal = about("misses the last")
    assert signal.theme_id
    with pytest.raises(Conflict):
        corrections.move_signal(signal_id=signal.id, theme_id=signal.theme_id, actor=ada, now=NOW)
    with pytest.raises(NotFound):
        corrections.move_signal(signal_id=signal.id, theme_id=new_id(), actor=ada, now=NOW)
    with pytest.raises(Invalid):
        corrections.move_signal_to_new_theme(signal_id=signal.id, title=" ", actor=ada, now=NOW)
    with pytest.raises(Invalid):
        corrections.change_signal(signal_id=signal.id, changes={"summary": "x"}, actor=ada, now=NOW)
    with pytest.raises(Invalid):
        corrections.change_signal(signal_id=signal.id, changes={"urgency": "today"}, actor=ada, now=NOW)
    assert not Correction.objects.exists()


def test_spans_are_about_the_same_words_when_half_of_the_shorter_is_shared() -> None:
    assert shares_words([{"start": 0, "end": 10}], [{"start": 4, "end": 40}])
    assert not shares_words([{"start": 0, "end": 10}], [{"start": 6, "end": 40}])
    assert not shares_words([], [{"start": 0, "end": 40}])


def test_the_most_alike_themes_are_suggested_first(ada: Principal) -> None:
    assert ada
    signal = about("eyes hurt")
    (theme, likeness), *_others = suggest_themes(signal)
    assert theme == theme_of("misses the last")
    assert likeness is not None
    assert -1 <= likeness < 1
    assert suggest_themes(signal, search="no such words") == []


def test_a_contributor_puts_it_right_on_the_page(
    workspace: Workspace, ada: Principal, run_jobs: Run, as_role: Callable[[str], Client]
) -> None:
    assert workspace
    assert ada
    client, signal = as_role("contributor"), about("misses the last")
    page = f"/admin/feedback/signals/{signal.id}"
    dark = theme_of("eyes hurt")
    assert dark.title in client.get(page).content.decode()
    client.post(f"{page}/move", {"theme": str(dark.id), "reason": "It is about the night"})
    assert theme_of("misses the last") == dark
    client.post(f"{page}/change", {"signal_type": "question", "sentiment": "neutral", "urgency": "low", "board_id": ""})
    assert about("misses the last").signal_type == SignalType.QUESTION
    shown = client.get(page).content.decode()
    assert "It is about the night" in shown
    latest = Correction.objects.filter(field="theme_id").get()
    client.post(f"/admin/feedback/corrections/{latest.id}/undo")
    assert theme_of("misses the last") != dark
    client.post(f"{page}/dismiss")
    assert about("misses the last").theme_id is None
    run_jobs()
    refused = client.post(f"{page}/move", {"theme": "no id"}, follow=True)
    assert "Choose a theme." in refused.content.decode()
