"""The shadow's themes: which theme each signal of the shadow would be in, and in which words.

The present themes are where it starts from, and what people decided about them holds: corrections, signals that were
moved with a change of themes, and what stands in a theme that was put away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from tellback.platform.bulk import update_rows
from tellback.sdk.engine import Description, Engine, Vectors
from tellback.themes import rules
from tellback.themes.candidates import OPEN
from tellback.themes.models import ChangeState, Replay, ReplayTheme, Theme, ThemeChange, ThemeSpace
from tellback.themes.precedents import Precedents
from tellback.themes.replay.shadow import Pair, as_content, as_signal, items_of, pair_up, successors, untouched
from tellback.themes.services import load_space
from tellback.themes.words import DESCRIBED_SIGNALS
from tellback.understanding.models import Signal

#: Items whose signals are compared with the shadow's at once.
COMPARED = 500


def begin_grouping(replay: Replay, engine: Engine) -> None:
    """Make a shadow of every open theme, and settle what the vectors are compared against. Safe to repeat."""
    replay.themes.all().delete()
    themes = list(Theme.objects.filter(status__in=OPEN).order_by("id"))
    means, counts, space = _measure(replay, engine)
    rows: list[ReplayTheme] = []
    for theme in themes:
        same = theme.centroid_model == replay.embedding_model
        rows.append(
            ReplayTheme(
                workspace_id=replay.workspace_id,
                replay=replay,
                number=len(rows) + 1,
                theme=theme,
                signal_count=theme.signal_count if same else counts.get(theme.id, 0),
                centroid_embedding=theme.centroid_embedding if same else means.get(theme.id),
            )
        )
    ReplayTheme.objects.bulk_create(rows)
    replay.space = {
        "mean": [float(number) for number in space.mean],
        "count": space.count,
        "pairs": space.pairs,
        "pair_mean": space.pair_mean,
        "pair_m2": space.pair_m2,
    }


def _measure(replay: Replay, engine: Engine) -> tuple[dict[UUID, rules.Vector], dict[UUID, int], rules.Space]:
    """Centre and size of each theme in the replay's vectors, and the space that they lie in.

    Where the workspace has vectors of this model, what is known of them stands, and themes have their centres.
    """
    stored = ThemeSpace.objects.filter(embedding_model=replay.embedding_model).first()
    if stored is not None and stored.signal_count:
        return {}, {}, load_space(stored)
    space: rules.Space | None = None
    sums: dict[UUID, rules.Vector] = {}
    counts: dict[UUID, int] = {}
    for pair in pairs_of(replay):
        if pair.after is None:
            continue
        vector = np.asarray(pair.after.embedding, dtype=np.float32)
        if space is None:
            fits = len(engine.background) == len(vector)
            space = rules.Space(mean=engine.background if fits else np.zeros_like(vector))
        space.learn(vector)
        theme_id = pair.before.theme_id if pair.before else None
        if theme_id:
            sums[theme_id] = sums.get(theme_id, np.zeros_like(vector)) + vector
            counts[theme_id] = counts.get(theme_id, 0) + 1
    means = {theme_id: np.asarray(total / counts[theme_id], dtype=np.float32) for theme_id, total in sums.items()}
    return means, counts, space or rules.Space(mean=engine.background)


def pairs_of(replay: Replay) -> Iterable[Pair]:
    """Every signal now and in the shadow side by side, in order of arrival, without items that were not read."""
    last: UUID | None = None
    while True:
        items = items_of(replay)
        ids = list((items.filter(id__gt=last) if last else items).values_list("id", flat=True)[:COMPARED])
        if not ids:
            return
        for pairs in pair_up(replay, ids).values():
            yield from pairs
        last = ids[-1]


def group_some(replay: Replay, item_ids: Sequence[UUID], engine: Engine, now: datetime) -> None:
    """Give each shadow signal of these items its theme in the shadow, in order of arrival."""
    pairs = [pair for some in pair_up(replay, item_ids).values() for pair in some if pair.after is not None]
    shadows = [pair.after for pair in pairs if pair.after]
    signals = [as_signal(shadow, now) for shadow in shadows]
    grouping = _Grouping.load(replay, item_ids, pairs)
    telling = engine.is_telling([signal.summary for signal in signals])
    for pair, shadow, signal, tells in zip(pairs, shadows, signals, telling, strict=True):
        shadow.shadow_theme = grouping.place(pair, signal, tells=tells)
        shadow.content = as_content(signal)
    grouping.save()
    update_rows(shadows, ["shadow_theme", "content"])


@dataclass
class _Grouping:
    """The shadow's themes while a batch joins them. `rows` are those that may be joined, one for each centroid."""

    replay: Replay
    themes: list[ReplayTheme]
    rows: list[ReplayTheme]
    centroids: rules.Matrix
    space: rules.Space
    precedents: Precedents
    decided: dict[UUID, UUID]
    now_in: dict[UUID, Theme]
    known: int

    @classmethod
    def load(cls, replay: Replay, item_ids: Sequence[UUID], pairs: Sequence[Pair]) -> "_Grouping":
        themes = list(replay.themes.order_by("number"))
        rows = [theme for theme in themes if theme.centroid_embedding is not None]
        space = space_of(replay)
        centroids = np.array([theme.centroid_embedding for theme in rows], dtype=np.float32)
        before = [pair.before for pair in pairs if pair.before and pair.before.theme_id]
        held = _moved_by_changes(before)
        chosen = [theme for pair in pairs if pair.after and (theme := _chosen(pair.after.content))]
        named = [*(signal.theme_id for signal in before if signal.theme_id), *chosen]
        return cls(
            replay,
            themes,
            rows,
            centroids if rows else np.zeros((0, len(space.mean)), dtype=np.float32),
            space,
            Precedents.load(model=replay.embedding_model, item_ids=item_ids),
            {signal.id: signal.theme_id for signal in before if signal.theme_id and signal.id in held},
            successors(named),
            len(themes),
        )

    def place(self, pair: Pair, signal: Signal, *, tells: bool) -> ReplayTheme | None:
        """Where the signal belongs in the shadow; why is written on the signal."""
        assert pair.after
        same = signal.embedding_model == self.replay.embedding_model
        vector = np.asarray(signal.embedding, dtype=np.float32) if same else None
        if self.precedents.hold(signal, vector, self.space):
            return self._shadow_of(signal.theme_id) if signal.theme_id else None
        stays = self._stays(pair.before)
        if stays is not None:
            signal.theme_reason, signal.theme_similarity = _("It was put there with a change of themes"), None
            return self._shadow_of(stays)
        signal.theme_reason = rules.why_unthemed(signal.signal_type, tells=tells, comparable=same)
        return None if signal.theme_reason or vector is None else self._assign(signal, vector)

    def _stays(self, before: Signal | None) -> UUID | None:
        """The theme that its counterpart stays in whatever the vectors say, because people arranged it so."""
        if before is None or before.theme_id is None:
            return None
        theme = self.now_in.get(before.theme_id)
        if theme is None:
            return None
        return theme.id if theme.status not in OPEN or before.id in self.decided else None

    def _assign(self, signal: Signal, vector: rules.Vector) -> ReplayTheme:
        row = self._row_chosen(signal.theme_decision)
        if row is not None:
            centroid, decision = self.centroids[row], signal.theme_decision or {}
            cosine = float(centroid @ vector / max(float(np.linalg.norm(centroid)), 1e-6))
            signal.theme_similarity = round(cosine, 4)
            signal.theme_reason = decision.get("reasoning") or _("The language model chose it")
            signal.needs_review = not rules.is_chosen_surely(confidence=float(decision["confidence"]), cosine=cosine)
            return self._join(row, vector)
        z = rules.Z_GUESSED if signal.note else rules.Z_JOIN
        found = rules.assign(vector, self.centroids, self.space, z=z)
        signal.theme_similarity, signal.theme_reason = round(found.similarity, 4), found.reason
        signal.needs_review = found.needs_review
        return self._found(signal, vector) if found.candidate is None else self._join(found.candidate, vector)

    def _row_chosen(self, decision: dict[str, Any] | None) -> int | None:
        wanted = (decision or {}).get("theme")
        theme = self.now_in.get(UUID(wanted)) if wanted else None
        return next((row for row, one in enumerate(self.rows) if theme and one.theme_id == theme.id), None)

    def _join(self, row: int, vector: rules.Vector) -> ReplayTheme:
        theme = self.rows[row]
        if theme.theme_id is None:
            self.centroids[row] = rules.moved_centroid(self.centroids[row], theme.signal_count, vector)
            theme.signal_count += 1
        return theme

    def _found(self, signal: Signal, vector: rules.Vector) -> ReplayTheme:
        words = signal.theme_decision or {}
        theme = self._add(
            title=words.get("title") or signal.summary,
            summary=words.get("summary") or signal.summary,
            signal_count=1,
            centroid_embedding=vector,
        )
        self.rows.append(theme)
        self.centroids = np.vstack([self.centroids, vector[None]])
        return theme

    def _shadow_of(self, theme_id: UUID) -> ReplayTheme:
        """The shadow of a theme; one is made for a theme that nothing may join."""
        there = next((theme for theme in self.themes if theme.theme_id == theme_id), None)
        return there or self._add(theme_id=theme_id)

    def _add(self, **values: Any) -> ReplayTheme:
        number = self.themes[-1].number + 1 if self.themes else 1
        self.themes.append(
            ReplayTheme(workspace_id=self.replay.workspace_id, replay=self.replay, number=number, **values)
        )
        return self.themes[-1]

    def save(self) -> None:
        """Store the shadow's themes that were founded or have moved."""
        for theme, centroid in zip(self.rows, self.centroids, strict=True):
            theme.centroid_embedding = centroid
        ReplayTheme.objects.bulk_create(self.themes[self.known :])
        moved = [theme for theme in self.themes[: self.known] if theme.theme_id is None]
        update_rows(moved, ["centroid_embedding", "signal_count"])


