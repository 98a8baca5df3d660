"""A workspace's head: it begins as the engine, learns what people say, and leaves alone what is far from it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tellback.understanding.learning.heads import Judged, Reading, WorkspaceHead, fit_workspace_head

CLASSES = ("bug_report", "feature_request", "question", "praise")
MIDDLE = np.zeros(64, dtype=np.float32)


def near(place: int, seed: int) -> NDArray[np.float32]:
    """A vector of length one close to one of the axes."""
    vector = np.random.default_rng(seed).normal(0, 0.05, 64).astype(np.float32)
    vector[place] += 1
    return vector / np.linalg.norm(vector)


def said(answer: str, place: int, seed: int, confidence: float = 0.7) -> Reading:
    return Reading(answer, confidence, near(place, seed))


def untouched() -> list[Reading]:
    return [said(CLASSES[seed % 4], 10 + seed % 4, 500 + seed) for seed in range(40)]


def fit(judged: list[Judged]) -> WorkspaceHead:
    return fit_workspace_head(judged, untouched=untouched(), classes=CLASSES, middle=MIDDLE)


def answers(head: WorkspaceHead, *readings: Reading) -> list[str]:
    return [answer for answer, _ in head.answer(readings)]


def test_without_judgements_the_engine_has_the_say() -> None:
    readings = [said(name, place, 1) for place, name in enumerate(CLASSES)]
    assert answers(fit([]), *readings) == list(CLASSES)


def test_what_was_put_right_is_understood_the_next_time() -> None:
    head = fit([Judged(said("bug_report", 3, seed), "question") for seed in range(12)])
    assert answers(head, *(said("bug_report", 3, seed) for seed in range(100, 110))) == ["question"] * 10


def test_far_from_what_was_put_right_nothing_changes() -> None:
    head = fit([Judged(said("bug_report", 3, seed), "question") for seed in range(12)])
    others = [said(CLASSES[seed % 4], 10 + seed % 4, 900 + seed) for seed in range(40)]
    assert answers(head, *others) == [one.answer for one in others]


def test_one_wrong_correction_among_many_answers_spoils_nothing() -> None:
    judged = [Judged(said("praise", 5, seed), "praise") for seed in range(20)]
    head = fit([*judged, Judged(said("praise", 5, 77), "bug_report")])
    assert answers(head, *(said("praise", 5, seed) for seed in range(200, 210))) == ["praise"] * 10


def test_correcting_a_good_engines_few_errors_leaves_what_it_knows() -> None:
    def reading(seed: int, answer: str) -> Reading:
        rng = np.random.default_rng(seed)
        vector = rng.normal(0, 1, 64).astype(np.float32)
        return Reading(answer, 0.6, vector / np.linalg.norm(vector))

    errors = [Judged(reading(seed, CLASSES[seed % 4]), CLASSES[(seed + 1 + seed % 3) % 4]) for seed in range(80)]
    right = [reading(1000 + seed, CLASSES[seed % 4]) for seed in range(470)]
    head = fit_workspace_head(errors, untouched=right, classes=CLASSES, middle=MIDDLE)
    others = [reading(5000 + seed, CLASSES[seed % 4]) for seed in range(200)]
    kept = sum(answer == one.answer for answer, one in zip(answers(head, *others), others, strict=True))
    # Without any pattern in the errors; at a twentieth of a judgement's weight less than half would be kept.
    assert kept > 160


def test_the_same_judgements_give_the_same_bytes() -> None:
    judged = [Judged(said("bug_report", 3, seed), "question") for seed in range(12)]
    assert fit(judged).weights.tobytes() == fit(judged).weights.tobytes()


def test_it_comes_back_from_the_database_as_it_was() -> None:
    head = fit([Judged(said("bug_report", 3, seed), "question") for seed in range(12)])
    again = WorkspaceHead.of_json(head.as_json())
    reading = said("bug_report", 3, 55)
    assert again.answer([reading])[0][0] == head.answer([reading])[0][0]
    assert again.answer([reading])[0][1] == pytest.approx(head.answer([reading])[0][1], abs=1e-3)


def test_a_truth_that_it_does_not_know_is_left_out() -> None:
    assert not fit([Judged(said("bug_report", 3, 1), "gone")]).weights.any()
