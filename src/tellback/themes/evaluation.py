"""Measuring themes: signals arrive one after another and join themes by the product's own rule. No database."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

from tellback.sdk.engine import Engine, Item, Vectors
from tellback.themes import rules
from tellback.themes.regrouping import apply, regroup
from tellback.understanding.evaluation.files import Report, read_table
from tellback.understanding.evaluation.metrics import ami, bcubed_f1, clusters_of, nmi, shared

NOISE = "__noise__"
ORDERS = 5
SHOWN = 5


def evaluate_themes(path: Path, *, engine: Engine, orders: int = ORDERS, seed: int = 0) -> Report:
    """Texts with a true `label`: the clustering after all have arrived, averaged over five orders of arrival.

    Without a prefix a figure is of assignment on arrival with all that upkeep proposes accepted; `online_` is of
    assignment alone. `kmeans_ami` is k-means that was told the number of themes. `stable_ami` and `stable_share`
    compare the orders two by two: agreement, and the share of items that are in the same theme in both.
    """
    texts, truth = _read(path)
    vectors = _vectors(texts, engine)
    runs, found = [], []
    for number in range(orders):
        order = list(range(len(texts)))
        random.Random(seed + number).shuffle(order)  # noqa: S311 - an order of arrival, not a secret
        figures, themes = _run([truth[i] for i in order], vectors[order], engine)
        runs.append(figures)
        found.append([theme for _, theme in sorted(zip(order, themes, strict=True))])
    return _report(runs, truth, vectors, engine) | _stability(found) | {"orders": orders}


def evaluate_stream(path: Path, *, engine: Engine) -> Report:
    """Like `evaluate_themes`, in the order of the file. Each `__noise__` row is a theme of its own."""
    texts, truth = _read(path)
    vectors = _vectors(texts, engine)
    figures, _ = _run(truth, vectors, engine)
    return _report([figures], truth, vectors, engine)


def _run(truth: Sequence[int], vectors: Vectors, engine: Engine) -> tuple[dict[str, float], list[int]]:
    space = rules.Space(mean=engine.background)
    online = assign_all(vectors, space)
    alone = {theme for theme, size in Counter(online).items() if size == 1}
    proposals = regroup(vectors, online, space, alone=alone)
    kept = apply(proposals, online)
    moved = sum(before != after for before, after in zip(online, kept, strict=True))
    before = {f"online_{name}": value for name, value in _score(truth, online).items()}
    return _score(truth, kept) | before | {"proposals": len(proposals), "moved_if_accepted": moved / len(truth)}, kept


def _stability(runs: Sequence[Sequence[int]]) -> Report:
    pairs = list(combinations(runs, 2))
    return {
        "stable_ami": sum(ami(a, b) for a, b in pairs) / max(len(pairs), 1),
        "stable_share": sum(shared(a, b) for a, b in pairs) / max(len(pairs), 1),
    }


def assign_all(vectors: Vectors, space: rules.Space) -> list[int]:
    """The theme of each vector when they arrive in this order at a workspace; `space` learns of them."""
    centroids = np.zeros_like(vectors)
    counts: list[int] = []
    labels = []
    for vector in vectors:
        decision = rules.assign(vector, centroids[: len(counts)], space)
        space.learn(vector)
        row = decision.candidate
        if row is None:
            row = len(counts)
            counts.append(0)
        centroids[row] = rules.moved_centroid(centroids[row], counts[row], vector)
        counts[row] += 1
        labels.append(row)
    return labels


def _read(path: Path) -> tuple[list[str], list[int]]:
    rows = read_table(path, columns=["text", "label"])
    names: dict[str, int] = {}
    truth = [
        names.setdefault(f"{NOISE}{number}" if row["label"] == NOISE else row["label"], len(names))
        for number, row in enumerate(rows)
    ]
    return [row["text"] for row in rows], truth


def _vectors(texts: Sequence[str], engine: Engine) -> Vectors:
    """What the product embeds of each text: its longest signal (a text without any stands for itself)."""
    extracted = engine.extract([Item(text=text) for text in texts])
    return engine.embed(
        [
            max((signal.wording for signal in signals), key=len, default=text)
            for text, signals in zip(texts, extracted, strict=True)
        ]
    )


def _score(truth: Sequence[int], guess: Sequence[int]) -> dict[str, float]:
    return {
        "ami": ami(truth, guess),
        "bcubed_f1": bcubed_f1(truth, guess),
        "nmi": nmi(truth, guess),
        "themes": len(set(guess)),
        "themes_of_five": clusters_of(guess, at_least=SHOWN),
    }


def _report(runs: Sequence[dict[str, float]], truth: Sequence[int], vectors: Vectors, engine: Engine) -> Report:
    report: Report = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
    true_themes = clusters_of(truth, at_least=SHOWN)
    shown = sum(run["themes_of_five"] for run in runs) / len(runs)
    told = _kmeans(truth, vectors)
    return report | {
        "kmeans_ami": told,
        "ami_over_kmeans": sum(run["ami"] for run in runs) / len(runs) / max(told, 1e-9),
        "true_themes_of_five": true_themes,
        "themes_over_true": shown / max(true_themes, 1),
        "rows": len(truth),
        "model": engine.identity.embedding_model,
    }


def _kmeans(truth: Sequence[int], vectors: Vectors) -> float:
    """What k-means reaches when it is told how many themes of two or more there are."""
    number = max(clusters_of(truth, at_least=2), 1)
    guess = KMeans(number, n_init=3, random_state=0).fit_predict(vectors)
    return ami(truth, [int(label) for label in guess])
