"""Trains the light heads. Seeded: the same files give the same artefact.

Run `python -m tellback.engines.local.train FOLDER`, where FOLDER holds the public evaluation files. Only data whose
licence permits it is read: the train rows of `intent_app_reviews.csv` (CC0-1.0) and `sentiment_senti4sd_train.csv`
(MIT), beside our own `seeds.tsv`. What went in is written down in `trained/CARD.md`.
"""

import csv
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from tellback.engines.local.encoder import Encoder
from tellback.engines.local.engine import LocalEngine
from tellback.engines.local.features import BUCKETS, SURFACE, bags, weighted, with_surface
from tellback.engines.local.heads import FOLDER, Head
from tellback.engines.local.joins import GAP_FEATURES, Joins, gap_features
from tellback.engines.local.model import ensure_model, find_model_files, read_seeds
from tellback.engines.local.reviews import STARS, whole_rows
from tellback.engines.local.sentences import split_sentences
from tellback.kernel.errors import Invalid
from tellback.sdk.engine import Item, Vectors

SEED = 20261120
SEED_WEIGHT = 3.0

#: How strongly each expert is held back, and what the two lexical ones count beside the dense one. One set for every
#: head, chosen in folds over the three labelled files together.
DENSE_C, DENSE_SCALE, WORDS_C = 0.2, 4.0, 4.0
WORDS_SHARE, RATIOS_SHARE = 0.5, 0.75
#: Of the log-count ratio: what every count starts with, and how far it may go.
SMOOTHING, MAX_RATIO = 0.5, 3.0

#: How many texts go into one of those that teach where a new need begins, and what stands between them.
PARTS = (1, 1, 2, 2, 3, 3, 4, 5)
LINKS = (
    *(" ", " ", " ", "\n", "\n", "\n\n", "\n- ", "\n* "),
    *(" Also, ", " Another thing: ", " One more thing: ", " Besides, ", " By the way, ", " In addition, "),
    " On a different note, ",
)
LONGEST_PART = 400
COMPOSED = 900

Row = tuple[str, str, float]
Weights = NDArray[np.float64]


def fit_head(
    texts: Sequence[str],
    labels: Sequence[str],
    rows: Vectors,
    *,
    weights: Sequence[float] | Weights | None = None,
    marks: int = 0,
) -> Head:
    """A head fitted to these texts; `rows` is what the sentence model says of each, then so many `marks` of ours.

    Classes are balanced.

    Three experts are fitted apart and their scores added, which is again linear: one on the dense rows, one on hashed
    words and character runs, and one on the latter times their log-count ratio (Wang and Manning 2012). They err on
    different texts, so the sum is better than each and than one fit of everything. Raises `Invalid` when there is only
    one class.
    """
    if len(set(labels)) < 2:
        raise Invalid("A head needs examples of at least two kinds.")
    truth, weight = np.array(labels), np.asarray([1.0] * len(labels) if weights is None else weights)
    classes = sorted(set(labels))
    rarity = _rarity(texts)
    bags_of_texts = _sparse_matrix(texts, rarity)
    dense, dense_bias = _fit_dense(with_surface(texts, rows), truth, weight, marks=marks)
    words, words_bias = _fit_linear(bags_of_texts, truth, weight, c=WORDS_C)
    ratios, ratios_bias = _fit_ratios(bags_of_texts, truth, weight, classes)
    return Head(
        classes=tuple(classes),
        dense=dense.T.astype(np.float32),
        sparse=np.ascontiguousarray((WORDS_SHARE * words + RATIOS_SHARE * ratios).T, dtype=np.float32),
        rarity=rarity,
        bias=(dense_bias + WORDS_SHARE * words_bias + RATIOS_SHARE * ratios_bias).astype(np.float32),
        temperature=1 + WORDS_SHARE + RATIOS_SHARE,
    )


def _fit_linear(
    matrix: Weights | sparse.csr_matrix, truth: NDArray[np.str_], weight: Weights, *, c: float
) -> tuple[Weights, Weights]:
    """One row of weights and one bias for each class, in the classes' order."""
    model = LogisticRegression(C=c, max_iter=3000, class_weight="balanced", random_state=SEED)
    model.fit(matrix, truth, sample_weight=weight)
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_, model.coef_]) / 2, np.hstack([-model.intercept_, model.intercept_]) / 2


