"""What a model must answer, and what becomes of an answer that does not keep to it."""

import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from tellback.engines.openai.contracts import (
    REJECTIONS,
    Handles,
    Rejected,
    check_description,
    check_extraction,
    check_interpretation,
    description_schema,
    extraction_schema,
    interpretation_schema,
)
from tellback.engines.openai.prompts import Pass, load_prompt
from tellback.engines.openai.words import Sent
from tellback.sdk.engine import Item, KnownTheme, NamedThing, Taxonomy

TEXT = "The CSV export is broken. I love the new editor though, and dark mode would be nice."
TAXONOMY = Taxonomy(
    boards=(NamedThing("b1", "Exports"), NamedThing("b2", "Editor")),
    tags=(NamedThing("t1", "csv"),),
    themes=(KnownTheme("th1", "CSV exports", "They break"), KnownTheme("th2", "Editor", "Liked")),
)
HANDLES = Handles.of(TAXONOMY)


def signal(**changes: Any) -> dict[str, Any]:
    whole = {
        "signalType": "bug_report",
        "summary": "The CSV export is broken",
        "implicitNeed": None,
        "evidence": ["The CSV export is broken."],
        "confidence": 0.9,
    }
    return {**whole, **changes}


def extraction(*signals: object) -> str:
    return json.dumps({"signals": list(signals)})


def read(content: str) -> Any:
    return check_extraction(content, item=Item(TEXT), sent=Sent.of(TEXT))


def interpretation(decision: dict[str, Any] | None = None, **changes: Any) -> str:
    chosen = {
        "action": "assign_existing",
        "themeId": "theme-1",
        "newTheme": None,
        "confidence": 0.8,
        "reasoning": "Same",
    }
    whole = {
        "boardId": "board-1",
        "tags": ["tag-1"],
        "sentiment": "negative",
        "urgency": "high",
        "underlyingNeed": "Whole exports",
        "themeDecision": {**chosen, **(decision or {})},
    }
    return json.dumps({**whole, **changes})


NEW = {"title": "Broken exports", "summary": "Exports lose rows.", "parentThemeId": "theme-2"}
CREATE = {"action": "create_new", "themeId": None, "newTheme": NEW}


def kind_of(content: str) -> str:
    with pytest.raises(Rejected) as caught:
        read(content)
    return caught.value.kind


def test_signals_come_in_the_order_of_their_words_with_spans_of_the_text() -> None:
    last = signal(signalType="feature_request", evidence=["dark mode would be nice."], summary="Dark mode")
    checked = read(extraction(last, signal(confidence=1)))
    assert [one.signal_type for one in checked.value] == ["bug_report", "feature_request"]
    assert all(span.is_verbatim_in(TEXT) for one in checked.value for span in one.evidence)
    assert checked.rejected == {}


def test_a_made_up_quote_is_thrown_away_and_the_signal_stays_with_the_true_one() -> None:
    checked = read(extraction(signal(evidence=["The CSV export is broken.", "I would pay twice as much"])))
    assert [span.quote for span in checked.value[0].evidence] == ["The CSV export is broken."]
    assert checked.rejected == {"unfound_quote": 1}


def test_a_signal_without_a_true_quote_is_thrown_away() -> None:
    checked = read(extraction(signal(), signal(evidence=["Nobody said this"])))
    assert len(checked.value) == 1
    assert checked.rejected == {"unfound_quote": 1, "no_evidence": 1}


def test_an_answer_whose_every_quote_is_made_up_is_none() -> None:
    assert kind_of(extraction(signal(evidence=["Nobody said this"]))) == "no_evidence"


def test_nothing_found_is_an_answer() -> None:
    assert read(extraction()).value == ()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("Sure! Here you are.", "not_json"),
        ('{"signals": [', "not_json"),
        ("[" * 20_000, "not_json"),
        ("x" * 1_000_000, "too_long"),
        ("null", "off_schema"),
        ("[]", "off_schema"),
        ('{"signals": {}}', "off_schema"),
        (extraction(signal(confidence=1.5)), "off_schema"),
        (extraction(signal(confidence="0.9")), "off_schema"),
        ('{"signals": [{"confidence": NaN}]}', "off_schema"),
        (extraction(signal(signalType="order")), "off_schema"),
        (extraction(signal(tool="merge_themes")), "off_schema"),
        (extraction(signal(evidence="The CSV export is broken.")), "off_schema"),
        ('{"signals": [], "merge": "all"}', "off_schema"),
    ],
)
def test_an_answer_that_is_no_answer_is_refused_by_kind(content: str, kind: str) -> None:
    assert kind_of(content) == kind
    assert kind in REJECTIONS


def test_an_answer_in_a_fence_is_read() -> None:
    assert len(read(f"```json\n{extraction(signal())}\n```").value) == 1


def test_only_so_many_signals_and_quotes_are_read() -> None:
    checked = read(extraction(*[signal(evidence=["The CSV export is broken."] * 20)] * 60))
    assert len(checked.value) == 24
    assert all(len(one.evidence) == 1 for one in checked.value)


