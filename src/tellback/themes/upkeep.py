"""What upkeep would propose: themes that are one, and themes that are several. Pure; nothing is moved here.

Online assignment sees each signal once, in the order of arrival. Seen together, signals form a graph of near
neighbours, whose communities (Leiden: Traag, Waltman and van Eck 2019) tell which themes belong together and which
fall apart. A theme keeps its signals unless a proposal about it is accepted.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tellback.themes.rules import Matrix, centred

#: Each signal is tied to so many neighbours, where they are this many deviations more alike than chance.
NEIGHBOURS = 8
Z_TIED = 3.0
#: Above one, communities are smaller than plain modularity would make them.
RESOLUTION = 4.0
#: A theme belongs to a community that holds this share of it.
MOSTLY = 0.7
#: A part of a theme is a theme of its own with so many signals and this share of them; smaller themes stay whole.
PART, PART_SHARE, SPLITTABLE = 3, 0.25, 6
SAMPLED_PAIRS = 20_000
BLOCK = 1024
SEED = 20261120


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that a person may accept: `merge` moves these signals (positions) to theme `into`; `split` gives them a
    theme of their own, named by a new number in `into`.
    """

    kind: Literal["merge", "split"]
    theme: int
    into: int
    signals: tuple[int, ...]


def propose(vectors: Matrix, themes: Sequence[int]) -> list[Proposal]:
    """Splits, then merges, for signals with these vectors (one row each) in these themes. Deterministic.

    Merges speak of the themes as they are after the splits. Fewer than two signals propose nothing.
    """
    if len(themes) < 2:
        return []
    found = _communities(vectors)
    current = np.array(themes)
    splits = _splits(current, found)
    for split in splits:
        current[list(split.signals)] = split.into
    return splits + _merges(current, found)


def accepted(proposals: Sequence[Proposal], themes: Sequence[int]) -> list[int]:
    """The theme of each signal when all of these have been accepted, in order."""
    current = np.array(themes)
    for proposal in proposals:
        current[list(proposal.signals)] = proposal.into
    return [int(theme) for theme in current]


def _splits(themes: NDArray[np.int64], found: NDArray[np.int64]) -> list[Proposal]:
    proposals: list[Proposal] = []
    for theme in np.unique(themes):
        members = np.flatnonzero(themes == theme)
        if len(members) < SPLITTABLE:
            continue
        for community, count in Counter(found[members].tolist()).most_common()[1:]:
            if count >= max(PART, PART_SHARE * len(members)):
                part = tuple(int(i) for i in members[found[members] == community])
                into = int(themes.max()) + 1 + len(proposals)
                proposals.append(Proposal("split", int(theme), into, part))
    return proposals


def _merges(themes: NDArray[np.int64], found: NDArray[np.int64]) -> list[Proposal]:
    homes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for theme in np.unique(themes):
        members = found[themes == theme]
        community, count = Counter(members.tolist()).most_common(1)[0]
        if count >= MOSTLY * len(members):
            homes[community].append((len(members), int(theme)))
    proposals = []
    for alike in homes.values():
        # The largest keeps its name, the oldest of those that are equally large.
        alike.sort(key=lambda pair: (-pair[0], pair[1]))
        for _, theme in alike[1:]:
            signals = tuple(int(i) for i in np.flatnonzero(themes == theme))
            proposals.append(Proposal("merge", theme, alike[0][1], signals))
    return proposals


def _communities(vectors: Matrix) -> NDArray[np.int64]:
    from scipy import sparse  # noqa: PLC0415 - heavy, only while upkeep runs
    from sknetwork.clustering import Leiden  # noqa: PLC0415

    apart = centred(vectors, vectors.mean(axis=0))
    least = _least(apart)
    rows, columns, weights = [], [], []
    for start in range(0, len(apart), BLOCK):
        alike = apart[start : start + BLOCK] @ apart.T
        own = np.arange(len(alike))
        alike[own, start + own] = -1
        count = min(NEIGHBOURS, alike.shape[1] - 1)
        near = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        excess = np.take_along_axis(alike, near, axis=1) - least
        row, place = np.nonzero(excess > 0)
        rows.append(start + row)
        columns.append(near[row, place])
        weights.append(excess[row, place])
    parts = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    one_way = sparse.csr_matrix(parts, shape=(len(apart), len(apart)))
    if not one_way.nnz:
        return np.arange(len(apart))
    leiden = Leiden(resolution=RESOLUTION, random_state=SEED, shuffle_nodes=False)
    return np.asarray(leiden.fit_predict(one_way.maximum(one_way.T)), dtype=np.int64)


def _least(apart: Matrix) -> float:
    """The likeness that chance does not reach, from random pairs."""
    chance = np.random.default_rng(SEED)
    first, second = chance.integers(0, len(apart), (2, SAMPLED_PAIRS))
    alike = np.einsum("ij,ij->i", apart[first], apart[second])[first != second]
    return float(alike.mean() + Z_TIED * alike.std())
