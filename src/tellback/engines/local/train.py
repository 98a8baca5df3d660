"""Trains the light heads. Seeded: the same files give the same artefact.

Run `python -m tellback.engines.local.train FOLDER`, where FOLDER holds the public evaluation files. Only data whose
licence permits it is read: the train rows of `intent_app_reviews.csv` (CC0-1.0) and `sentiment_senti4sd_train.csv`
(MIT), beside our own `seeds.tsv`. What went in is written down in `trained/CARD.md`.
"""

import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from tellback.engines.local.encoder import Encoder
from tellback.engines.local.features import BUCKETS, hashed
from tellback.engines.local.heads import FOLDER, Head
from tellback.engines.local.model import ensure_model, find_model_files
from tellback.engines.local.sentences import split_sentences
from tellback.sdk.engine import Vectors

SEED = 20261120
SEEDS = Path(__file__).parent / "seeds.tsv"
SEED_WEIGHT = 3.0
DENSE_SCALE = 2.0

Row = tuple[str, str, float]


def fit_head(
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Vectors,
    *,
    weights: Sequence[float] | None = None,
    c: float = 4.0,
) -> Head:
    """A head fitted to these texts; `vectors` are their embeddings. Classes are balanced."""
    matrix = sparse.hstack([sparse.csr_matrix(vectors * DENSE_SCALE), _sparse_matrix(texts)]).tocsr()
    model = LogisticRegression(C=c, max_iter=2000, class_weight="balanced", random_state=SEED)
    model.fit(matrix, list(labels), sample_weight=None if weights is None else np.asarray(weights))
    coefficients, bias, classes = model.coef_, model.intercept_, [str(label) for label in model.classes_]
    if len(classes) == 2:
        coefficients, bias = np.vstack([-coefficients[0], coefficients[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    dense = vectors.shape[1]
    return Head(
        classes=tuple(classes),
        dense=(coefficients[:, :dense].T * DENSE_SCALE).astype(np.float32),
        sparse=np.ascontiguousarray(coefficients[:, dense:].T).astype(np.float32),
        bias=bias.astype(np.float32),
        temperature=1.0,
    )


def _sparse_matrix(texts: Sequence[str]) -> sparse.csr_matrix:
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        for bucket, value in hashed(text).items():
            rows.append(row)
            columns.append(bucket)
            values.append(value)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), BUCKETS), dtype=np.float32)


def signal_rows(folder: Path) -> list[Row]:
    """Sentences with their kind of signal: reviews' labels (stars tell praise from complaint) and our seeds."""
    rows: list[Row] = [(text, kind, SEED_WEIGHT) for kind, _, text in _seeds()]
    for review in _read(folder / "intent_app_reviews.csv"):
        if review["split"] != "train":
            continue
        kind = _kind_of_review(review["label"], int(review["stars"] or 3))
        if kind is None:
            continue
        sentences = split_sentences(review["text"])
        # A label is of the whole review; only of short ones does it hold for each sentence.
        parts = [span.quote for span in sentences] if len(sentences) <= 2 else [review["text"]]
        rows += [(part, kind, 1.0 / len(parts)) for part in parts]
    return rows


def _kind_of_review(label: str, stars: int) -> str | None:
    known = {"bug": "bug_report", "feature": "feature_request"}
    if label in known:
        return known[label]
    if stars >= 4:
        return "praise"
    return "complaint" if stars <= 2 else None


def sentiment_rows(folder: Path) -> list[Row]:
    """Sentences with their sentiment: labelled comments, reviews of one, two and five stars, and our seeds."""
    rows: list[Row] = [(text, sentiment, SEED_WEIGHT) for _, sentiment, text in _seeds()]
    rows += [(row["text"], row["label"], 1.0) for row in _read(folder / "sentiment_senti4sd_train.csv")]
    for review in _read(folder / "intent_app_reviews.csv"):
        stars = int(review["stars"] or 3)
        if review["split"] == "train" and review["label"] != "feature" and stars != 3 and len(review["text"]) < 160:
            sentiment = "positive" if stars >= 4 else "negative"
            rows.append((review["text"], sentiment, 0.5))
    return rows


def _seeds() -> list[tuple[str, str, str]]:
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [(kind, sentiment, text) for kind, sentiment, text in (line.split("\t") for line in lines)]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main(folder: Path) -> None:
    """Train and save both heads."""
    files = find_model_files(None)
    with tempfile.TemporaryDirectory() as cache:
        model = ensure_model(files, cache_dir=Path(cache))
        encoder = Encoder(model=model, tokenizer=files.tokenizer, threads=2)
        for name, rows in (("signals", signal_rows(folder)), ("sentiment", sentiment_rows(folder))):
            texts, labels, weights = zip(*rows, strict=True)
            head = fit_head(texts, labels, encoder.encode(texts), weights=weights)
            target = head.save(name)
            print(f"{name}: {len(rows)} rows, {', '.join(head.classes)} -> {target.stat().st_size} bytes")  # noqa: T201
        # What feedback in general is about: where a workspace starts before it has its own mean.
        general = encoder.encode([text for _, _, text in _seeds()]).mean(axis=0)
        np.save(FOLDER / "background.npy", general.astype(np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
