"""The decisions of triage."""

import pytest

from tellback.triage import rules


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (rules.ScoreInputs("medium", "in-app", "general"), 50),
        (rules.ScoreInputs("critical", "support", "bug"), 100),
        (rules.ScoreInputs("high", "support", "bug"), 90),
        (rules.ScoreInputs("high", "in-app", "bug", "4.2-latest"), 85),
        (rules.ScoreInputs("low", "review", "usability"), 50),
    ],
)
def test_the_score_is_document_1s_formula(inputs: rules.ScoreInputs, expected: int) -> None:
    result = rules.score(inputs)
    assert result.value == expected
    assert min(sum(result.parts.values()), 100) == expected


def test_a_critical_report_is_never_less_than_high() -> None:
    assert rules.priority_of(10, severity="critical", thresholds=rules.Thresholds()) == "high"
    assert rules.priority_of(10, severity="low", thresholds=rules.Thresholds()) == "low"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("The app crashes on start", "bug"),
        ("Could we have dark mode", "feature-request"),
        ("The layout is odd", "usability"),
        ("Thanks, all good", "general"),
    ],
)
def test_keywords_name_the_intent_in_the_order_of_document_1(text: str, intent: str) -> None:
    assert rules.keyword_intent(text) == intent


def test_a_bug_outweighs_the_other_signals_of_an_item() -> None:
    assert rules.intent_of_signals(["praise", "feature_request", "bug_report"]) == "bug"
    assert rules.intent_of_signals([]) == "general"


def test_every_status_has_transitions_into_known_statuses() -> None:
    assert set().union(*rules.TRANSITIONS.values()) <= set(rules.TRANSITIONS)
    assert not rules.may_follow("new", "new")
    assert rules.may_follow("planned", "completed")
    assert not rules.may_follow("completed", "new")


def test_senders_words_become_one_axis_of_types() -> None:
    assert [rules.canonical_type(word) for word in ("feature-request", "usability", "billing", "whatever")] == [
        "feature",
        "ux",
        "billing",
        "other",
    ]


def test_a_summary_is_one_line_of_at_most_255_characters() -> None:
    assert rules.summary_of("", "One\n two ") == "One two"
    long = rules.summary_of("", "word " * 100)
    assert len(long) <= 255
    assert long.endswith("…")
