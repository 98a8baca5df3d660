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
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from tellback.engines.local.encoder import Encoder
from tellback.engines.local.features import BUCKETS, bags, weighted, with_surface
from tellback.engines.local.heads import FOLDER, Head
from tellback.engines.local.model import ensure_model, find_model_files
from tellback.engines.local.reviews import whole_vectors
from tellback.engines.local.sentences import split_sentences
from tellback.kernel.errors import Invalid
from tellback.sdk.engine import Item, Vectors

SEED = 20261120
SEEDS = Path(__file__).parent / "seeds.tsv"
SEED_WEIGHT = 3.0

Row = tuple[str, str, float]


def fit_head(
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Vectors,
    *,
    weights: Sequence[float] | None = None,
    c: float = 1.0,
    dense_scale: float = 1.0,
    sparse_scale: float = 2.5,
) -> Head:
    """A head fitted to these texts; `vectors` are their embeddings. Classes are balanced.

    Raises `Invalid` when there is only one class.
    """
    if len(set(labels)) < 2:
        raise Invalid("A head needs examples of at least two kinds.")
    rarity = _rarity(texts)
    dense = with_surface(texts, vectors)
    matrix = sparse.hstack([sparse.csr_matrix(dense * dense_scale), _sparse_matrix(texts, rarity) * sparse_scale])
    model = LogisticRegression(C=c, max_iter=2000, class_weight="balanced", random_state=SEED)
    model.fit(matrix.tocsr(), list(labels), sample_weight=None if weights is None else np.asarray(weights))
    coefficients, bias, classes = model.coef_, model.intercept_, [str(label) for label in model.classes_]
    if len(classes) == 2:
        coefficients, bias = np.vstack([-coefficients[0], coefficients[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    width = dense.shape[1]
    return Head(
        classes=tuple(classes),
        dense=(coefficients[:, :width].T * dense_scale).astype(np.float32),
        sparse=(np.ascontiguousarray(coefficients[:, width:].T) * sparse_scale).astype(np.float32),
        rarity=rarity,
        bias=bias.astype(np.float32),
        temperature=1.0,
    )


def _rarity(texts: Sequence[str]) -> NDArray[np.float32]:
    """Smoothed inverse document frequency of each bucket."""
    seen = np.zeros(BUCKETS, dtype=np.float32)
    for text in texts:
        for bag in bags(text):
            seen[list(bag)] += 1
    return np.asarray(np.log((1 + len(texts)) / (1 + seen)) + 1, dtype=np.float32)


def _sparse_matrix(texts: Sequence[str], rarity: NDArray[np.float32]) -> sparse.csr_matrix:
    found = [weighted(text, rarity) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
    buckets = np.concatenate([buckets for buckets, _ in found])
    values = np.concatenate([values for _, values in found])
    return sparse.csr_matrix((values, buckets, ends), shape=(len(texts), BUCKETS))


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


def review_rows(folder: Path) -> tuple[list[Item], list[str]]:
    """Whole reviews with their label, with stars and once more without, since most feedback has none."""
    reviews = [row for row in _read(folder / "intent_app_reviews.csv") if row["split"] == "train"]
    rated = [Item(text=row["text"], stars=int(row["stars"] or 3)) for row in reviews]
    plain = [Item(text=row["text"]) for row in reviews]
    return rated + plain, [row["label"] for row in reviews] * 2


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
    """Train and save the heads."""
    files = find_model_files(None)
    with tempfile.TemporaryDirectory() as cache:
        model = ensure_model(files, cache_dir=Path(cache))
        encoder = Encoder(model=model, tokenizer=files.tokenizer, threads=2)
        for name, rows in (("signals", signal_rows(folder)), ("sentiment", sentiment_rows(folder))):
            texts, labels, weights = zip(*rows, strict=True)
            head = fit_head(texts, labels, encoder.encode(texts), weights=weights)
            target = head.save(name)
            _report(name, head, len(rows), target)
        items, kinds = review_rows(folder)
        whole = [item.text for item in items]
        head = fit_head(whole, kinds, whole_vectors(items, encoder.encode), dense_scale=1.5, sparse_scale=1.5)
        _report("reviews", head, len(items), head.save("reviews"))
        # What feedback in general is about: where a workspace starts before it has its own mean.
        general = encoder.encode([text for _, _, text in _seeds()]).mean(axis=0)
        np.save(FOLDER / "background.npy", general.astype(np.float32))


def _report(name: str, head: Head, rows: int, target: Path) -> None:
    print(f"{name}: {rows} rows, {', '.join(head.classes)} -> {target.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
