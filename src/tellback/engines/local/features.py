"""Features of a sentence for the light heads: its meaning, its words and its spelling.

The vector of the sentence model carries meaning; hashed words and character runs carry what it blurs (negation, "please
add", misspelt cues). Weights are learnt offline; at run time this is a sparse dot product.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 14
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[?!]")


def hashed(text: str) -> dict[int, float]:
    """Bucket -> weight of words, pairs of words and runs of 3 to 5 characters; of length one over all."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)][:200]
    if not words:
        return {}
    counts: dict[int, float] = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        _count(counts, "w" + word, 1.0)
        if following:
            _count(counts, f"p{word} {following}", 1.0)
        padded = f" {word} "
        for size in (3, 4, 5):
            for start in range(max(len(padded) - size + 1, 0)):
                _count(counts, "c" + padded[start : start + size], 0.4)
    norm = sum(value * value for value in counts.values()) ** 0.5
    return {bucket: value / norm for bucket, value in counts.items()} if norm else {}


def _count(counts: dict[int, float], token: str, weight: float) -> None:
    bucket = zlib.crc32(token.encode("utf-8", "replace")) % BUCKETS
    counts[bucket] = counts.get(bucket, 0.0) + weight


def sparse_scores(texts: Sequence[str], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores of each text, one column per class; `weights` is (buckets, classes)."""
    result = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
    for row, text in enumerate(texts):
        found = hashed(text)
        if found:
            buckets = np.fromiter(found.keys(), dtype=np.int64, count=len(found))
            values = np.fromiter(found.values(), dtype=np.float32, count=len(found))
            result[row] = values @ weights[buckets]
    return result
