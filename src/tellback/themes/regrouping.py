"""What upkeep proposes, worked out from vectors: which themes are one, and which are several. No database.

Signals that are near to each other form a graph; its communities (Leiden) are compared with the themes as they are. A
theme that lies whole in another's community is to be merged into it, a part that lies elsewhere is to be split off.
Nothing is regrouped from scratch: every move is one that a person can look at, and ids stay.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tellback.themes import rules

if TYPE_CHECKING:
    from scipy import sparse

NEIGHBOURS = 8
Z_NEAR = 3.0
#: How finely communities are told apart. Where there are few, the finest leaves signals alone; then the next is taken.
RESOLUTIONS = (3.0, 2.0, 1.0)
#: More signals than this share, of those that have a neighbour, are not to be alone.
LONELY = 0.05
#: A part is split off from so many signals, and from so large a share of its theme.
SMALLEST_PART = 3
SMALLEST_SHARE = 0.1
#: A theme is merged when so much of it lies in another's community.
WHOLE = 0.6
#: How alike two groups are, over how alike each is in itself: from the first they may be one, from the second they are.
ALIKE = 0.5
ONE = 0.7
#: Below so many vectors a group's own likeness says little, and the other's stands for it.
TELLING = 2
LEAST = 0.01
#: Rows compared at once, for memory.
ROWS = 1024


@dataclass(frozen=True, slots=True)
class Regrouping:
    """One proposal: `members` (rows) leave the themes `sources` for `into`, or for a new theme when that is None.

    A merged theme goes whole; a split takes a part of one; gathering takes signals that stand alone.
    """

    kind: Literal["merge", "split", "gather"]
    sources: tuple[int, ...]
    into: int | None
    members: tuple[int, ...]


def regroup(
    vectors: rules.Matrix,
    themes: Sequence[int],
    space: rules.Space,
    *,
    alone: Collection[int] = (),
    kept: Collection[int] = (),
    apart: Collection[tuple[int, int]] = (),
) -> list[Regrouping]:
    """Proposals for signals (rows of `vectors`) that are in `themes`. The same input gives the same output.

    Themes in `alone` are not shown yet (one signal each). Rows in `kept` were placed by people and are moved by
    no split and no gathering; themes of a pair in `apart`, the lower first, are never joined.
    """
    if len(themes) < 2 * SMALLEST_PART:
        return []
    centred = rules.centred(vectors, space.mean)
    communities = _find_communities(centred, space.threshold(Z_NEAR))
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, pair in enumerate(zip(themes, communities.tolist(), strict=True)):
        cells[pair].append(row)
    return _Proposals(centred, cells, Counter(themes), frozenset(alone), frozenset(kept), frozenset(apart)).all()


def _find_communities(centred: rules.Matrix, floor: float) -> NDArray[np.int64]:
    """The community of each vector, by Leiden on the graph of near neighbours; parts that are one are put together.

    Where there are few communities, Leiden cuts even a single dense one.
    """
    from sknetwork.clustering import Leiden  # noqa: PLC0415 - 100 MB, only while upkeep runs

    graph = _near(centred, floor)
    if not graph.nnz:
        return np.arange(len(centred))
    linked = np.diff(graph.indptr) > 0
    for resolution in RESOLUTIONS:
        found = np.asarray(Leiden(random_state=0, resolution=resolution).fit_predict(graph), dtype=np.int64)
        if (np.bincount(found)[found[linked]] == 1).mean() <= LONELY:
            break
    while True:
        joined = _as_one(centred, found)
        if joined is None:
            return found
        found = joined[found]


def _as_one(centred: rules.Matrix, groups: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The number each group gets when those that are one, and nearest to each other, are put together; None if none."""
    sizes = np.bincount(groups)
    sums = np.zeros((len(sizes), centred.shape[1]), dtype=np.float32)
    np.add.at(sums, groups, centred)
    within = ((sums * sums).sum(axis=1) - sizes) / np.maximum(sizes * (sizes - 1), 1)
    means = sums / (np.maximum(sizes, 1) * np.sqrt(np.maximum(within, LEAST)))[:, None]
    means[sizes < TELLING] = 0
    numbers = np.arange(len(sizes))
    nearest, likeness = np.zeros_like(numbers), np.zeros(len(sizes), dtype=np.float32)
    for start in range(0, len(sizes), ROWS):
        some = numbers[start : start + ROWS]
        alike = means[some] @ means.T
        alike[some - start, some] = 0
        nearest[some], likeness[some] = alike.argmax(axis=1), alike.max(axis=1)
    joined = (nearest[nearest] == numbers) & (nearest < numbers) & (likeness >= ONE)
    return np.where(joined, nearest, numbers) if joined.any() else None


