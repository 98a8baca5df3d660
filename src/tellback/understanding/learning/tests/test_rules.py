"""Accuracy with its interval, agreement and drift, from judgements alone."""

from datetime import date, timedelta

import pytest

from tellback.understanding.learning.guidance import Change, write_guidance
from tellback.understanding.learning.rules import (
    Judgement,
    Share,
    Verdict,
    accuracy,
    accuracy_by_answer,
    by_week,
    disagreement,
    has_drifted,
    settle,
)

FRIDAY = date(2026, 11, 20)


def judged(about: str, said: str, truth: str, *, person: str = "ada", asked: bool = True) -> Judgement:
    return Judgement(about, said, truth, person, FRIDAY, asked)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Published values of the Wilson interval (Newcombe 1998, table I, method 3).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert Share(hits, of).interval == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert Share(0, 0).interval == (0, 1)


def test_the_last_word_on_the_first_answer_counts() -> None:
    some = [judged("a", "bug", "question"), judged("a", "question", "bug", person="bo"), judged("b", "bug", "praise")]
    verdicts = settle(some)
    assert accuracy(verdicts) == Share(1, 2)
    assert accuracy_by_answer(verdicts) == {"bug": Share(1, 2)}


def test_people_differ_where_their_last_words_do() -> None:
    some = [
        judged("a", "bug", "bug"),
        judged("a", "bug", "praise", person="bo"),
        judged("b", "bug", "praise"),
        judged("b", "bug", "bug", person="bo"),
        judged("b", "bug", "bug"),
        judged("c", "bug", "bug"),
    ]
    assert disagreement(some) == Share(1, 2)


def test_weeks_without_a_verdict_are_there_too() -> None:
    weeks = by_week([Verdict("a", "a", FRIDAY, asked=True)], until=FRIDAY, weeks=2)
    assert weeks == [(date(2026, 11, 9), Share(0, 0)), (date(2026, 11, 16), Share(1, 1))]


def test_drift_is_more_than_chance() -> None:
    def weeks(*shares: Share) -> list[tuple[date, Share]]:
        return [(FRIDAY + timedelta(weeks=number), share) for number, share in enumerate(shares)]

    assert has_drifted(weeks(Share(90, 100), Share(60, 100)))
    assert not has_drifted(weeks(Share(9, 10), Share(6, 10)))
    assert not has_drifted(weeks(Share(0, 0), Share(6, 10)))


def test_guidance_names_what_was_changed_again_and_again_and_why() -> None:
    slow = Change("signal_type", "complaint", "bug_report", "slowness is a defect here.")
    once = Change("sentiment", "neutral", "negative")
    assert write_guidance([slow, once, slow, slow]) == (
        "The team changed the type 3 times from complaint to bug_report (their reasons: slowness is a defect here)."
    )


def test_guidance_gathers_what_became_the_same() -> None:
    some = [Change("signal_type", before, "question") for before in ("complaint", "bug_report", "bug_report")]
    assert write_guidance(some) == "The team changed the type 3 times from bug_report or complaint to question."


def test_guidance_says_nothing_where_the_team_is_of_two_minds() -> None:
    there, back = Change("sentiment", "neutral", "negative"), Change("sentiment", "negative", "neutral")
    assert not write_guidance([there, back, there, back])


def test_guidance_is_never_cut_in_a_sentence() -> None:
    many = [Change("board_id", "none", f"board {number} {'x' * 200}", "y" * 130) for number in range(12)]
    text = write_guidance([*many, *many])
    assert 1000 < len(text) < 2000
    assert text.endswith(").")