def _chosen(content: dict[str, Any]) -> UUID | None:
    theme = (content.get("theme_decision") or {}).get("theme")
    return UUID(theme) if theme else None


def _moved_by_changes(signals: Sequence[Signal]) -> set[UUID]:
    """Those of the signals that are where they are because of a change of themes that still holds."""
    ids = [str(signal.id) for signal in signals]
    changes = ThemeChange.objects.filter(state=ChangeState.DONE, moves__has_any_keys=ids) if ids else ()
    moved = {signal_id for change in changes for signal_id in change.moves}
    return {signal.id for signal in signals if str(signal.id) in moved}


def space_of(replay: Replay) -> rules.Space:
    """What the replay knows of its vectors. It does not change while signals are grouped."""
    known = replay.space or {}
    return rules.Space(
        mean=np.array(known["mean"], dtype=np.float32),
        count=known["count"],
        pairs=known["pairs"],
        pair_mean=known["pair_mean"],
        pair_m2=known["pair_m2"],
    )


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A theme of the shadow with what its words are made of."""

    theme: ReplayTheme
    texts: list[str]
    vectors: Vectors
    background: Vectors

    def keep(self, words: Description) -> None:
        """Store the words, unless a person gave the theme its title: then only the summary."""
        manual = self.theme.theme is not None and self.theme.theme.title_is_manual
        self.theme.title, self.theme.summary = ("" if manual else words.title), words.summary
        self.theme.save(update_fields=["title", "summary"])


def name_next(replay: Replay) -> Unnamed | None:
    """The next theme of the shadow that two signals or more speak to, in order of their numbers; None after the last.

    Its words are made of the shadow's signals and of those in the theme that are not replayed, most typical first.
    """
    for theme in replay.themes.filter(number__gt=replay.named).select_related("theme").order_by("number"):
        own = theme.signals.filter(embedding_model=replay.embedding_model).order_by("raw_feedback_item", "position")
        said = [(str(one.content["summary"]), one.embedding) for one in own]
        if theme.theme is not None and said:
            others = Signal.objects.filter(theme_id=theme.theme_id, embedding_model=replay.embedding_model)
            staying = untouched(replay, others).order_by("raw_feedback_item", "position")
            said += list(staying.values_list("summary", "embedding"))
        if len(said) > 1:
            return _typical(theme, said, space_of(replay).mean)
    return None


def _typical(theme: ReplayTheme, said: Sequence[tuple[str, Any]], background: Vectors) -> Unnamed:
    vectors = np.array([vector for _text, vector in said], dtype=np.float32)
    nearness = vectors @ vectors.mean(axis=0)
    chosen = np.argsort(-nearness, kind="stable")[:DESCRIBED_SIGNALS]
    return Unnamed(theme, [said[place][0] for place in chosen], vectors[chosen], background)
