"""A workspace's own head: what people put right, as a small linear change of what the engine says. No Django, no clock.

The engine's answer enters as odds, and the head adds to their logarithm. Its weights are held to zero, so it begins as
the engine, and a few corrections move only what lies close to them. Answers that nobody put right are shown to it as
well: people correct what is wrong, and a head that saw only that would learn that everything is. Any engine will do: no
more is needed of it than its answer, how sure it is, and the vector of the words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Matrix = NDArray[np.float64]

#: How strongly the weights are held to zero, and how much an answer that nobody touched counts beside a judged one.
#: With less than a third, a hundred corrections of a good engine's few errors make it worse than it was.
HELD, UNTOUCHED = 1.0, 0.3
#: What the vector and the engine's own answer count as features.
MEANING, ANSWER = 4.0, 1.0
#: The engine is never taken to be surer than this: it is said of answers that people found wrong.
SUREST = 0.9
STEPS = 60
#: How many answers that nobody touched a head is shown.
SHOWN = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of some words: its answer, how sure it was, and their vector of length one."""

    answer: str
    confidence: float
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading and what a person says it is."""

    reading: Reading
    truth: str


@dataclass(frozen=True, slots=True)
class WorkspaceHead:
    """Weights of (features, classes); features are the centred vector, the engine's answer, and a 1."""

    classes: tuple[str, ...]
    middle: NDArray[np.float32]
    weights: NDArray[np.float32]

    def answer(self, readings: Sequence[Reading]) -> list[tuple[str, float]]:
        """For each reading what this workspace calls it, and how sure that is."""
        if not readings:
            return []
        odds = _softmax(_prior(readings, self.classes) + _features(readings, self.classes, self.middle) @ self.weights)
        best = odds.argmax(axis=1)
        return [(self.classes[place], float(row[place])) for place, row in zip(best, odds, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """For the database: about 30 KB."""
        return {
            "classes": list(self.classes),
            "middle": [round(float(value), 6) for value in self.middle],
            "weights": [[round(float(value), 5) for value in row] for row in self.weights],
        }

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "WorkspaceHead":
        """The head that `as_json` wrote."""
        return cls(
            tuple(stored["classes"]),
            np.array(stored["middle"], dtype=np.float32),
            np.array(stored["weights"], dtype=np.float32),
        )


def fit_workspace_head(
    judged: Sequence[Judged], *, untouched: Sequence[Reading], classes: Sequence[str], middle: NDArray[np.float32]
) -> WorkspaceHead:
    """The head that fits what people judged and otherwise says what the engine says. Deterministic.

    `untouched` are answers that nobody put right, of which the first 500 count, as less certain truths: they keep the
    head near the engine where no one objected. `middle` is the mean vector of feedback here. Without anything judged
    it changes nothing.
    """
    kinds = tuple(classes)
    known = [one for one in judged if one.truth in kinds]
    untouched = untouched[:SHOWN]
    readings = [*(one.reading for one in known), *untouched]
    if not known:
        return WorkspaceHead(kinds, middle, np.zeros((len(middle) + len(kinds) + 1, len(kinds)), dtype=np.float32))
    features, prior = _features(readings, kinds, middle), _prior(readings, kinds)
    weight = np.array([1.0] * len(known) + [UNTOUCHED] * len(untouched))
    target = _marks([*(one.truth for one in known), *(one.answer for one in untouched)], kinds)
    shape = (features.shape[1], len(kinds))

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        scores = prior + features @ weights
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        slope = features.T @ (weight[:, None] * (np.exp(logs) - target)) + HELD * weights
        return float(-(weight[:, None] * target * logs).sum() + HELD / 2 * (weights**2).sum()), slope.ravel()

    from scipy.optimize import minimize  # noqa: PLC0415 - a quarter of a second and 30 MB, only where a head is trained

    # One thread: the matrices are small, and the same machine gives the same bytes however busy it is.
    with threadpool_limits(1):
        found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return WorkspaceHead(kinds, middle, found.x.reshape(shape).astype(np.float32))


def _features(readings: Sequence[Reading], classes: tuple[str, ...], middle: NDArray[np.float32]) -> Matrix:
    vectors = np.array([one.vector for one in readings], dtype=np.float64).reshape(len(readings), len(middle)) - middle
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    answers = _marks([one.answer for one in readings], classes)
    return np.hstack([MEANING * vectors, ANSWER * answers, np.ones((len(readings), 1))])


def _prior(readings: Sequence[Reading], classes: tuple[str, ...]) -> Matrix:
    """The logarithm of the odds: the answer as sure as it was, the others share the rest."""
    sure = np.clip([[one.confidence] for one in readings], 1.2 / len(classes), SUREST)
    marks = _marks([one.answer for one in readings], classes)
    return np.asarray(np.log(marks * sure + (1 - marks) * (1 - sure) / (len(classes) - 1)))


def _marks(names: Sequence[str], classes: tuple[str, ...]) -> Matrix:
    return np.array([[float(name == one) for one in classes] for name in names]).reshape(len(names), len(classes))


def _softmax(scores: Matrix) -> Matrix:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
