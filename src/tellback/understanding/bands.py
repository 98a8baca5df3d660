"""A text's bands: numbers of which two texts that are the same again share at least one, to be looked up by an index.

Each band is made of `ROWS` runs of the text, drawn by chance: the likelier the rarer a run is, and so that two texts
draw the same ones as often as they are alike (weighted MinHash: Ioffe 2010, by exponential clocks; bands: Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from tellback.understanding.duplicates import bucket, rarity_of, shingles

#: Sixteen bands of three: of edited copies that are found alike in letters 98 in 100 share a band.
BANDS, ROWS = 16, 3
_SEEDS = (np.arange(1, BANDS * ROWS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))[:, None]


def bands_of(text: str) -> list[int]:
    """The text's bands, as PostgreSQL's integers; none for a text without words."""
    buckets = np.array(sorted({bucket(run) for run in shingles(text)}), dtype=np.uint64)
    weights = np.array([rarity_of(int(one)) for one in buckets])
    buckets, weights = buckets[weights > 0], weights[weights > 0]
    if not len(buckets):
        return []
    # Each run's clock rings after an exponential time, earlier for a heavier run; the first of each draw is taken.
    first = (-np.log(_uniform(buckets[None, :] ^ _SEEDS)) / weights[None, :]).argmin(axis=1)
    drawn = buckets[first].astype(np.uint32).reshape(BANDS, ROWS)
    return [zlib.crc32(bytes([number]) + row.tobytes()) - (1 << 31) for number, row in enumerate(drawn)]


def _uniform(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A number in (0, 1] for each key that looks drawn by chance and is always the same (splitmix64, Steele 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys ^= keys >> np.uint64(31)
    return ((keys >> np.uint64(11)).astype(np.float64) + 1) / (1 << 53)
