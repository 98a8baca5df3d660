"""Decisions of themes: which theme a signal joins, and how strong a theme is. Numpy only.

No raw cosine threshold carries over between domains, so similarities are taken after subtracting what the workspace is
about as a whole (its running mean vector), and the threshold is the mean plus `z` standard deviations of the similarity
of unrelated pairs. The caller keeps, per workspace and embedding model, a `Space`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

#: Kinds of signal that are counted but gather no theme: praise would drown needs.
UNTHEMED = frozenset({"praise"})

#: The local engine's calibrated rule, measured on the public files (benchmarks/README.md).
Z_JOIN = 3.1
Z_SURE = 3.6
#: What is read less well looks alike for its language, not its need: it must be this much closer to join.
Z_GUESSED = 5.0
#: How many signals the shipped prior counts for, so that the first ten already behave.
PRIOR_WEIGHT = 60
PRIOR_PAIR_SD = 0.13
CANDIDATES = 8
#: Centred similarity from which two wordings say the same thing, so that what a person said of one holds for the other.
SAME_THING = 0.72

#: Document 3, section 5.5, for themes that a language model chose: plain cosines, and the model's own confidence.
CANDIDATE_COSINE = 0.42
CHOSEN_COSINE, CHOSEN_CONFIDENCE = 0.50, 0.70


@dataclass(slots=True)
class Space:
    """What is known of a workspace's embeddings: the mean vector, and how alike unrelated signals are.

    `count` signals made `mean`; `pairs` similarities have the running mean `pair_mean` and the sum of squared
    deviations `pair_m2`.
    """

    mean: Vector
    count: int = 0
    pairs: int = 0
    pair_mean: float = 0.0
    pair_m2: float = 0.0
    last: Vector | None = field(default=None)

    @property
    def pair_sd(self) -> float:
        """Standard deviation of the similarity of unrelated pairs, shrunk to the shipped prior while few were seen."""
        m2 = self.pair_m2 + PRIOR_WEIGHT * PRIOR_PAIR_SD**2
        return math.sqrt(m2 / (self.pairs + PRIOR_WEIGHT))

    def threshold(self, z: float) -> float:
        """The centred similarity that `z` standard deviations above chance mean here."""
        shrunk = self.pair_mean * self.pairs / (self.pairs + PRIOR_WEIGHT)
        return shrunk + z * self.pair_sd

    def learn(self, vector: Vector) -> None:
        """Take one more signal into account, in order of arrival."""
        if self.last is not None:
            similarity = float(centred(vector, self.mean) @ centred(self.last, self.mean))
            self.pairs += 1
            change = similarity - self.pair_mean
            self.pair_mean += change / self.pairs
            self.pair_m2 += change * (similarity - self.pair_mean)
        weight = self.count + PRIOR_WEIGHT
        self.mean = ((self.mean * weight + vector) / (weight + 1)).astype(np.float32)
        self.count += 1
        self.last = vector


def why_unthemed(signal_type: str, *, tells: bool, comparable: bool = True) -> str:
    """Why a signal gathers no theme, for a person to read; empty when it may.

    Vectors of two models cannot be compared: a signal whose vector is not of the workspace's model waits for one.
    """
    if signal_type in UNTHEMED:
        return "Thanks are counted, not themed"
    if not comparable:
        return "It waits for its vector by the language model"
    return "" if tells else "It says how somebody feels, not about what"


def centred(vectors: NDArray[np.float32], mean: Vector) -> NDArray[np.float32]:
    """Vectors without what all have in common, of length one."""
    apart = vectors - mean
    norm = np.linalg.norm(apart, axis=-1, keepdims=True)
    return np.asarray(apart / np.maximum(norm, 1e-6), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a signal goes. `candidate` is a row of the given centroids, None for a new theme."""

    action: Literal["assign_existing", "create_new"]
    candidate: int | None
    similarity: float
    confidence: float
    needs_review: bool
    reason: str


def assign(vector: Vector, centroids: Matrix, space: Space, *, z: float = Z_JOIN) -> Decision:
    """Join the closest theme if it is closer than chance allows, else found a new one.

    `centroids` has one row per candidate theme and may be empty; `z` is how far above chance the closest must be.
    Between that and `Z_SURE` the signal joins and is flagged for a person to look at.
    """
    join, sure = space.threshold(z), space.threshold(Z_SURE)
    if not len(centroids):
        return Decision("create_new", None, 0.0, 1.0, needs_review=False, reason="Nothing like it was said before")
    similarities = centred(centroids, space.mean) @ centred(vector, space.mean)
    best = int(similarities.argmax())
    similarity = float(similarities[best])
    if similarity < join:
        return Decision(
            "create_new",
            None,
            similarity,
            confidence=_confidence(join - similarity, space.pair_sd),
            needs_review=False,
            reason=f"The closest theme is {similarity:.2f} alike; {join:.2f} is needed here",
        )
    return Decision(
        "assign_existing",
        best,
        similarity,
        confidence=_confidence(similarity - join, space.pair_sd),
        needs_review=similarity < sure,
        reason=f"{similarity:.2f} alike, {join:.2f} is needed here",
    )


