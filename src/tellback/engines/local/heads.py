"""The light heads: from a sentence's features to the probabilities of a few classes. Numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tellback.engines.local.features import sparse_scores, with_surface
from tellback.sdk.engine import Vectors

FOLDER = Path(__file__).parent / "trained"


@dataclass(frozen=True, slots=True)
class Head:
    """Linear scores over the dense and the hashed features, and the temperature that makes odds of them."""

    classes: tuple[str, ...]
    dense: NDArray[np.float32]
    sparse: NDArray[np.float32]
    rarity: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float

    def scores(self, texts: Sequence[str], rows: Vectors) -> NDArray[np.float32]:
        """One row per text, one column per class; `rows` is what the sentence model says of each text."""
        dense = with_surface(texts, rows) @ self.dense + self.bias
        return np.asarray(dense + sparse_scores(texts, self.sparse, self.rarity), dtype=np.float32)

    def probabilities(self, texts: Sequence[str], rows: Vectors) -> NDArray[np.float32]:
        """Like `scores`, as odds: each row sums to one."""
        scores = self.scores(texts, rows) / self.temperature
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float32)

    def save(self, name: str, folder: Path = FOLDER) -> Path:
        """Write the head compressed: half precision, and a byte for each hashed weight with one scale a class."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{name}.npz"
        scale = np.maximum(np.abs(self.sparse).max(axis=0), 1e-6) / 127
        np.savez_compressed(
            target,
            classes=np.array(self.classes),
            dense=self.dense.astype(np.float16),
            sparse=np.round(self.sparse / scale).astype(np.int8),
            scale=scale.astype(np.float32),
            rarity=self.rarity.astype(np.float16),
            bias=self.bias,
            temperature=np.array(self.temperature, dtype=np.float32),
        )
        return target


@cache
def load_head(name: str) -> Head:
    """The shipped head of this name."""
    with np.load(FOLDER / f"{name}.npz") as data:
        return Head(
            classes=tuple(str(label) for label in data["classes"]),
            dense=data["dense"].astype(np.float32),
            sparse=data["sparse"].astype(np.float32) * data["scale"],
            rarity=data["rarity"].astype(np.float32),
            bias=data["bias"],
            temperature=float(data["temperature"]),
        )


@cache
def load_background() -> Vectors:
    """The shipped mean vector of feedback in general."""
    return np.asarray(np.load(FOLDER / "background.npy"), dtype=np.float32)