def _near(centred: rules.Matrix, floor: float) -> "sparse.csr_matrix":
    """Each vector's nearest neighbours above the floor, weighted by how far above; symmetric."""
    from scipy import sparse  # noqa: PLC0415 - as above

    count = len(centred)
    nearest = min(NEIGHBOURS, count - 1)
    rows, columns, weights = [], [], []
    for start in range(0, count, ROWS):
        likeness = centred[start : start + ROWS] @ centred.T
        own = np.arange(len(likeness))
        likeness[own, own + start] = -1
        top = np.argpartition(-likeness, nearest - 1, axis=1)[:, :nearest]
        above = (np.take_along_axis(likeness, top, 1) - floor).ravel()
        near = above > 0
        rows.append(np.repeat(own + start, nearest)[near])
        columns.append(top.ravel()[near])
        weights.append(above[near])
    parts = np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))
    graph = sparse.csr_matrix(parts, shape=(count, count))
    return graph.maximum(graph.T)


@dataclass
class _Proposals:
    """The rows of each theme in each community, and what must stay as it is."""

    centred: rules.Matrix
    cells: dict[tuple[int, int], list[int]]
    sizes: Counter[int]
    alone: frozenset[int]
    kept: frozenset[int]
    apart: frozenset[tuple[int, int]]

    def all(self) -> list[Regrouping]:
        """Merges, then splits, then what is gathered; each kind from the largest to the smallest.

        A theme that is to be merged is not split as well, and a community without a theme becomes one new theme.
        """
        home = self._homes()
        owner = self._owners(home)
        merges = [
            found
            for theme, community in home.items()
            for found in self._merge(theme, owner.get(community), len(self.cells[theme, community]))
        ]
        merges += self._same(but={theme for found in merges for theme in found.sources})
        merged = {theme for found in merges for theme in found.sources}
        splits: dict[object, Regrouping] = {}
        for (theme, community), rows in self.cells.items():
            into = owner.get(community)
            if theme in merged or theme in self.alone or home[theme] == community:
                continue
            for found in self._split(theme, into, rows):
                place = (theme, community) if into is not None else community
                splits[place] = min(splits.get(place, found), found, key=_largest_first)
        return [
            *sorted(merges, key=_largest_first),
            *sorted(splits.values(), key=_largest_first),
            *sorted(self._gatherings(owner), key=_largest_first),
        ]

    def _homes(self) -> dict[int, int]:
        """The community that each theme has the most signals in."""
        homes: dict[int, int] = {}
        for theme, community in sorted(self.cells, key=lambda cell: (-len(self.cells[cell]), cell)):
            homes.setdefault(theme, community)
        return homes

    def _owners(self, homes: dict[int, int]) -> dict[int, int]:
        """The theme that each community belongs to: of those at home in it the one with the most signals there."""
        owners: dict[int, int] = {}
        at_home = [(theme, community) for theme, community in homes.items() if theme not in self.alone]
        for theme, community in sorted(at_home, key=lambda cell: (-len(self.cells[cell]), cell)):
            owners.setdefault(community, theme)
        return owners

    def _same(self, but: set[int]) -> list[Regrouping]:
        """Themes that are as good as one, whatever the communities: in a small workspace those say little."""
        shown = [theme for theme in self.sizes if theme not in self.alone | but]
        rows = {theme: self._rows_of(theme) for theme in shown}
        order = sorted(shown, key=lambda theme: (-self.sizes[theme], theme))
        groups = np.concatenate([np.full(len(rows[theme]), at) for at, theme in enumerate(order)]) if order else None
        if groups is None:
            return []
        joined = _as_one(self.centred[[row for theme in order for row in rows[theme]]], groups)
        pairs = [] if joined is None else [(order[at], order[into]) for at, into in enumerate(joined) if at != into]
        return [found for theme, into in pairs for found in self._merge(theme, into, len(rows[theme]))]

    def _merge(self, theme: int, owner: int | None, there: int) -> list[Regrouping]:
        if theme in self.alone or owner is None or owner == theme or not self._may_join(theme, owner):
            return []
        if there < WHOLE * self.sizes[theme]:
            return []
        members = self._rows_of(theme)
        if self._likeness(members, self._rows_of(owner)) < ALIKE:
            return []
        return [Regrouping("merge", (theme,), owner, tuple(members))]

    def _split(self, theme: int, owner: int | None, rows: list[int]) -> list[Regrouping]:
        free = [row for row in rows if row not in self.kept]
        if len(free) < max(SMALLEST_PART, SMALLEST_SHARE * self.sizes[theme]):
            return []
        if owner is not None and not self._may_join(theme, owner):
            return []
        rest = sorted(set(self._rows_of(theme)) - set(rows))
        if not rest or self._likeness(rows, rest) >= ONE:
            return []
        return [Regrouping("split", (theme,), owner, tuple(free))]

    def _gatherings(self, owner: dict[int, int]) -> list[Regrouping]:
        """Signals that stand alone: to the theme they are near to, or together when there are enough of them."""
        near: dict[int, list[int]] = defaultdict(list)
        for theme, community in sorted(self.cells):
            if theme in self.alone and self.kept.isdisjoint(self.cells[theme, community]):
                near[community].append(theme)
        found = []
        for community, themes in near.items():
            into = owner.get(community)
            joining = [theme for theme in themes if into is None or self._may_join(theme, into)]
            members = [row for theme in joining for row in self.cells[theme, community]]
            if len(members) >= (SMALLEST_PART if into is None else 1):
                found.append(Regrouping("gather", tuple(joining), into, tuple(sorted(members))))
        return found

    def _rows_of(self, theme: int) -> list[int]:
        return sorted(row for (own, _community), cell in self.cells.items() if own == theme for row in cell)

    def _likeness(self, one: list[int], other: list[int]) -> float:
        """The mean similarity between two groups over that within them: about 1 for a group cut at random."""
        first, second = self.centred[one].sum(axis=0), self.centred[other].sum(axis=0)
        between = float(first @ second) / (len(one) * len(other))
        inside = [
            (float(total @ total) - count) / (count * (count - 1)) if count >= TELLING else None
            for total, count in ((first, len(one)), (second, len(other)))
        ]
        known = [max(within, LEAST) for within in inside if within is not None]
        return between / float(np.sqrt(known[0] * known[-1])) if known else between

    def _may_join(self, one: int, other: int) -> bool:
        return (min(one, other), max(one, other)) not in self.apart


def _largest_first(found: Regrouping) -> tuple[int, tuple[int, ...]]:
    return -len(found.members), found.members


def apply(proposals: Sequence[Regrouping], themes: Sequence[int]) -> list[int]:
    """The theme of each row when every proposal is accepted; new themes get new numbers."""
    after = list(themes)
    following = max(themes, default=-1) + 1
    for proposal in proposals:
        into = proposal.into
        if into is None:
            into, following = following, following + 1
        for row in proposal.members:
            after[row] = into
    return after
