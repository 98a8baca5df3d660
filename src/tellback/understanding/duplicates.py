"""Two signals of two texts being one: the same text again (lexical), and the same meaning (semantic). Pure.

They are two words in the product: the first may be acted on by itself, the second never without a person.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from tellback.sdk.engine import Vectors

SHINGLE = 4
#: At or above this a text is the same text again, retyped or lightly edited.
SAME_TEXT = 0.5

_NOT_WORD = re.compile(r"[\W_]+")


def shingles(text: str) -> frozenset[str]:
    """Runs of four characters of the text without case, accents and punctuation; a shorter text is one run."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    line = f" {_NOT_WORD.sub(' ', plain).strip()} "
    if not line.strip():
        return frozenset()
    return frozenset(line[start : start + SHINGLE] for start in range(max(len(line) - SHINGLE + 1, 1)))


def text_similarity(first: frozenset[str], second: frozenset[str]) -> float:
    """Share of the runs of both that they have in common, 0 to 1 (Jaccard index of shingles, Broder 1997)."""
    return len(first & second) / len(first | second) if first and second else 0.0


def text_scores(first: Sequence[str], second: Sequence[str]) -> list[float]:
    """`text_similarity` of each pair."""
    return [text_similarity(shingles(a), shingles(b)) for a, b in zip(first, second, strict=True)]


def semantic_scores(first: Vectors, second: Vectors) -> list[float]:
    """Cosine of each pair of rows, both of length one."""
    return [float(value) for value in np.einsum("ij,ij->i", first, second)]
