"""Measuring themes: signals arrive one after another and join themes by the product's own rule. No database."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tellback.sdk.engine import Engine, Item, Vectors
from tellback.themes import rules
from tellback.themes.regrouping import apply, regroup
from tellback.understanding.evaluation.files import Report, read_table
from tellback.understanding.evaluation.metrics import ami, bcubed_f1, clusters_of, nmi

NOISE = "__noise__"
ORDERS = 5
SHOWN = 5


def evaluate_themes(path: Path, *, engine: Engine, orders: int = ORDERS, seed: int = 0) -> Report:
    """Texts with a true `label`: the clustering after all have arrived, averaged over five orders of arrival."""
    texts, truth = _read(path)
    vectors = _vectors(texts, engine)
    runs = []
    for number in range(orders):
        order = list(range(len(texts)))
        random.Random(seed + number).shuffle(order)  # noqa: S311 - an order of arrival, not a secret
        runs.append(_score([truth[i] for i in order], vectors[order], engine.background))
    return _report(runs, truth, engine) | {"orders": orders}


def evaluate_stream(path: Path, *, engine: Engine) -> Report:
    """Like `evaluate_themes`, in the order of the file. Each `__noise__` row is a theme of its own."""
    texts, truth = _read(path)
    return _report([_score(truth, _vectors(texts, engine), engine.background)], truth, engine)


def assign_all(vectors: Vectors, space: rules.Space) -> list[int]:
    """The theme of each vector when they arrive in this order; `space` learns of them."""
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


def _score(truth: Sequence[int], vectors: Vectors, background: Vectors) -> dict[str, float]:
    """After all have arrived, and after a person accepted everything that upkeep then proposes, once."""
    space = rules.Space(mean=background)
    guess = assign_all(vectors, space)
    alone = {theme for theme, size in Counter(guess).items() if size == 1}
    proposed = regroup(vectors, guess, space, alone=alone)
    kept = apply(proposed, guess)
    return {
        "ami": ami(truth, guess),
        "bcubed_f1": bcubed_f1(truth, guess),
        "nmi": nmi(truth, guess),
        "themes": len(set(guess)),
        "themes_of_five": clusters_of(guess, at_least=SHOWN),
        "upkeep_ami": ami(truth, kept),
        "upkeep_bcubed_f1": bcubed_f1(truth, kept),
        "upkeep_themes_of_five": clusters_of(kept, at_least=SHOWN),
        "upkeep_proposed_share": sum(len(one.members) for one in proposed) / len(guess),
    }


def _report(runs: Sequence[dict[str, float]], truth: Sequence[int], engine: Engine) -> Report:
    report: Report = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
    true_themes = clusters_of(truth, at_least=SHOWN)
    shown = sum(run["themes_of_five"] for run in runs) / len(runs)
    return report | {
        "true_themes_of_five": true_themes,
        "themes_over_true": shown / max(true_themes, 1),
        "rows": len(truth),
        "model": engine.identity.embedding_model,
    }
