"""Features of a sentence for the light heads: its meaning, its words, its spelling and its manner.

The vector of the sentence model carries meaning; hashed words and character runs carry what it blurs (negation, "please
add", misspellings, emoticons); a few surface figures carry manner (length, shouting, asking). Weights are learnt
offline; at run time this is a sparse dot product. Words and character runs are hashed apart (Weinberger et al. 2009).
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tellback.sdk.engine import Vectors

WORD_BUCKETS = 1 << 15
BUCKETS = WORD_BUCKETS * 2
SURFACE = 8
MAX_WORDS = 200

_WORD = re.compile(r"[:;=8]['-]?[()\[\]dDpP/\\|oO3*]+|<3+|[☹☺❤♥\U0001F300-\U0001FAFF]|[^\W_]+(?:['’][^\W_]+)?|[?!]+")
_NEGATION = re.compile(r"^(?:not|no|never|nothing|cannot|without|hardly|.*n['’]t|cant|dont|wont|doesnt|didnt|isnt)$")

Bag = dict[int, float]


def bags(text: str) -> tuple[Bag, Bag]:
    """Bucket -> count damped by logarithm, of words and pairs of words, and of runs of 3 to 5 characters."""
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
    return _damped(meaning, 0), _damped(spelling, WORD_BUCKETS)


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> tuple[int, int, bool, tuple[int, ...]]:
    """The word's bucket, its bucket after a denial, whether it denies, and the buckets of its character runs."""
    padded = f" {word} "
    runs = [padded[start : start + size] for size in (3, 4, 5) for start in range(max(len(padded) - size + 1, 0))]
    return _bucket("w" + word), _bucket("n" + word), bool(_NEGATION.match(word)), tuple(map(_bucket, runs))


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace")) % WORD_BUCKETS


def _damped(counts: Counter[int], offset: int) -> Bag:
    return {bucket + offset: 1 + math.log(count) for bucket, count in counts.items()}


def weighted(text: str, rarity: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets and values of a text, by rarity; words and character runs each of length one."""
    buckets: list[int] = []
    parts: list[NDArray[np.float32]] = []
    for bag in bags(text):
        if bag:
            places = list(bag)
            values = np.fromiter(bag.values(), dtype=np.float32, count=len(bag)) * rarity[places]
            parts.append(values / max(float(np.linalg.norm(values)), 1e-6))
            buckets += places
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    return np.array(buckets, dtype=np.int64), np.concatenate(parts)


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
    letters = sum(character.isalpha() for character in text) or 1
    return [
        math.log1p(len(text)) / 3,
        math.log1p(text.count(" ") + 1) / 3,
        math.log1p(text.count("!")) / 2,
        math.log1p(text.count("?")) / 2,
        float(text.rstrip().endswith("?")),
        sum(character.isupper() for character in text) / letters,
        math.log1p(sum(character.isdigit() for character in text)) / 3,
        math.log1p(text.count("\n")) / 3,
    ]
