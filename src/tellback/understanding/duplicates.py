"""Two signals of two texts being one: the same text again (lexical), and the same meaning (semantic). Pure.

They are two words in the product: the first may be acted on by itself, the second never without a person.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from tellback.sdk.engine import Vectors

SHINGLE = 4
#: At or above this a text is the same text again, retyped or lightly edited.
SAME_TEXT = 0.42
#: Of a text and the nearest that came before it, at or above the first it is the same again: stricter, since the
#: nearest of many are more alike than two at random. Below, and in meaning at or above the second, it means the same.
SAME_AGAIN, SAME_MEANING = 0.6, 0.5
#: What being a part of the other counts beside being like it: people cut off and add on.
PART_SHARE = 0.1
#: How rare each run of letters is in feedback in general, in twentieths; see `train_rarity.py`.
RARITY = Path(__file__).parent / "rarity.npy"
BUCKETS = 1 << 16
STEPS = 20
#: What the words count in the likeness of meaning; the rest is the sentence model's.
WORDS_SHARE = 2 / 3

_NOT_WORD = re.compile(r"[\W_]+")


def shingles(text: str) -> frozenset[str]:
    """Runs of four letters or digits of the text without case, accents, punctuation and spaces; a shorter text is one.

    Spaces are left out because people forget them, and put them into the middle of words.
    """
    return _runs(_plain(text).replace(" ", ""))


def _plain(text: str) -> str:
    plain = text.lower()
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text).casefold()
        plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _NOT_WORD.sub(" ", plain).strip()


def _runs(line: str) -> frozenset[str]:
    if not line.strip():
        return frozenset()
    return frozenset(line[start : start + SHINGLE] for start in range(max(len(line) - SHINGLE + 1, 1)))


def bucket(run: str) -> int:
    """The place of a run in the table of rarities."""
    return zlib.crc32(run.encode("utf-8", "replace")) % BUCKETS


@cache
def _rarity() -> list[float]:
    return [value / STEPS for value in np.load(RARITY).tolist()]


def rarity_of(place: int) -> float:
    """How much a run counts whose place in the table this is; 0 for one that every text holds."""
    return _rarity()[place]


def text_similarity(first: frozenset[str], second: frozenset[str]) -> float:
    """How much of their runs the two have in common, 0 to 1 (resemblance and containment, Broder 1997).

    Runs count by how rare they are, so that two people who say "great app" do not say the same again.
    """
    shared, only_first, only_second = _weight(first & second), _weight(first - second), _weight(second - first)
    if not shared:
        return 0.0
    alike, part = shared / (shared + only_first + only_second), shared / (shared + min(only_first, only_second))
    return (1 - PART_SHARE) * alike + PART_SHARE * part


def _weight(runs: frozenset[str]) -> float:
    return sum(rarity_of(bucket(run)) for run in runs)


def text_scores(first: Sequence[str], second: Sequence[str]) -> list[float]:
    """`text_similarity` of each pair."""
    return [text_similarity(shingles(a), shingles(b)) for a, b in zip(first, second, strict=True)]


def meaning_scores(first: Sequence[str], second: Sequence[str], *, vectors: tuple[Vectors, Vectors]) -> list[float]:
    """How alike two texts are in what they mean, about 0 to 1: by their words and by their vectors (one row each).

    Either alone is worse: the words know names and numbers, the model knows paraphrases.
    """
    cosines = semantic_scores(*vectors)
    return [meaning_score(a, b, cosine=cosine) for a, b, cosine in zip(first, second, cosines, strict=True)]


def meaning_score(first: str, second: str, *, cosine: float) -> float:
    """`meaning_scores` of one pair, the cosine of whose vectors is known."""
    return WORDS_SHARE * _shared_words(first, second) + (1 - WORDS_SHARE) * cosine


def _shared_words(first: str, second: str) -> float:
    """Jaccard index of runs that know where words begin and end."""
    one, other = _word_runs(first), _word_runs(second)
    both = len(one & other)
    return both / max(len(one) + len(other) - both, 1)


@lru_cache(maxsize=2_000)
def _word_runs(text: str) -> frozenset[str]:
    """Kept for a while: one text is compared with several."""
    return _runs(f" {_plain(text)} ")


def semantic_scores(first: Vectors, second: Vectors) -> list[float]:
    """Cosine of each pair of rows, both of length one."""
    return [float(value) for value in np.einsum("ij,ij->i", first, second)]
