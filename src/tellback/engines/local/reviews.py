"""What a whole text looks like to a head: all of it, its sentences on average and at their strongest, its stars."""

from collections.abc import Callable, Sequence

import numpy as np

from tellback.engines.local.sentences import split_sentences
from tellback.sdk.engine import Item, Vectors

MAX_SENTENCES = 12
STARS = 5
STAR_WEIGHT = 1.0

Read = Callable[[Sequence[str]], Vectors]


def whole_rows(items: Sequence[Item], *, read: Read, embed: Read) -> Vectors:
    """One row per item: all of it in every layer, mean and maximum of its sentences' vectors, five marks for stars.

    `read` gives a text's layers, `embed` its vector.
    """
    groups = [[span.quote for span in split_sentences(item.text)][:MAX_SENTENCES] or [item.text] for item in items]
    whole = read([item.text for item in items])
    parts = embed([sentence for group in groups for sentence in group])
    ends = np.cumsum([len(group) for group in groups])
    pooled = [np.hstack([part.mean(axis=0), part.max(axis=0)]) for part in np.split(parts, ends[:-1])]
    stars = np.zeros((len(items), STARS), dtype=np.float32)
    for row, item in enumerate(items):
        if item.stars is not None and 1 <= item.stars <= 5:
            stars[row, item.stars - 1] = STAR_WEIGHT
    return np.hstack([whole, np.array(pooled, dtype=np.float32).reshape(len(items), -1), stars])
