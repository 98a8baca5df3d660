"""Whether a sentence carries on with the need of the one before it, or begins another.

A light head over what stands between two sentences and how they differ. It is trained on texts that we put together
from others, where it is known which sentences belong together (`train.py`).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tellback.engines.local.cues import points_back
from tellback.engines.local.sentences import Piece
from tellback.sdk.engine import Vectors

#: At or above this probability two neighbours are two needs.
APART = 0.35
#: A need of three sentences is compared with all three.
LOOKED_BACK = 3
GAP_FEATURES = 15

_BULLET = re.compile(r"\n\s*(?:[-*•–>]|\d{1,2}[.)])\s*$")
_ENDED = re.compile(r"[.!?…:;][\"'”’)\]]*$")

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sentences:
    """A text's sentences in order, and what was made of each: its vector (row) and the odds of its kind (row).

    `thanks` is the column of praise.
    """

    text: str
    pieces: Sequence[Piece]
    vectors: Vectors
    odds: NDArray[np.float32]
    thanks: int


def gap_features(sentences: Sentences, place: int, background: Vectors) -> list[float]:
    """What speaks for a new need at this sentence: fifteen figures. `place` is at least 1."""
    before, piece = sentences.pieces[place - 1].span, sentences.pieces[place].span
    gap = sentences.text[before.end : piece.start]
    near = _centred(sentences.vectors[max(place - LOOKED_BACK, 0) : place + 2], background)
    here = min(place, LOOKED_BACK)
    ahead = float(near[here + 1] @ near[here]) if len(near) > here + 1 else 0.0
    odds, earlier = sentences.odds[place], sentences.odds[place - 1]
    return [
        float("\n" in gap),
        float(gap.count("\n") > 1),
        float(bool(_BULLET.search(gap))),
        float(sentences.pieces[place].is_shift),
        float("\n" not in gap and not _ENDED.search(before.quote)),
        float((near[:here] @ near[here]).max()),
        ahead,
        abs(float(odds[sentences.thanks] - earlier[sentences.thanks])),
        float(points_back(piece.quote)),
        math.log1p(len(before.quote)),
        math.log1p(len(piece.quote)),
        float(piece.quote[:1].islower()),
        float(before.quote.endswith("!")),
        float(odds.max()),
        float(earlier.max()),
    ]


def _centred(vectors: Vectors, background: Vectors) -> Vectors:
    apart = vectors - background
    return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Joins:
    """The trained head: one weight for each figure."""

    weights: Row
    bias: float

    def chances(self, sentences: Sentences, background: Vectors) -> list[float]:
        """For each sentence but the first, how likely it begins a need of its own."""
        return [
            1 / (1 + math.exp(-float(self.weights @ gap_features(sentences, place, background)) - self.bias))
            for place in range(1, len(sentences.pieces))
        ]

    def save(self, folder: Path) -> Path:
        """Write the head."""
        target = folder / "joins.npz"
        np.savez_compressed(target, weights=self.weights.astype(np.float32), bias=np.array(self.bias))
        return target


@cache
def load_joins(folder: Path) -> Joins:
    """The shipped head."""
    with np.load(folder / "joins.npz") as data:
        return Joins(weights=data["weights"].astype(np.float64), bias=float(data["bias"]))
