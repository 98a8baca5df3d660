"""The themes that new signals may join: found among all open ones by their centres, which a process keeps in memory.

Reading ten thousand centres for each batch would cost more than all else, and the database would compare them one by
one. So a process keeps them and reads what has changed since it last looked; what is found is then read from the
database and locked, so that an old centre in memory can at worst offer the second best.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np
import orjson
from django.db import connection

from tellback.kernel.ids import new_id
from tellback.platform.bulk import update_rows
from tellback.platform.tenancy import current_workspace_id
from tellback.themes import rules
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.models import Signal

OPEN = (ThemeStatus.CANDIDATE, ThemeStatus.ACTIVE)
#: What is read of the themes that may be joined.
READ = (
    "id", "workspace_id", "created_at", "status", "signal_count", "counted_signals", "is_stale", "centroid_embedding",
    "centroid_updated_at",
)  # fmt: skip
#: How many centres one process keeps altogether (1.5 KB each); of the workspaces that did least lately they are let go.
KEPT = 40_000
CHANGED = """
    SELECT id, status IN ('candidate', 'active') AND centroid_model = %s, centroid_embedding::text
    FROM feedback_themes WHERE workspace_id = %s AND changed_in >= %s::xid8
"""
EVERYTHING = "0"


class Centres:
    """The centres of a workspace's open themes by one model, as of when they were last read."""

    def __init__(self) -> None:
        self.rows: dict[UUID, int] = {}
        self.ids: list[UUID | None] = []
        self.matrix = np.zeros((0, 0), dtype=np.float32)
        self.squares = np.zeros(0, dtype=np.float32)
        self.seen = EVERYTHING

    def catch_up(self, workspace_id: UUID, model: str) -> None:
        """Read what has changed. Whatever was under way when we last looked is read again, so nothing is missed."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
            following = cursor.fetchone()[0]
            cursor.execute(CHANGED, [model, workspace_id, self.seen])
            changed = cursor.fetchall()
        self.seen = following
        for theme_id, is_open, vector in changed:
            if is_open and vector is not None:
                self._put(theme_id, np.array(orjson.loads(vector), dtype=np.float32))
            elif theme_id in self.rows:
                self._drop(theme_id)

    def nearest(self, vectors: rules.Matrix, space: rules.Space) -> set[UUID]:
        """The themes nearest to each of the vectors (one a row), by similarity after the mean is taken out.

        Written out, so that each centre is read once: (c - m)·(v - m) over the lengths of both.
        """
        count = len(self.ids)
        if not count or self.matrix.shape[1] != vectors.shape[1]:
            return set()
        mean = space.mean
        products = self.matrix[:count] @ np.vstack([vectors, mean]).T
        to_mean, own = products[:, -1], float(mean @ mean)
        lengths = np.sqrt(np.maximum(self.squares[:count] - 2 * to_mean + own, 1e-9))
        likeness = (products[:, :-1] - to_mean[:, None] - (vectors @ mean)[None, :] + own) / lengths[:, None]
        most = min(rules.CANDIDATES, count)
        places = np.argpartition(-likeness, most - 1, axis=0)[:most]
        return {theme for place in np.unique(places) if (theme := self.ids[place]) is not None}

    def _put(self, theme_id: UUID, vector: rules.Vector) -> None:
        row = self.rows.get(theme_id)
        if row is None:
            row = self.rows[theme_id] = len(self.ids)
            self.ids.append(theme_id)
            self._grow(len(vector))
        if self.matrix.shape[1] == len(vector):
            self.matrix[row], self.squares[row] = vector, float(vector @ vector)

    def _grow(self, size: int) -> None:
        if len(self.ids) > len(self.matrix) or not self.matrix.size:
            room = max(256, 2 * len(self.ids))
            wider = np.zeros((room, size), dtype=np.float32), np.zeros(room, dtype=np.float32)
            if self.matrix.size:
                wider[0][: len(self.matrix)], wider[1][: len(self.matrix)] = self.matrix, self.squares
            self.matrix, self.squares = wider

    def _drop(self, theme_id: UUID) -> None:
        """Put the last centre in the place of this one."""
        row, last = self.rows.pop(theme_id), len(self.ids) - 1
        moved = self.ids.pop()
        if row != last and moved is not None:
            self.ids[row], self.rows[moved] = moved, row
            self.matrix[row], self.squares[row] = self.matrix[last], self.squares[last]


_kept: OrderedDict[tuple[UUID, str], Centres] = OrderedDict()
_lock = threading.Lock()


def nearest_themes(vectors: rules.Matrix, *, model: str, space: rules.Space) -> set[UUID]:
    """The open themes of the present workspace that are nearest to each of these vectors, one a row.

    A few of them may have been closed since: whoever takes them reads them again.
    """
    workspace_id = current_workspace_id()
    with _lock:
        centres = _kept.setdefault((workspace_id, model), Centres())
        _kept.move_to_end((workspace_id, model))
        centres.catch_up(workspace_id, model)
        found = centres.nearest(vectors, space)
        while len(_kept) > 1 and sum(len(one.ids) for one in _kept.values()) > KEPT:
            _kept.popitem(last=False)
    return found


@dataclass
class Candidates:
    """The themes that a batch may join, with centroids that follow as it does. Their rows are locked."""

    themes: list[Theme]
    centroids: rules.Matrix
    touched: set[int]
    known: int
    merged: dict[str, str] = field(default_factory=dict)

    @classmethod
    def near(cls, signals: Sequence[Signal], *, model: str, space: rules.Space) -> "Candidates":
        """The themes nearest to each of the signals, and those that a language model chose for them."""
        chosen = {str(theme) for one in signals if (theme := (one.theme_decision or {}).get("theme"))}
        merged = _successors(chosen) if chosen else {}
        wanted: set[UUID] = {UUID(merged.get(theme, theme)) for theme in chosen}
        if signals:
            vectors = np.array([signal.embedding for signal in signals], dtype=np.float32)
            wanted |= nearest_themes(vectors, model=model, space=space)
        themes = Theme.objects.filter(id__in=wanted, status__in=OPEN, centroid_model=model)
        rows = list(themes.only(*READ).select_for_update().order_by("id"))
        if rows:
            centroids = np.array([theme.centroid_embedding for theme in rows], dtype=np.float32)
            return cls(rows, centroids, set(), len(rows), merged)
        size = len(signals[0].embedding) if signals else 0
        return cls([], np.zeros((0, size), dtype=np.float32), set(), 0)

    def row_of(self, theme_id: str | None) -> int | None:
        """Where a theme that a language model chose stands, or the one that it was merged into; None if it is gone."""
        wanted = self.merged.get(theme_id or "", theme_id)
        return next((row for row, theme in enumerate(self.themes) if str(theme.id) == wanted), None)

    def is_unseen(self, decision: rules.Decision, signal: Signal) -> bool:
        """Whether the theme to join was founded after the language model looked, and is close beyond doubt.

        Signals that are read at the same time do not see each other's new themes; two of one need would be founded.
        """
        if decision.candidate is None or decision.needs_review:
            return False
        return decision.candidate >= self.known or self.themes[decision.candidate].created_at >= signal.created_at

    def join(self, row: int, vector: rules.Vector) -> UUID:
        """Add a signal to the theme in this row."""
        theme = self.themes[row]
        self.centroids[row] = rules.moved_centroid(self.centroids[row], theme.signal_count, vector)
        theme.signal_count += 1
        theme.status = ThemeStatus.ACTIVE
        self.touched.add(row)
        return theme.id

    def found(self, signal: Signal, vector: rules.Vector, model: str, now: datetime) -> UUID:
        """A new theme of one signal; it is shown when a second one joins."""
        self.themes.append(
            Theme(
                id=new_id(),
                workspace_id=signal.workspace_id,
                title=(signal.theme_decision or {}).get("title") or signal.summary,
                summary=(signal.theme_decision or {}).get("summary") or signal.summary,
                parent_theme_id=self._parent(signal),
                board_id=signal.board_id,
                status=ThemeStatus.CANDIDATE,
                signal_count=1,
                centroid_embedding=vector,
                centroid_model=model,
                centroid_updated_at=now,
                first_signal_at=signal.raw_feedback_item.source_created_at,
                last_signal_at=signal.raw_feedback_item.source_created_at,
            )
        )
        self.centroids = np.vstack([self.centroids, vector[None]])
        return self.themes[-1].id

    def _parent(self, signal: Signal) -> UUID | None:
        row = self.row_of((signal.theme_decision or {}).get("parent"))
        return None if row is None else self.themes[row].id

    def save(self, now: datetime) -> None:
        """Store the themes that signals founded or joined."""
        for row in self.touched:
            theme = self.themes[row]
            theme.centroid_embedding, theme.centroid_updated_at = self.centroids[row], now
            theme.is_stale |= rules.is_due(signals=theme.signal_count, counted=theme.counted_signals)
        Theme.objects.bulk_create(self.themes[self.known :])
        changed = [self.themes[row] for row in sorted(self.touched) if row < self.known]
        update_rows(changed, ["centroid_embedding", "centroid_updated_at", "signal_count", "status", "is_stale"])


def _successors(theme_ids: Collection[str]) -> dict[str, str]:
    """Which theme each of these was merged into, for those that were."""
    merged = Theme.objects.filter(id__in=theme_ids, status=ThemeStatus.MERGED).exclude(merged_into_theme=None)
    return {str(old): str(new) for old, new in merged.values_list("id", "merged_into_theme_id")}