def _fit_dense(dense: Vectors, truth: NDArray[np.str_], weight: Weights, *, marks: int) -> tuple[Weights, Weights]:
    """Weights for the columns as they are, fitted on columns of like spread; few as they are, marks keep theirs."""
    middle, spread = dense.mean(axis=0), (dense.std(axis=0) + 1e-3) * math.sqrt(dense.shape[1]) / DENSE_SCALE
    first = dense.shape[1] - SURFACE - marks
    middle[first : first + marks], spread[first : first + marks] = 0, 1
    coefficients, bias = _fit_linear((dense - middle) / spread, truth, weight, c=DENSE_C)
    coefficients = coefficients / spread
    return coefficients, bias - coefficients @ middle


def _fit_ratios(
    matrix: sparse.csr_matrix, truth: NDArray[np.str_], weight: Weights, classes: Sequence[str]
) -> tuple[Weights, Weights]:
    weighted_matrix = sparse.diags(weight) @ matrix
    seen = np.asarray(weighted_matrix.sum(axis=0)).ravel()
    coefficients, biases = [], []
    for name in classes:
        ours = np.asarray(weighted_matrix[truth == name].sum(axis=0)).ravel()
        ratio = np.log((ours + SMOOTHING) / (ours + SMOOTHING).sum())
        ratio -= np.log((seen - ours + SMOOTHING) / (seen - ours + SMOOTHING).sum())
        ratio = np.clip(ratio, -MAX_RATIO, MAX_RATIO) * (seen > 0)
        weights, bias = _fit_linear(matrix @ sparse.diags(ratio), truth == name, weight, c=WORDS_C)
        coefficients.append(2 * weights[1] * ratio)
        biases.append(2 * bias[1])
    return np.array(coefficients), np.array(biases)


def calibrated(
    head: Head, texts: Sequence[str], labels: Sequence[str], rows: Vectors, *, weights: Weights, marks: int
) -> Head:
    """The head with a temperature under which it is right as often as it says, found in five folds."""
    scores, truth = np.zeros((len(texts), len(head.classes))), np.array([head.classes.index(name) for name in labels])
    for train, test in StratifiedKFold(5, shuffle=True, random_state=SEED).split(truth, truth):
        part = fit_head(
            [texts[i] for i in train], [labels[i] for i in train], rows[train], weights=weights[train], marks=marks
        )
        scores[test] = part.scores([texts[i] for i in test], rows[test])
    losses = {t: float((weights * -_log_odds(scores / t, truth)).sum()) for t in np.arange(0.6, 6.01, 0.1)}
    return replace(head, temperature=float(min(losses, key=losses.__getitem__)))


def _log_odds(scores: Weights, truth: NDArray[np.int64]) -> Weights:
    """The logarithm of the probability that each row gives to its true class."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores[np.arange(len(truth)), truth] - np.log(np.exp(scores).sum(axis=1)))


def _rarity(texts: Sequence[str]) -> NDArray[np.float32]:
    """Smoothed inverse document frequency of each bucket."""
    seen = np.bincount(bags(texts).buckets, minlength=BUCKETS)
    return np.asarray(np.log((1 + len(texts)) / (1 + seen)) + 1, dtype=np.float32)


def _sparse_matrix(texts: Sequence[str], rarity: NDArray[np.float32]) -> sparse.csr_matrix:
    found = bags(texts)
    ends = np.searchsorted(found.rows, np.arange(len(texts) + 1))
    return sparse.csr_matrix((weighted(found, rarity), found.buckets, ends), shape=(len(texts), BUCKETS))


def signal_rows(folder: Path) -> list[Row]:
    """Sentences with their kind of signal: reviews' labels (stars tell praise from complaint) and our seeds."""
    rows: list[Row] = [(text, kind, SEED_WEIGHT) for kind, _, text in read_seeds()]
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
    """Whole reviews with their stars and their label."""
    reviews = [row for row in _read(folder / "intent_app_reviews.csv") if row["split"] == "train"]
    items = [Item(text=row["text"], stars=int(row["stars"] or 3)) for row in reviews]
    return items, [row["label"] for row in reviews]


