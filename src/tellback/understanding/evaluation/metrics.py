"""The metrics that reports use, as plain functions of labels, scores and spans."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score, f1_score, normalized_mutual_info_score, roc_auc_score

Place = tuple[int, int]


def macro_f1(truth: Sequence[str], guess: Sequence[str]) -> float:
    """The mean over the true labels of each label's F1; a label that only the guess has costs precision of others."""
    return float(f1_score(list(truth), list(guess), labels=sorted(set(truth)), average="macro", zero_division=0))


def bcubed_f1(truth: Sequence[Hashable], guess: Sequence[Hashable]) -> float:
    """B-cubed F1 of a clustering (Bagga and Baldwin 1998): precision and recall averaged over items."""
    both, true_sizes, guess_sizes = Counter(zip(truth, guess, strict=True)), Counter(truth), Counter(guess)
    shared = [(count, true_sizes[true], guess_sizes[found]) for (true, found), count in both.items()]
    precision = sum(count * count / size for count, _, size in shared) / max(len(truth), 1)
    recall = sum(count * count / size for count, size, _ in shared) / max(len(truth), 1)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def ami(truth: Sequence[int], guess: Sequence[int]) -> float:
    """Adjusted mutual information: agreement of two clusterings beyond chance, at most 1."""
    return float(adjusted_mutual_info_score(list(truth), list(guess)))


def nmi(truth: Sequence[int], guess: Sequence[int]) -> float:
    """Normalised mutual information. It rewards splitting, so it never stands alone."""
    return float(normalized_mutual_info_score(list(truth), list(guess)))


def clusters_of(labels: Sequence[Hashable], *, at_least: int) -> int:
    """How many clusters have this many items or more."""
    return sum(1 for count in Counter(labels).values() if count >= at_least)


def shared(first: Sequence[int], second: Sequence[int]) -> float:
    """Share of the items that are in the same cluster in both, clusters paired one to one so that it is largest."""
    if not first:
        return 1.0
    names = [{label: place for place, label in enumerate(dict.fromkeys(labels))} for labels in (first, second)]
    both = np.zeros((len(names[0]), len(names[1])))
    for a, b in zip(first, second, strict=True):
        both[names[0][a], names[1][b]] += 1
    rows, columns = linear_sum_assignment(-both)
    return float(both[rows, columns].sum() / len(first))


def auc(truth: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that a true pair scores above a false one."""
    return float(roc_auc_score(list(truth), list(scores)))


def recall_at_precision(truth: Sequence[bool], scores: Sequence[float], *, precision: float) -> float:
    """The highest recall at any cut whose precision is at least this; equal scores fall on the same side."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    hits, values = np.asarray(truth, dtype=bool)[order], np.asarray(scores)[order]
    right = np.cumsum(hits)
    at_cut = np.append(values[1:] != values[:-1], True)
    good = (right / np.arange(1, len(hits) + 1) >= precision) & at_cut
    return float(right[good].max() / max(int(hits.sum()), 1)) if good.any() else 0.0


def overlap(first: Place, second: Place) -> float:
    """Intersection over union of two places in a text."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(shared, 0) / (max(first[1], second[1]) - min(first[0], second[0])) if shared > 0 else 0.0


def matched(truth: Sequence[Place], guess: Sequence[Place], *, at_least: float) -> list[tuple[int, int]]:
    """Pairs (true, guessed) that overlap at least this much, best first, each place used once."""
    pairs = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(truth) for j, b in enumerate(guess)), key=lambda pair: -pair[0]
    )
    used_true: set[int] = set()
    used_guess: set[int] = set()
    found = []
    for value, i, j in pairs:
        if value >= at_least and value > 0 and i not in used_true and j not in used_guess:
            used_true.add(i)
            used_guess.add(j)
            found.append((i, j))
    return found


@dataclass(slots=True)
class Tally:
    """Hits, and how many there were to find and how many were named."""

    hits: int = 0
    truth: int = 0
    guess: int = 0

    @property
    def precision(self) -> float:
        """Share of what was named that is right; 1 when nothing was named."""
        return self.hits / self.guess if self.guess else 1.0

    @property
    def recall(self) -> float:
        """Share of what was there that was named; 1 when there was nothing."""
        return self.hits / self.truth if self.truth else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0