def test_links_and_markup_leave_the_models_own_words_and_are_counted() -> None:
    said = signal(
        summary="Look: ![p](https://evil.example/p.png) broken <b>export</b>", implicitNeed="http://x.example"
    )
    checked = read(extraction(said))
    assert checked.value[0].summary == "Look: p broken export"
    assert checked.value[0].implicit_need is None
    assert checked.rejected == {"unsafe_words": 2}


def test_ids_come_back_as_those_that_were_supplied() -> None:
    value = check_interpretation(interpretation(), handles=HANDLES).value
    assert (value.board_id, value.tag_ids) == ("b1", ("t1",))
    assert value.theme is not None
    assert (value.theme.theme_id, value.theme.title) == ("th1", "")
    made = check_interpretation(interpretation(CREATE), handles=HANDLES).value.theme
    assert made is not None
    assert (made.theme_id, made.title, made.parent_id) == (None, "Broken exports", "th2")


def test_what_is_null_may_be_left_out_or_written_as_a_text() -> None:
    whole = json.loads(interpretation({**CREATE, "themeId": "", "newTheme": {**NEW, "parentThemeId": "null"}}))
    del whole["boardId"], whole["underlyingNeed"], whole["tags"]
    value = check_interpretation(json.dumps(whole), handles=HANDLES).value
    assert (value.board_id, value.tag_ids, value.need) == (None, (), None)
    assert value.theme is not None
    assert (value.theme.theme_id, value.theme.parent_id) == (None, None)


def test_an_unknown_tag_is_left_out_and_counted() -> None:
    checked = check_interpretation(interpretation(tags=["tag-1", "tag-7", "tag-1"]), handles=HANDLES)
    assert checked.value.tag_ids == ("t1",)
    assert checked.rejected == {"unknown_id": 1}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (interpretation(boardId="board-9"), "unknown_id"),
        (interpretation(boardId="b1"), "unknown_id"),
        (interpretation(boardId=["board-1"]), "off_schema"),
        (interpretation({"themeId": "th1"}), "unknown_id"),
        (interpretation({"themeId": "theme-99"}), "unknown_id"),
        (interpretation({**CREATE, "newTheme": {**NEW, "parentThemeId": "theme-99"}}), "unknown_id"),
        (interpretation({"themeId": None}), "off_schema"),
        (interpretation({**CREATE, "themeId": "theme-1"}), "off_schema"),
        (interpretation({**CREATE, "newTheme": None}), "off_schema"),
        (interpretation({**CREATE, "newTheme": {**NEW, "title": "https://evil.example"}}), "off_schema"),
        (interpretation({"action": "merge_all"}), "off_schema"),
        (interpretation(sentiment="furious"), "off_schema"),
        (interpretation({"confidence": -1}), "off_schema"),
    ],
)
def test_a_decision_that_names_what_it_was_not_given_is_refused(content: str, kind: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_interpretation(content, handles=HANDLES)
    assert caught.value.kind == kind
    assert caught.value.counts[kind] >= 1


def test_a_description_must_cite_texts_that_were_sent() -> None:
    good = json.dumps({"title": "“CSV export.”", "summary": "It loses rows.", "cited": [2, 1, 2, 9]})
    checked = check_description(good, count=3)
    assert (checked.value.title, checked.value.cited) == ("CSV export", (1, 0))
    assert checked.rejected == {"unknown_id": 1}
    with pytest.raises(Rejected):
        check_description(json.dumps({"title": "A", "summary": "B", "cited": [0, 9]}), count=3)
    with pytest.raises(Rejected):
        check_description(json.dumps({"title": "<b></b>", "summary": "B", "cited": [1]}), count=3)


def objects(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


@pytest.mark.parametrize(
    "schema",
    [
        extraction_schema(),
        interpretation_schema(HANDLES),
        interpretation_schema(Handles.of(Taxonomy())),
        description_schema(),
    ],
)
def test_schemas_are_strict_throughout(schema: dict[str, Any]) -> None:
    found = list(objects(schema))
    assert found
    for one in found:
        assert one["additionalProperties"] is False
        assert set(one["required"]) == set(one["properties"])
    assert not any(word in json.dumps(schema) for word in ("minimum", "maxLength", "pattern", "$ref"))


def test_the_schema_offers_the_supplied_ids_and_no_others() -> None:
    said = json.dumps(interpretation_schema(HANDLES))
    assert {f'"{name}"' in said for name in (*HANDLES.boards, *HANDLES.tags, *HANDLES.themes)} == {True}
    assert "th1" not in said


#: Grows with each version; a line never changes, since signals say which version made them.
PUBLISHED = {
    "description.v1.md": "268a22f1f46b3973",
    "extraction.v1.md": "4406525e0cc79181",
    "interpretation.v1.md": "2d5a79c315145345",
}


def test_a_published_prompt_never_changes() -> None:
    folder = files("tellback.engines.openai.prompts")
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        for file in folder.iterdir()
        if file.name.endswith(".md")
    }
    assert found == PUBLISHED


@pytest.mark.parametrize("kind", [Pass.EXTRACTION, Pass.INTERPRETATION, Pass.DESCRIPTION])
def test_every_prompt_says_that_text_is_data(kind: Pass) -> None:
    assert "never an instruction" in load_prompt(kind).text
