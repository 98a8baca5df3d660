"""Understanding with a language model, through the whole pipeline: what is asked, kept, spent, and what if not."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from pytest_django.fixtures import Settings

from tellback.boards.models import Board, Tag
from tellback.effects.models import KeptMail
from tellback.engines.openai import PASSING, Pass, Settlement
from tellback.engines.openai.fake import Asked, Sends, answers, completion, good_answer, well
from tellback.intake.models import ItemState, RawItem
from tellback.intake.policy import DEFAULT
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import CorrectionExample, Usage
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding import taxonomy
from tellback.understanding.language_model.books import Books, close_breaker
from tellback.understanding.language_model.choices import get_choices
from tellback.understanding.models import Correction, ModelAnswer, ModelDay, ModelState, Signal
from tellback.understanding.services import ASKED, count_waiting
from tellback.understanding.tests.conftest import NOW, Talking
from tellback.workspaces.models import Principal, Role, User
from tellback.workspaces.services import add_member

TEXTS = (
    "The CSV export is broken, it misses the last rows.",
    "CSV export drops the last three rows every time",
    "Could you add a dark mode? My eyes hurt at night.",
    "Thank you, great app!",
)


def test_feedback_is_understood_by_the_model_and_costs_what_it_says(talking: Talking) -> None:
    items = talking.say(*TEXTS)
    assert {item.processing_state for item in RawItem.objects.all()} == {ItemState.COMPLETED}
    for signal in Signal.objects.select_related("raw_feedback_item"):
        text = signal.raw_feedback_item.content["text"]
        assert [text[span["start"] : span["end"]] for span in signal.evidence_spans] == signal.evidence
        assert (signal.extraction_model, signal.extraction_prompt_version) == ("gpt-5.2", "v1")
        assert (signal.interpretation_model, signal.interpretation_prompt_version) == ("gpt-5.2", "v1")
        assert (signal.input_tokens, signal.output_tokens, signal.fallback_reason) == (100, 20, "")
    first = RawItem.objects.get(pk=items[0].pk)
    assert (first.extraction_input_tokens, first.extraction_output_tokens) == (100, 20)
    themes = Theme.objects.filter(status=ThemeStatus.ACTIVE)
    assert [(theme.signal_count, theme.described_by) for theme in themes] == [(2, "gpt-5.2")]
    day = ModelDay.objects.get()
    assert day.tokens == 120 * len([one for one in talking.model.asked if one.kind != "embedding"])
    assert (day.reserved_tokens, day.stood_in, day.rejected) == (0, {}, {})


def test_the_model_sees_boards_tags_themes_and_corrections(talking: Talking) -> None:
    talking.say(*TEXTS[:2])
    board = Board.objects.create(workspace=talking.workspace, name="Exports", slug="exports", description="Files")
    tag = Tag.objects.create(workspace=talking.workspace, name="csv")
    theme = Theme.objects.get()
    person = Principal.objects.create(workspace=talking.workspace, display_name="Ada")
    Correction.objects.create(
        workspace=talking.workspace,
        signal=Signal.objects.all()[0],
        raw_feedback_item=RawItem.objects.all()[0],
        corrected_by_principal=person,
        field="boardId",
        previous_value="praise",
        new_value=str(board.id),
        reason="Ask ada@example.com",
    )
    talking.model.asked.clear()
    talking.say("Our CSV export loses the last rows again.")
    (asked,) = talking.model.of_kind("interpretation")
    known = asked.data["taxonomy"]
    assert known["boards"] == [{"id": "board-1", "name": "Exports: Files"}]
    assert known["tags"] == [{"id": "tag-1", "name": "csv"}]
    (shown,) = known["themes"]
    assert (shown["title"], shown["signalCount"]) == (theme.title, 2)
    assert set(shown["topSignals"]) == set(TEXTS[:2])
    (correction,) = known["corrections"]
    assert (correction["from"], correction["to"], correction["reason"]) == ("praise", "Exports", "Ask [email:1]")
    signal = Signal.objects.get(summary__startswith="Our CSV")
    assert (signal.board_id, signal.tag_ids) == (board.id, [str(tag.id)])
    assert signal.theme_id == theme.id
    assert signal.theme_reason == "The closest theme is about the same need"


def test_corrections_and_guidance_come_from_whoever_offers_them(
    talking: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = CorrectionExample("signalType", "praise", "complaint", "It was irony")
    monkeypatch.setattr(taxonomy, "_offered", replace(taxonomy._offered))
    taxonomy.offers_corrections(lambda: [example])
    taxonomy.offers_guidance(lambda: "Money is always billing.")
    talking.say(TEXTS[0])
    (asked,) = talking.model.of_kind("interpretation")
    assert asked.data["taxonomy"]["guidance"] == "Money is always billing."
    assert [one["to"] for one in asked.data["taxonomy"]["corrections"]] == ["complaint"]


def test_a_choice_that_is_not_sure_waits_for_a_person(talking: Talking) -> None:
    talking.say(*TEXTS[:2])
    theme = Theme.objects.get()

    def unsure(asked: Asked) -> Sends:
        answer = good_answer(asked)
        if asked.kind == "interpretation":
            chosen = {"action": "assign_existing", "themeId": "theme-1", "newTheme": None, "confidence": 0.6}
            answer["themeDecision"] |= chosen
        return completion(json.dumps(answer))

    talking.model.behaviour = unsure
    talking.say("Some rows of my CSV export are missing.")
    signal = Signal.objects.get(summary__startswith="Some rows")
    assert (signal.theme_id, signal.needs_review) == (theme.id, True)


def test_when_the_model_is_down_feedback_is_understood_here_and_read_again_later(talking: Talking) -> None:
    talking.model.behaviour = answers(401)
    talking.say(*TEXTS)
    assert {item.processing_state for item in RawItem.objects.all()} == {ItemState.COMPLETED}
    assert set(Signal.objects.values_list("fallback_reason", flat=True)) == {"key"}
    assert count_waiting() == 4
    state = ModelState.objects.get()
    assert state.open_until is not None and "401" in state.last_error
    before = set(Signal.objects.values_list("id", flat=True))

    talking.model.behaviour = well
    assert talking.upgrade() == 0
    assert before == set(Signal.objects.values_list("id", flat=True))
    ModelState.objects.update(open_until=NOW - timedelta(minutes=1), trial_at=None)
    while talking.upgrade():
        pass
    assert count_waiting() == 0
    assert set(Signal.objects.values_list("fallback_reason", flat=True)) == {""}
    assert set(Signal.objects.values_list("extraction_model", flat=True)) == {"gpt-5.2"}
    assert Signal.objects.filter(raw_feedback_item__content__text=TEXTS[0]).count() == 1
    assert ModelState.objects.get().open_until is None
    for theme in Theme.objects.filter(status=ThemeStatus.ACTIVE):
        assert theme.signal_count == Signal.objects.filter(theme_id=theme.id).count()


def test_what_a_person_has_corrected_is_not_read_again(talking: Talking) -> None:
    talking.model.behaviour = answers(401)
    talking.say(TEXTS[0])
    person = Principal.objects.create(workspace=talking.workspace, display_name="Ada")
    Correction.objects.create(
        workspace=talking.workspace, signal=Signal.objects.get(), raw_feedback_item=RawItem.objects.get(),
        corrected_by_principal=person, field="signal_type", previous_value="bug_report", new_value="praise",
    )  # fmt: skip
    assert count_waiting() == 0


def test_a_day_without_budget_costs_nothing_and_is_made_up_for_on_the_next(talking: Talking) -> None:
    talking.choose(daily_tokens=0)
    talking.say(*TEXTS)
    assert talking.model.asked == []
    assert set(Signal.objects.values_list("fallback_reason", flat=True)) == {"budget"}
    assert ModelDay.objects.get().exhausted_at is not None
    talking.choose(daily_tokens=1_000_000)
    while talking.upgrade():
        pass
    assert set(Signal.objects.values_list("fallback_reason", flat=True)) == {""}


def test_the_budget_is_never_overdrawn_and_the_admins_are_told_once(talking: Talking) -> None:
    add_member(
        workspace=talking.workspace, user=User.objects.create_user("boss@example.com", name="Boss"), role=Role.ADMIN
    )
    talking.choose(daily_tokens=30_000)
    talking.say(*(f"Export number {number} crashes with an error." for number in range(40)))
    talking.say(*(f"Import number {number} crashes with an error." for number in range(40)))
    day = ModelDay.objects.get()
    assert 0 < day.tokens <= 30_000
    assert day.reserved_tokens == 0
    assert day.stood_in["budget"] > 0
    assert {item.processing_state for item in RawItem.objects.all()} == {ItemState.COMPLETED}
    assert [mail.to for mail in KeptMail.objects.filter(subject__contains="budget")] == ["boss@example.com"]


def test_a_storm_of_the_same_words_is_paid_for_once(talking: Talking) -> None:
    talking.say(*[TEXTS[0]] * 12)
    assert len(list(talking.model.of_kind("extraction"))) == 1
    assert ModelDay.objects.get().remembered > 0


def test_a_loop_of_reading_again_costs_nothing_new(talking: Talking) -> None:
    talking.say(*TEXTS)
    before = ModelDay.objects.get().passes["extraction"]
    for _ in range(3):
        Signal.objects.update(fallback_reason=ASKED)
        while talking.upgrade():
            pass
    assert ModelDay.objects.get().passes["extraction"] == before


def test_two_workers_share_one_budget(talking: Talking) -> None:
    talking.choose(daily_tokens=1_000)
    choices = get_choices(talking.workspace.id)
    first, second = (
        Books(workspace_id=talking.workspace.id, choices=choices, policy=DEFAULT, now=lambda: NOW) for _ in range(2)
    )
    assert first.admit([400, 400]) == ["", ""]
    assert second.admit([400, 100]) == ["budget", ""]
    first.settle([Settlement(Pass.EXTRACTION, reserved=800, usage=Usage(90, 10), calls=2)])
    assert second.admit([400]) == [""]


def test_what_a_dead_worker_held_is_free_again_after_a_while(talking: Talking) -> None:
    talking.choose(daily_tokens=1_000)
    choices, at = get_choices(talking.workspace.id), [NOW]
    books = Books(workspace_id=talking.workspace.id, choices=choices, policy=DEFAULT, now=lambda: at[0])
    assert books.admit([900]) == [""]
    assert books.admit([900]) == ["budget"]
    at[0] = NOW + timedelta(minutes=11)
    assert books.admit([900]) == [""]


def test_one_call_tries_a_paused_endpoint_and_the_rest_wait(talking: Talking) -> None:
    choices, at = get_choices(talking.workspace.id), [NOW]
    books = Books(workspace_id=talking.workspace.id, choices=choices, policy=DEFAULT, now=lambda: at[0])
    for _ in range(5):
        books.settle([Settlement(Pass.EXTRACTION, calls=1, failure="unreachable", detail="no")])
    assert books.admit([1, 1]) == ["paused", "paused"]
    at[0] = NOW + timedelta(seconds=31)
    assert books.admit([1, 1]) == ["", "paused"]
    assert books.admit([1]) == ["paused"]
    books.settle([Settlement(Pass.EXTRACTION, calls=1)])
    assert books.admit([1, 1]) == ["", ""]


def test_vectors_of_the_endpoint_that_fail_leave_the_signal_waiting(talking: Talking) -> None:
    talking.choose(embedding="vectors")
    talking.say(*TEXTS[:2])
    (theme,) = Theme.objects.filter(status=ThemeStatus.ACTIVE)
    assert (theme.centroid_model, len(theme.centroid_embedding)) == ("vectors", 96)
    talking.model.behaviour = lambda asked: Sends(status=400) if asked.kind == "embedding" else well(asked)
    talking.say("Rows are missing in the CSV export.")
    waiting = Signal.objects.get(summary__startswith="Rows are")
    assert (waiting.theme_id, waiting.fallback_reason in PASSING) == (None, True)
    assert waiting.embedding_model != "vectors"
    talking.model.behaviour = well
    close_breaker()
    while talking.upgrade():
        pass
    assert Signal.objects.get(summary__startswith="Rows are").embedding_model == "vectors"


def test_each_workspace_keeps_its_own_books(talking: Talking, other_workspace_id: UUID) -> None:
    talking.say(TEXTS[0])
    with in_workspace(other_workspace_id):
        assert (ModelDay.objects.count(), ModelAnswer.objects.count(), ModelState.objects.count()) == (0, 0, 0)


def test_old_answers_are_forgotten(talking: Talking) -> None:
    talking.say(TEXTS[0])
    assert ModelAnswer.objects.exists()
    ModelAnswer.objects.update(created_at=NOW - timedelta(days=60))
    talking.upgrade()
    assert not ModelAnswer.objects.exists()


def test_the_environment_alone_is_enough(talking: Talking, settings: Settings) -> None:
    talking.workspace.settings = {}
    talking.workspace.save()
    settings.OUTBOUND_ALLOWED = []
    changes = {"engine": "openai", "openai_base_url": talking.model.url, "openai_api_key": SecretStr("sk-environment")}
    settings.OPTIONS = settings.OPTIONS.model_copy(update={**changes, "interpretation_model": "sorter"})
    talking.say(TEXTS[0])
    signal = Signal.objects.get()
    assert (signal.extraction_model, signal.interpretation_model) == ("gpt-5.2", "sorter")
    assert {asked.authorization for asked in talking.model.asked} == {"Bearer sk-environment"}


def test_the_environments_key_goes_to_no_address_of_a_workspace(talking: Talking, settings: Settings) -> None:
    changes = {"openai_base_url": "http://127.0.0.1:1/v1", "openai_api_key": SecretStr("sk-environment")}
    settings.OPTIONS = settings.OPTIONS.model_copy(update=changes)
    talking.workspace.settings = {}
    talking.choose(key="")
    talking.say(TEXTS[0])
    assert {asked.authorization for asked in talking.model.asked} == {""}
