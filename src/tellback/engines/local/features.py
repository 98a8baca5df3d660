"""Features of a sentence for the light heads: its meaning, its words, its spelling and its manner.

The vector of the sentence model carries meaning; hashed words and character runs carry what it blurs (negation, "please
add", misspellings, emoticons); a few surface figures carry manner (length, shouting, asking). Weights are learnt
offline; at run time this is a sparse dot product. Words and character runs are hashed apart (Weinberger et al. 2009).
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tellback.sdk.engine import Vectors

WORD_BUCKETS = 1 << 15
BUCKETS = WORD_BUCKETS * 2
SURFACE = 8
MAX_WORDS = 200

_WORD = re.compile(r"[:;=8]['-]?[()\[\]dDpP/\\|oO3*]+|<3+|[☹☺❤♥\U0001F300-\U0001FAFF]|[^\W_]+(?:['’][^\W_]+)?|[?!]+")
_NEGATION = re.compile(r"^(?:not|no|never|nothing|cannot|without|hardly|.*n['’]t|cant|dont|wont|doesnt|didnt|isnt)$")

Bag = Mapping[int, int]


def bags(text: str) -> tuple[Bag, Bag]:
    """Bucket -> count, of words and pairs of words, and of runs of 3 to 5 characters."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)[:MAX_WORDS]]
    meaning: Counter[int] = Counter()
    spelling: Counter[int] = Counter()
    denied = 0
    for word, following in zip(words, [*words, ""][1:], strict=True):
        plain, negated, denies, runs = _of_word(word)
        meaning[plain] += 1
        if following:
            meaning[_bucket(f"p{word} {following}")] += 1
        if denied:
            meaning[negated] += 1
        denied = 3 if denies else max(denied - 1, 0)
        spelling.update(runs)
    return meaning, spelling


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> tuple[int, int, bool, tuple[int, ...]]:
    """The word's bucket, its bucket after a denial, whether it denies, and the buckets of its character runs."""
    padded = f" {word} "
    runs = [padded[start : start + size] for size in (3, 4, 5) for start in range(max(len(padded) - size + 1, 0))]
    spelling = tuple(WORD_BUCKETS + _bucket(run) for run in runs)
    return _bucket("w" + word), _bucket("n" + word), bool(_NEGATION.match(word)), spelling


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace")) % WORD_BUCKETS


def weighted(text: str, rarity: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets and values of a text: counts damped by logarithm, by rarity; words and runs each of length one."""
    meaning, spelling = bags(text)
    count = len(meaning) + len(spelling)
    buckets = np.fromiter(chain(meaning, spelling), dtype=np.int64, count=count)
    counts = np.fromiter(chain(meaning.values(), spelling.values()), dtype=np.float32, count=count)
    values = (1 + np.log(counts)) * rarity[buckets]
    parts = (values[: len(meaning)], values[len(meaning) :])
    return buckets, np.concatenate([part / max(math.sqrt(float(part @ part)), 1e-6) for part in parts])


def sparse_scores(
    texts: Sequence[str], weights: NDArray[np.float32], rarity: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scores of each text, one column per class; `weights` is (buckets, classes)."""
    result = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
    for row, text in enumerate(texts):
        buckets, values = weighted(text, rarity)
        if len(buckets):
            result[row] = values @ weights[buckets]
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
