"""Counts how rare each run of letters is in feedback: `python -m tellback.understanding.train_rarity FOLDER`.

FOLDER holds the public evaluation files; only the train rows of `intent_app_reviews.csv` (CC0-1.0) are read. What is
stored are counts of hashed runs of four letters, no text.
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tellback.understanding.duplicates import BUCKETS, RARITY, STEPS, bucket, shingles
from tellback.understanding.evaluation.files import read_table


def rarities(texts: Sequence[str]) -> NDArray[np.uint8]:
    """The logarithm of the inverse document frequency of each bucket, in twentieths."""
    seen = Counter(place for text in texts for place in {bucket(run) for run in shingles(text)})
    values = [math.log((len(texts) + 1) / (seen[place] + 1)) for place in range(BUCKETS)]
    return np.round(np.array(values) * STEPS).astype(np.uint8)


if __name__ == "__main__":
    rows = read_table(Path(sys.argv[1]) / "intent_app_reviews.csv", columns=["split", "text"])
    np.save(RARITY, rarities([row["text"] for row in rows if row["split"] == "train"]))
