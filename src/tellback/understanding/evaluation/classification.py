"""How well texts are classified: intent of reviews, kind of issues, sentiment."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from tellback.engines.local import LocalEngine
from tellback.engines.local.reviews import STARS
from tellback.kernel.errors import Invalid
from tellback.sdk.engine import Item, Vectors
from tellback.understanding.evaluation.files import Report, read_table
from tellback.understanding.evaluation.metrics import macro_f1

FOLDS = 5
SEED = 20261120


def evaluate_intent(path: Path, *, engine: LocalEngine) -> Report:
    """Reviews labelled bug, feature, user_experience or rating: the shipped head on the rows of the split `test`.

    A file without a column `split` is measured whole.
    """
    rows = read_table(path, columns=["text", "label"])
    rows = [row for row in rows if row.get("split", "test") == "test"]
    items = [Item(text=row["text"], stars=stars_of(row.get("stars"))) for row in rows]
    guess = engine.classify_reviews(items)
    return {
        "macro_f1": macro_f1([row["label"] for row in rows], guess),
        "rows": len(rows),
        "model": engine.identity.model,
    }


def stars_of(value: str | None) -> int | None:
    """The stars that a column says, None where it says none."""
    return int(float(value)) if value and value.replace(".", "", 1).isdigit() else None


def evaluate_issues(path: Path, *, engine: LocalEngine) -> Report:
    """Issues with `title`, `body`, `label`: five folds, each fold's head trained on the other four.

    Shows what a workspace's own corrections are worth: nothing of this kind is in the shipped heads.
    """
    rows = read_table(path, columns=["title", "body", "label"])
    texts = [f"{row['title']}\n{row['body']}" for row in rows]
    read = engine.read_whole([Item(text) for text in texts])
    return _in_folds(texts, [row["label"] for row in rows], read, engine, marks=STARS)


def evaluate_sentiment(path: Path, *, engine: LocalEngine) -> Report:
    """Texts labelled positive, neutral or negative: five folds with the shipped training code.

    The shipped head itself has seen the public file, so `macro_f1` is of heads that have not.
    """
    rows = read_table(path, columns=["text", "label"])
    texts = [row["text"] for row in rows]
    return _in_folds(texts, [row["label"] for row in rows], engine.read(texts), engine, marks=0)


def _in_folds(texts: Sequence[str], labels: Sequence[str], read: Vectors, engine: LocalEngine, *, marks: int) -> Report:
    from tellback.engines.local.train import fit_head  # noqa: PLC0415 - training code, loaded only to measure it

    if min(Counter(labels).values()) < FOLDS or len(set(labels)) < 2:
        raise Invalid("Five folds need two labels or more, and five rows of each label.")
    guess = [""] * len(texts)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for train, test in folds.split(np.zeros(len(texts)), labels):
        head = fit_head([texts[i] for i in train], [labels[i] for i in train], read[train], marks=marks)
        odds = head.probabilities([texts[i] for i in test], read[test])
        for place, best in zip(test, odds.argmax(axis=1), strict=True):
            guess[place] = head.classes[best]
    return {
        "macro_f1": macro_f1(list(labels), guess),
        "rows": len(texts),
        "folds": FOLDS,
        "model": f"{engine.identity.model} on {engine.identity.embedding_model}",
    }