def sentiment_rows(folder: Path) -> list[Row]:
    """Sentences with their sentiment: labelled comments, reviews of one, two and five stars, and our seeds."""
    rows: list[Row] = [(text, sentiment, SEED_WEIGHT) for _, sentiment, text in read_seeds()]
    rows += [(row["text"], row["label"], 1.0) for row in _read(folder / "sentiment_senti4sd_train.csv")]
    for review in _read(folder / "intent_app_reviews.csv"):
        stars = int(review["stars"] or 3)
        if review["split"] == "train" and review["label"] != "feature" and stars != 3 and len(review["text"]) < 160:
            sentiment = "positive" if stars >= 4 else "negative"
            rows.append((review["text"], sentiment, 0.5))
    return rows


def composed(texts: Sequence[str], *, count: int, seed: int) -> list[tuple[str, list[int]]]:
    """Texts of one to five of these, put together as people do, and where in each its parts begin."""
    chance = random.Random(seed)  # noqa: S311 - examples, not secrets
    result = []
    for _ in range(count):
        whole, starts = "", []
        for part in chance.sample(list(texts), chance.choice(PARTS)):
            whole += chance.choice(LINKS) if whole else ""
            starts.append(len(whole))
            line = " ".join(part.split())[:LONGEST_PART]
            whole += line + "." * line[-1:].isalnum()
        result.append((whole, starts))
    return result


def fit_joins(examples: Sequence[tuple[str, list[int]]], *, engine: LocalEngine) -> Joins:
    """The head that tells where a new need begins, from texts whose parts are known."""
    rows, truth = [], []
    for text, starts in examples:
        sentences = engine.sentences([Item(text=text)])[0]
        parts = np.searchsorted(starts, [piece.span.start + 2 for piece in sentences.pieces])
        for place in range(1, len(sentences.pieces)):
            rows.append(gap_features(sentences, place, engine.background))
            truth.append(parts[place] != parts[place - 1])
    figures = np.array(rows)
    middle, spread = figures.mean(axis=0), figures.std(axis=0) + 1e-6
    model = LogisticRegression(random_state=SEED).fit((figures - middle) / spread, truth)
    weights = model.coef_[0] / spread
    return Joins(weights=weights, bias=float(model.intercept_[0] - weights @ middle))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main(folder: Path) -> None:
    """Train and save the heads."""
    with tempfile.TemporaryDirectory() as cache:
        files = find_model_files(None)
        model = ensure_model(files, cache_dir=Path(cache))
        encoder = Encoder(model=model, tokenizer=files.tokenizer, hidden=files.hidden, threads=2)

        def embed(texts: Sequence[str]) -> Vectors:
            return encoder.encode(texts)[:, -files.hidden :]

        heads = {}
        for name, rows in (("signals", signal_rows(folder)), ("sentiment", sentiment_rows(folder))):
            texts, labels, weights = zip(*rows, strict=True)
            heads[name] = _train(name, texts, labels, encoder.encode(texts), np.array(weights))
        items, kinds = review_rows(folder)
        whole = whole_rows(items, read=encoder.encode, embed=embed)
        heads["reviews"] = _train(
            "reviews", [item.text for item in items], kinds, whole, np.ones(len(items)), marks=STARS
        )
        # What feedback in general is about: where a workspace starts before it has its own mean.
        np.save(FOLDER / "background.npy", embed([text for _, _, text in read_seeds()]).mean(axis=0).astype(np.float32))
        undecided = Joins(weights=np.zeros(GAP_FEATURES), bias=0.0)
        engine = LocalEngine(encoder=encoder, model_name=files.name, joins=undecided, **heads)
        examples = composed([item.text for item in items], count=COMPOSED, seed=SEED)
        fit_joins(examples, engine=engine).save(FOLDER)


def _train(
    name: str, texts: Sequence[str], labels: Sequence[str], rows: Vectors, weights: Weights, *, marks: int = 0
) -> Head:
    head = fit_head(texts, labels, rows, weights=weights, marks=marks)
    head = calibrated(head, texts, labels, rows, weights=weights, marks=marks)
    _report(name, head, len(texts), head.save(name))
    return head


def _report(name: str, head: Head, rows: int, target: Path) -> None:
    kinds = ", ".join(head.classes)
    print(f"{name}: {rows} rows, {kinds}, T {head.temperature:.1f} -> {target.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
