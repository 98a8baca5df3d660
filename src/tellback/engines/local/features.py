"""Features of a sentence for the light heads: its meaning, its words, its spelling and its manner.

The vector of the sentence model carries meaning; hashed words and character runs carry what it blurs (negation, "please
add", misspellings, emoticons); a few surface figures carry manner (length, shouting, asking). Weights are learnt
offline; at run time this is a sparse dot product. Words and character runs are hashed apart (Weinberger et al. 2009).
"""

import math
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellback.sdk.engine import Vectors

WORD_BUCKETS = 1 << 15
BUCKETS = WORD_BUCKETS * 2
SURFACE = 8
MAX_WORDS = 200

_WORD = re.compile(r"[:;=8]['-]?[()\[\]dDpP/\\|oO3*]+|<3+|[☹☺❤♥\U0001F300-\U0001FAFF]|[^\W_]+(?:['’][^\W_]+)?|[?!]+")
_NEGATION = re.compile(r"^(?:not|no|never|nothing|cannot|without|hardly|.*n['’]t|cant|dont|wont|doesnt|didnt|isnt)$")


class Bags(NamedTuple):
    """The buckets of several texts, one after the other: `rows` says which text, `counts` how often it has a bucket.

    Within a text buckets ascend, so those of words come before those of character runs.
    """

    rows: NDArray[np.int64]
    buckets: NDArray[np.int64]
    counts: NDArray[np.int64]


def bags(texts: Sequence[str]) -> Bags:
    """Of each text the buckets of words and pairs of words, and of runs of 3 to 5 characters."""
    found = [_buckets_of(text) for text in texts]
    sizes = [len(one) for one in found]
    all_of_them = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=sum(sizes))
    marked = np.repeat(np.arange(len(texts), dtype=np.int64) * BUCKETS, sizes) + all_of_them
    different, counts = np.unique(marked, return_counts=True)
    return Bags(different // BUCKETS, different % BUCKETS, counts)


def _buckets_of(text: str) -> list[int]:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)[:MAX_WORDS]]
    found: list[int] = []
    denied = 0
    for word, following in zip(words, [*words, ""][1:], strict=True):
        plain, negated, denies, runs = _of_word(word)
        found.append(plain)
        if following:
            found.append(_bucket(f"p{word} {following}"))
        if denied:
            found.append(negated)
        denied = 3 if denies else max(denied - 1, 0)
        found += runs
    return found


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> tuple[int, int, bool, tuple[int, ...]]:
    """The word's bucket, its bucket after a denial, whether it denies, and the buckets of its character runs."""
    padded = f" {word} "
    runs = [padded[start : start + size] for size in (3, 4, 5) for start in range(max(len(padded) - size + 1, 0))]
    spelling = tuple(WORD_BUCKETS + _bucket(run) for run in runs)
    return _bucket("w" + word), _bucket("n" + word), bool(_NEGATION.match(word)), spelling


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace")) % WORD_BUCKETS


def weighted(bags: Bags, rarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The value of each bucket: counts damped by logarithm, by rarity; a text's words and runs each of length one."""
    values = (1 + np.log(bags.counts)) * rarity[bags.buckets]
    parts = bags.rows * 2 + (bags.buckets >= WORD_BUCKETS)
    lengths = np.sqrt(np.bincount(parts, weights=values * values))
    return np.asarray(values / np.maximum(lengths[parts], 1e-6), dtype=np.float32)


def sparse_scores(
    texts: Sequence[str], weights: NDArray[np.float32], rarity: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scores of each text, one column per class; `weights` is (buckets, classes)."""
    found = bags(texts)
    result = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
    if len(found.rows):
        shares = weights[found.buckets] * weighted(found, rarity)[:, None]
        begins = np.flatnonzero(np.diff(found.rows, prepend=-1))
        result[found.rows[begins]] = np.add.reduceat(shares, begins, axis=0)
    return result


def with_surface(texts: Sequence[str], vectors: Vectors) -> Vectors:
    """The vectors with each text's manner beside them."""
    manner = np.array([_surface(text) for text in texts], dtype=np.float32).reshape(len(texts), SURFACE)
    return np.hstack([vectors, manner])


def _surface(text: str) -> list[float]:
    letters = sum(map(str.isalpha, text)) or 1
    return [
        math.log1p(len(text)) / 3,
        math.log1p(text.count(" ") + 1) / 3,
        math.log1p(text.count("!")) / 2,
        math.log1p(text.count("?")) / 2,
        float(text.rstrip().endswith("?")),
        sum(map(str.isupper, text)) / letters,
        math.log1p(sum(map(str.isdigit, text))) / 3,
        math.log1p(text.count("\n")) / 3,
    ]
