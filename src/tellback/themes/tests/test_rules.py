"""Which theme a signal joins, and how strong a theme is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tellback.themes import rules

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def around(direction: int, count: int, seed: int) -> rules.Matrix:
    """Vectors of length one near one axis of 64, on top of something that all have in common."""
    noise = np.random.default_rng(seed).normal(0, 0.05, (count, 64))
    noise[:, direction] += 1
    noise[:, 63] += 0.8
    return np.asarray(noise / np.linalg.norm(noise, axis=1, keepdims=True), dtype=np.float32)


def common() -> rules.Vector:
    mean = np.zeros(64, dtype=np.float32)
    mean[63] = 0.6
    return mean


def test_the_first_signal_founds_a_theme() -> None:
    decision = rules.assign(around(0, 1, 1)[0], np.zeros((0, 64), dtype=np.float32), rules.Space(mean=common()))
    assert (decision.action, decision.candidate) == ("create_new", None)


def test_the_second_signal_alike_joins_at_once() -> None:
    first, second = around(0, 2, 2)
    decision = rules.assign(second, first[None], rules.Space(mean=common()))
    assert (decision.action, decision.candidate, decision.needs_review) == ("assign_existing", 0, False)
    assert decision.confidence > 0.9


def test_another_need_founds_its_own_theme_though_all_texts_have_much_in_common() -> None:
    one, other = around(0, 1, 3)[0], around(1, 1, 4)[0]
    assert float(one @ other) > 0.2
    assert rules.assign(other, one[None], rules.Space(mean=common())).action == "create_new"


def test_between_the_two_thresholds_a_person_is_asked() -> None:
    space = rules.Space(mean=np.zeros(64, dtype=np.float32))
    between = (space.threshold(rules.Z_JOIN) + space.threshold(rules.Z_SURE)) / 2
    theme, signal = np.zeros((1, 64), dtype=np.float32), np.zeros(64, dtype=np.float32)
    theme[0, 0] = 1
    signal[0], signal[1] = between, np.sqrt(1 - between**2)
    decision = rules.assign(signal, theme, space)
    assert (decision.action, decision.needs_review) == ("assign_existing", True)


def test_a_space_learns_the_mean_and_how_alike_unrelated_signals_are() -> None:
    space = rules.Space(mean=common())
    vectors = np.vstack([around(direction, 40, direction) for direction in range(10)])
    np.random.default_rng(0).shuffle(vectors)
    for vector in vectors:
        space.learn(vector)
    assert (space.count, space.pairs) == (400, 399)
    assert np.linalg.norm(space.mean - vectors.mean(axis=0)) < 0.1
    assert 0.05 < space.pair_sd < 0.5


def test_a_centroid_is_the_mean_of_its_signals() -> None:
    vectors = around(0, 5, 5)
    centroid = vectors[0]
    for count, vector in enumerate(vectors[1:], start=1):
        centroid = rules.moved_centroid(centroid, count, vector)
    assert np.allclose(centroid, vectors.mean(axis=0), atol=1e-6)


def strength(people: int, urgency: str = "medium", days: int = 0) -> float:
    return rules.strength(
        reach=people,
        people=people,
        signals=people,
        urgency={urgency: people},
        last_signal=NOW - timedelta(days=days),
        now=NOW,
    )


def test_strength_grows_with_people_and_pressure_and_fades_with_time() -> None:
    assert strength(1) < strength(10) < strength(100) <= 100
    assert strength(10, "critical") > strength(10, "low")
    assert strength(10, days=45) < strength(10)


@pytest.mark.parametrize(("people", "about"), [(1, 9), (10, 50), (100, 91)])
def test_strength_has_the_documented_sizes(people: int, about: int) -> None:
    assert strength(people) == pytest.approx(about, abs=1)


def test_the_same_person_again_counts_little() -> None:
    again = rules.strength(reach=1, people=1, signals=10, urgency={"medium": 10}, last_signal=NOW, now=NOW)
    assert strength(1) < again < strength(10)


def test_a_theme_without_signals_has_no_strength() -> None:
    assert rules.strength(reach=0, people=0, signals=0, urgency={}, last_signal=None, now=NOW) == 0


@pytest.mark.parametrize(
    ("plan_weight", "mrr", "weight"),
    [(1, None, 1), (1, 0, 1), (3, None, 3), (1, 500, 2), (1, 1500, 3), (3, 500, 3), (1.5, 3500, 4), (0, None, 0)],
)
def test_a_person_counts_for_the_greater_of_plan_and_revenue(
    plan_weight: float, mrr: float | None, weight: float
) -> None:
    assert rules.person_weight(plan_weight=plan_weight, mrr=mrr, revenue_for_two=500) == pytest.approx(weight)


def test_revenue_counts_for_nothing_where_it_is_switched_off() -> None:
    assert rules.person_weight(plan_weight=1, mrr=90_000, revenue_for_two=0) == 1


def test_a_small_theme_is_counted_at_once_and_a_large_one_when_it_has_grown() -> None:
    assert rules.is_due(signals=1, counted=0)
    assert rules.is_due(signals=21, counted=20)
    assert not rules.is_due(signals=1001, counted=1000)
    assert rules.is_due(signals=1040, counted=1000)
    assert not rules.is_due(signals=20, counted=20)
