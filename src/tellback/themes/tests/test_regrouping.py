"""What upkeep would propose, from vectors alone."""

import numpy as np

from tellback.themes import rules
from tellback.themes.regrouping import Regrouping, apply, regroup

SIZE = 32
SPACE = rules.Space(mean=np.zeros(SIZE, dtype=np.float32))


def said(topic: int, count: int, *, seed: int) -> rules.Matrix:
    """So many sentences about one topic."""
    draw = np.random.default_rng(seed)
    vectors = np.eye(SIZE)[topic] + 0.12 * draw.standard_normal((count, SIZE))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


EXPORT, DARK, LOGIN = said(1, 12, seed=1), said(2, 10, seed=2), said(3, 8, seed=3)
ALL = np.vstack([EXPORT, DARK, LOGIN])
RIGHT = [0] * 12 + [1] * 10 + [2] * 8


def test_themes_that_fit_are_left_alone() -> None:
    assert regroup(ALL, RIGHT, SPACE) == []


def test_two_themes_about_one_thing_are_to_be_merged() -> None:
    themes = [0] * 7 + [3] * 5 + [1] * 10 + [2] * 8
    found = regroup(ALL, themes, SPACE)
    assert found == [Regrouping("merge", (3,), 0, tuple(range(7, 12)))]
    assert apply(found, themes) == RIGHT


def test_a_theme_about_two_things_is_to_be_split() -> None:
    themes = [0] * 22 + [2] * 8
    found = regroup(ALL, themes, SPACE)
    assert found == [Regrouping("split", (0,), None, tuple(range(12, 22)))]


def test_signals_in_the_wrong_theme_are_to_move_to_the_right_one() -> None:
    themes = [0] * 12 + [1] * 7 + [0] * 3 + [2] * 8
    assert regroup(ALL, themes, SPACE) == [Regrouping("split", (0,), 1, (19, 20, 21))]


def test_what_a_person_placed_is_not_moved() -> None:
    themes = [0] * 12 + [1] * 7 + [0] * 3 + [2] * 8
    assert regroup(ALL, themes, SPACE, kept={19, 20, 21}) == []


def test_themes_that_a_person_told_apart_are_not_joined() -> None:
    themes = [0] * 7 + [3] * 5 + [1] * 10 + [2] * 8
    assert regroup(ALL, themes, SPACE, apart={(0, 3)}) == []


def test_signals_that_stand_alone_join_what_they_are_like() -> None:
    themes = [0] * 10 + [7, 8] + [1] * 10 + list(range(10, 18))
    found = regroup(ALL, themes, SPACE, alone={7, 8, *range(10, 18)})
    assert [one.kind for one in found] == ["gather", "gather"]
    assert found[0] == Regrouping("gather", tuple(range(10, 18)), None, tuple(range(22, 30)))
    assert found[1] == Regrouping("gather", (7, 8), 0, (10, 11))


def test_a_signal_that_a_person_gave_a_theme_of_its_own_is_not_gathered() -> None:
    themes = [0] * 10 + [7, 8] + [1] * 10 + [2] * 8
    assert regroup(ALL, themes, SPACE, alone={7, 8}, kept={10}) == [Regrouping("gather", (8,), 0, (11,))]


def test_two_runs_propose_the_same() -> None:
    themes = [0, 1, 2] * 10
    assert regroup(ALL, themes, SPACE) == regroup(ALL, themes, SPACE)


def test_a_handful_of_signals_is_nothing_to_regroup() -> None:
    assert regroup(EXPORT[:4], [0, 1, 0, 1], SPACE) == []
    assert regroup(np.zeros((0, SIZE), dtype=np.float32), [], SPACE) == []
