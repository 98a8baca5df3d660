"""Training: seeded, small and refused when it makes no sense."""

from pathlib import Path

import numpy as np
import pytest

from tellback.engines.local.heads import FOLDER
from tellback.engines.local.train import fit_head
from tellback.kernel.errors import Invalid


def test_a_head_learns_what_it_is_shown_and_is_the_same_every_time() -> None:
    texts = ["it crashes", "crashes again", "please add a button", "add an export"] * 3
    labels = ["bug", "bug", "wish", "wish"] * 3
    vectors = np.zeros((len(texts), 4), dtype=np.float32)
    first, second = (fit_head(texts, labels, vectors) for _ in range(2))
    odds = first.probabilities(["crashes", "add one"], vectors[:2])
    assert [first.classes[i] for i in odds.argmax(axis=1)] == ["bug", "wish"]
    assert np.allclose(odds.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(first.sparse, second.sparse)


def test_one_kind_of_example_is_refused() -> None:
    with pytest.raises(Invalid):
        fit_head(["a", "b"], ["bug", "bug"], np.zeros((2, 4), dtype=np.float32))


def test_shipped_heads_stay_small_and_are_described() -> None:
    heads = list(Path(FOLDER).glob("*.npz"))
    assert sum(head.stat().st_size for head in heads) < 3_000_000
    card = (Path(FOLDER) / "CARD.md").read_text(encoding="utf-8")
    assert all(head.name in card for head in heads)
