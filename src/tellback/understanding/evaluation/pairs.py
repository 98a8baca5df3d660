"""How well near duplicates are told from different texts."""

from pathlib import Path

from tellback.sdk.engine import Engine
from tellback.understanding.duplicates import meaning_scores, semantic_scores, text_scores
from tellback.understanding.evaluation.files import Report, read_table
from tellback.understanding.evaluation.metrics import auc, recall_at_precision


def evaluate_duplicates(path: Path, *, engine: Engine) -> Report:
    """Pairs `a`, `b` with `duplicate` 0 or 1: what the lexical and the semantic signal find, each alone.

    `recall_at_p99` is of the lexical signal, which may act by itself; `auc` of the likeness of meaning, which only
    suggests and takes words and vectors together. `text_auc` and `semantic_auc` are of each alone.
    """
    rows = read_table(path, columns=["a", "b", "duplicate"])
    first, second = [row["a"] for row in rows], [row["b"] for row in rows]
    truth = [row["duplicate"] == "1" for row in rows]
    text = text_scores(first, second)
    vectors = engine.embed(first), engine.embed(second)
    meaning = semantic_scores(*vectors)
    both = meaning_scores(first, second, vectors=vectors)
    return {
        "recall_at_p99": recall_at_precision(truth, text, precision=0.99),
        "auc": auc(truth, both),
        "text_auc": auc(truth, text),
        "semantic_auc": auc(truth, meaning),
        "semantic_recall_at_p99": recall_at_precision(truth, meaning, precision=0.99),
        "rows": len(rows),
        "model": engine.identity.embedding_model,
    }
