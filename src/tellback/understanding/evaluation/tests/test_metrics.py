"""The metrics, against figures worked out by hand."""

import pytest

from tellback.understanding.evaluation import metrics


def test_bcubed_of_a_perfect_and_of_a_lumped_clustering() -> None:
    assert metrics.bcubed_f1([0, 0, 1, 1], ["a", "a", "b", "b"]) == 1
    # All in one: precision 0.5, recall 1.
    assert metrics.bcubed_f1([0, 0, 1, 1], [0, 0, 0, 0]) == pytest.approx(2 / 3)


def test_recall_at_precision_stops_before_the_first_mistakes() -> None:
    truth, scores = [True, True, False, True], [0.9, 0.8, 0.7, 0.6]
    assert metrics.recall_at_precision(truth, scores, precision=0.99) == pytest.approx(2 / 3)
    assert metrics.recall_at_precision(truth, scores, precision=0.75) == 1


def test_equal_scores_cannot_be_cut_apart() -> None:
    assert metrics.recall_at_precision([True, False], [0.5, 0.5], precision=0.99) == 0


def test_each_place_is_matched_once() -> None:
    assert metrics.matched([(0, 10)], [(0, 9), (0, 10)], at_least=0.8) == [(0, 1)]
    assert metrics.matched([(0, 10)], [(0, 5)], at_least=0.8) == []


def test_a_tally_counts_precision_recall_and_f1() -> None:
    tally = metrics.Tally(hits=2, truth=4, guess=2)
    assert (tally.precision, tally.recall) == (1, 0.5)
    assert tally.f1 == pytest.approx(2 / 3)


def test_macro_f1_is_over_the_true_labels() -> None:
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "b"]) == 1
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)