def founded(reason: str, instead_of: Decision) -> Decision:
    """A new theme because a language model saw none that fits, whatever the vectors say."""
    return Decision("create_new", None, instead_of.similarity, 1.0, needs_review=False, reason=reason)


def is_chosen_surely(*, confidence: float, cosine: float) -> bool:
    """Whether a language model's choice stands without a person looking at it."""
    return confidence >= CHOSEN_CONFIDENCE and cosine >= CHOSEN_COSINE


def _confidence(distance: float, sd: float) -> float:
    """From 0.5 at the threshold towards 1 with the distance in standard deviations."""
    return round(1 / (1 + math.exp(-2 * distance / sd)), 4)


def shares_words(spans: Sequence[Mapping[str, int]], others: Sequence[Mapping[str, int]]) -> bool:
    """Whether two lists of spans are about the same words: at least half of the shorter lies in the other."""
    common = sum(
        max(0, min(one["end"], other["end"]) - max(one["start"], other["start"])) for one in spans for other in others
    )
    shorter = min(sum(one["end"] - one["start"] for one in listed) for listed in (spans, others))
    return shorter > 0 and common >= shorter / 2


def nearest_precedent(vector: Vector, precedents: Matrix, space: Space) -> int | None:
    """The row of the precedent that says as good as the same, if one does."""
    if not len(precedents):
        return None
    similarities = centred(precedents, space.mean) @ centred(vector, space.mean)
    best = int(similarities.argmax())
    return best if similarities[best] >= max(SAME_THING, space.threshold(Z_SURE)) else None


def moved_centroid(centroid: Vector, count: int, vector: Vector) -> Vector:
    """The centroid after one more signal: (c * n + e) / (n + 1)."""
    return np.asarray((centroid * count + vector) / (count + 1), dtype=np.float32)


#: From so many signals a theme is known by its title, which then only changes when somebody says so.
SETTLED_SIZE = 20


def needs_new_words(signals: int, described_at: int) -> bool:
    """Whether a theme has grown by a quarter since it was last put into words; titles should not flicker."""
    return signals >= described_at * 1.25 or described_at == 0


#: What each urgency adds to a theme's weight.
URGENCY_WEIGHT = {"critical": 3.0, "high": 2.0, "medium": 1.0, "low": 0.6}
HALF_LIFE = timedelta(days=45)


#: A theme is counted anew when it has grown by this share; what is left over is counted within minutes all the same.
GROWN = 0.04


def is_due(*, signals: int, counted: int) -> bool:
    """Whether a theme has grown so far that it is counted at once; so the cost for each signal stays the same."""
    return signals - counted >= max(GROWN * counted, 1)


def person_weight(*, plan_weight: float, mrr: float | None, revenue_for_two: int) -> float:
    """How many people one counts for: the greater of what the plan says and of 1 + log2(1 + revenue / for two)."""
    paying = 1 + math.log2(1 + mrr / revenue_for_two) if mrr and mrr > 0 and revenue_for_two else 1.0
    return max(plan_weight, paying if paying > 1 else plan_weight)


def strength(
    *, reach: float, people: int, signals: int, urgency: dict[str, int], last_signal: datetime | None, now: datetime
) -> float:
    """How much a theme asks for attention, 0 to 100.

    `reach` is its people, each weighed by plan and revenue; `people` how many they are, so that messages of the same
    person count little. Weighted by how pressing it is for them, fading with a half-life of 45 days since the last
    signal. One calm person is about 10, ten about 50, a hundred about 90.
    """
    if not signals or last_signal is None:
        return 0.0
    reach = reach + 0.2 * max(signals - people, 0)
    pressing = sum(URGENCY_WEIGHT[name] * count for name, count in urgency.items()) / max(sum(urgency.values()), 1)
    age = max((now - last_signal) / HALF_LIFE, 0.0)
    weight = float(reach * (pressing or 1.0) * math.pow(0.5, age))
    return round(100 * (1 - 1 / (1 + weight / 10)), 1)
