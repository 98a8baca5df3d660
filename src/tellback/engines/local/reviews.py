"""What a whole review looks like to a head: all of it, its sentences on average and at their strongest, its stars."""

from collections.abc import Callable, Sequence

import numpy as np

from tellback.engines.local.sentences import split_sentences
from tellback.sdk.engine import Item, Vectors

MAX_SENTENCES = 12
STAR_WEIGHT = 0.4


def whole_vectors(items: Sequence[Item], embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """One row per item: the text's vector, mean and maximum over its sentences, and five marks for stars."""
    groups = [[span.quote for span in split_sentences(item.text)][:MAX_SENTENCES] or [item.text] for item in items]
    whole = embed([item.text for item in items])
    parts = embed([sentence for group in groups for sentence in group])
    ends = np.cumsum([len(group) for group in groups])
    pooled = [np.hstack([part.mean(axis=0), part.max(axis=0)]) for part in np.split(parts, ends[:-1])]
    stars = np.zeros((len(items), 5), dtype=np.float32)
    for row, item in enumerate(items):
        if item.stars is not None and 1 <= item.stars <= 5:
            stars[row, item.stars - 1] = STAR_WEIGHT
    return np.hstack([whole, np.array(pooled, dtype=np.float32).reshape(len(items), -1), stars])
