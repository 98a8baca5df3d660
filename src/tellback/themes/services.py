"""Writes of themes: joining signals to themes, refreshing what a theme shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, When
from django.utils.translation import gettext as _
from pgvector.django import CosineDistance

from tellback.engines.openai import PASSING
from tellback.intake.models import ItemState, RawItem
from tellback.intake.states import complete_items
from tellback.kernel.ids import new_id
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer, defer_once
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Description, Engine, Vectors
from tellback.themes import rules
from tellback.themes.corrections import recentre
from tellback.themes.figures import Figures, read_figures
from tellback.themes.models import ChangeKind, ChangeState, Theme, ThemeChange, ThemeSpace, ThemeStatus
from tellback.themes.precedents import Precedents
from tellback.understanding.models import Signal, SignalState

OPEN = (ThemeStatus.CANDIDATE, ThemeStatus.ACTIVE)
#: With this many themes all are compared in memory; above, the database picks the nearest for each signal.
COMPARE_ALL = 400
#: How many waiting items a job takes along.
BATCH = 128
#: How many of a theme's sentences its title is made of.
DESCRIBED_SIGNALS = 80
#: What refreshing a theme stores.
REFRESHED = (
    "signal_count", "needs_review_count", "first_signal_at", "last_signal_at", "unique_author_count",
    "type_distribution", "sentiment_distribution", "urgency_distribution", "source_distribution", "strength",
    "title", "summary", "described_at_count", "described_by", "wants_words", "is_stale", "updated_at",
)  # fmt: skip
#: Figures and words follow assignment by this much, so that a burst is refreshed once.
REFRESH_DELAY = timedelta(seconds=2)


@transaction.atomic
def assign_items(*, workspace_id: UUID, item_ids: Sequence[UUID], engine: Engine, now: datetime) -> None:
    """Give each waiting signal of these items a theme, in order of arrival, and complete the items. Safe to repeat.

    Praise is counted but not themed. One batch of a workspace at a time: the row of its space is locked.
    """
    model = engine.identity.embedding_model
    stored = _lock_space(workspace_id, model, engine.background)
    items = _interpreted(item_ids)
    if not items:
        return
    waiting = list(
        Signal.objects.filter(raw_feedback_item_id__in=items, processing_state=SignalState.PENDING)
        .select_related("raw_feedback_item")
        .order_by("created_at", "raw_feedback_item_id", "position")
    )
    comparable = [signal for signal in waiting if signal.embedding_model == model]
    space = load_space(stored, size=len(comparable[0].embedding) if comparable else 0)
    candidates = _Candidates.near(comparable, model)
    precedents = Precedents.load(model=model, item_ids=items)
    settled: set[UUID] = set()
    telling = engine.is_telling([signal.summary for signal in waiting])
    for signal, tells in zip(waiting, telling, strict=True):
        signal.processing_state = SignalState.COMPLETED
        same = signal.embedding_model == model
        vector = np.asarray(signal.embedding, dtype=np.float32) if same else None
        if precedents.hold(signal, vector, space):
            settled |= {signal.theme_id} if signal.theme_id else set()
            continue
        signal.theme_reason = rules.why_unthemed(signal.signal_type, tells=tells, comparable=same)
        if not signal.theme_reason:
            _place(signal, candidates, space, model, now)
    candidates.save(now)
    update_rows(
        waiting,
        [
            "theme_id",
            "theme_similarity",
            "theme_reason",
            "needs_review",
            "interpretation_confidence",
            "processing_state",
            "signal_type",
            "sentiment",
            "urgency",
            "board_id",
        ],
    )
    precedents.save()
    for theme_id in sorted(settled):
        recentre(theme_id, now=now)
    _save(stored, space)
    complete_items(item_ids=items, now=now)
    done = [str(item) for item in items]
    defer("triage.rescore", queue=Queue.INGEST, workspace_id=workspace_id, item_ids=done)
    defer("triage.find_duplicates", queue=Queue.AI, workspace_id=workspace_id, item_ids=done)
    defer_once("insights.index", queue=Queue.INGEST, workspace_id=workspace_id, delay=REFRESH_DELAY)
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=workspace_id, delay=REFRESH_DELAY)


def _lock_space(workspace_id: UUID, model: str, background: rules.Vector) -> ThemeSpace:
    """What is known of the workspace's vectors by this model, locked."""
    mean = background if len(background) else np.zeros(1, dtype=np.float32)
    ThemeSpace.objects.get_or_create(
        workspace_id=workspace_id, embedding_model=model, defaults={"mean_embedding": mean}
    )
    return ThemeSpace.objects.select_for_update().get(embedding_model=model)


def _interpreted(item_ids: Sequence[UUID]) -> list[UUID]:
    """The items to theme now: those that were asked for, and others that wait for the same."""
    ready = RawItem.objects.filter(processing_state=ItemState.INTERPRETING)
    return list(
        ready.alias(asked=Case(When(id__in=item_ids, then=0), default=1))
        .order_by("asked", "id")
        .values_list("id", flat=True)[: max(len(item_ids), BATCH)]
    )


def _place(signal: Signal, candidates: "_Candidates", space: rules.Space, model: str, now: datetime) -> None:
    """By the language model's choice where it made one that still stands, else by vectors alone."""
    vector = np.asarray(signal.embedding, dtype=np.float32)
    chosen: dict[str, Any] | None = signal.theme_decision
    row = candidates.row_of(chosen.get("theme")) if chosen else None
    if chosen and row is not None:
        _place_as_chosen(signal, chosen, candidates, row, vector)
    else:
        z = rules.Z_GUESSED if signal.note else rules.Z_JOIN
        decision = rules.assign(vector, candidates.centroids, space, z=z)
        if chosen and not chosen.get("theme") and not candidates.is_unseen(decision, signal):
            decision = rules.founded(chosen.get("reasoning") or "Nothing like it was said before", decision)
        signal.theme_id = (
            candidates.found(signal, vector, model, now)
            if decision.candidate is None
            else candidates.join(decision.candidate, vector)
        )
        signal.theme_similarity = round(decision.similarity, 4)
        signal.theme_reason = decision.reason
        signal.needs_review = decision.needs_review
    space.learn(vector)


def _place_as_chosen(
    signal: Signal, chosen: Mapping[str, Any], candidates: "_Candidates", row: int, vector: rules.Vector
) -> None:
    centroid = candidates.centroids[row]
    cosine = float(centroid @ vector / max(float(np.linalg.norm(centroid)), 1e-6))
    confidence = float(chosen["confidence"])
    signal.theme_id = candidates.join(row, vector)
    signal.theme_similarity = round(cosine, 4)
    signal.theme_reason = chosen.get("reasoning") or "The language model chose it"
    signal.needs_review = not rules.is_chosen_surely(confidence=confidence, cosine=cosine)


@dataclass
class _Candidates:
    """The themes that a batch may join, with centroids that follow as it does."""

    themes: list[Theme]
    centroids: rules.Matrix
    touched: set[int]
    known: int
    merged: dict[str, str] = field(default_factory=dict)

    @classmethod
    def near(cls, signals: Sequence[Signal], model: str) -> "_Candidates":
        """Every open theme when there are few, else those that were chosen and the nearest of each signal."""
        themes = Theme.objects.filter(status__in=OPEN, centroid_model=model).order_by("id")
        chosen = {str(theme) for one in signals if (theme := (one.theme_decision or {}).get("theme"))}
        merged = _successors(chosen)
        if themes.count() > COMPARE_ALL:
            nearest: set[UUID] = {UUID(merged.get(theme, theme)) for theme in chosen}
            for signal in signals:
                distance = CosineDistance("centroid_embedding", signal.embedding)
                nearest.update(themes.order_by(distance).values_list("id", flat=True)[: rules.CANDIDATES])
            themes = themes.filter(id__in=nearest)
        rows = list(themes.select_for_update())
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
            theme.centroid_embedding, theme.centroid_updated_at, theme.is_stale = self.centroids[row], now, True
        Theme.objects.bulk_create(self.themes[self.known :])
        changed = [self.themes[row] for row in sorted(self.touched) if row < self.known]
        update_rows(changed, ["centroid_embedding", "centroid_updated_at", "signal_count", "status", "is_stale"])


def _successors(theme_ids: Collection[str]) -> dict[str, str]:
    """Which theme each of these was merged into, for those that were."""
    merged = Theme.objects.filter(id__in=theme_ids, status=ThemeStatus.MERGED).exclude(merged_into_theme=None)
    return {str(old): str(new) for old, new in merged.values_list("id", "merged_into_theme_id")}


def load_space(stored: ThemeSpace, *, size: int = 0) -> rules.Space:
    """What is known of the workspace's embeddings, for the rules.

    `size` is that of the vectors at hand, where known: an endpoint's is only known with the first of them.
    """
    mean, last = np.asarray(stored.mean_embedding, dtype=np.float32), stored.last_embedding
    return rules.Space(
        mean=mean if not size or len(mean) == size else np.zeros(size, dtype=np.float32),
        count=stored.signal_count,
        pairs=stored.pair_count,
        pair_mean=stored.pair_mean,
        pair_m2=stored.pair_m2,
        last=None if last is None else np.asarray(last, dtype=np.float32),
    )


def _save(stored: ThemeSpace, space: rules.Space) -> None:
    stored.mean_embedding, stored.signal_count, stored.last_embedding = space.mean, space.count, space.last
    stored.pair_count, stored.pair_mean, stored.pair_m2 = space.pairs, space.pair_mean, space.pair_m2
    stored.save()


@transaction.atomic
def recount_themes(*, workspace_id: UUID, item_ids: Sequence[UUID]) -> None:
    """Have the figures of every theme that these items speak to counted anew."""
    spoken_to = Signal.objects.filter(raw_feedback_item_id__in=item_ids).exclude(theme_id=None)
    Theme.objects.filter(id__in=spoken_to.values("theme_id")).update(is_stale=True)
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=workspace_id, delay=REFRESH_DELAY)


@transaction.atomic
def recount_left(*, workspace_id: UUID, theme_ids: Sequence[UUID]) -> None:
    """Have themes counted anew that signals have left. One that nobody speaks to any more is not shown."""
    Theme.objects.filter(id__in=theme_ids).update(is_stale=True)
    spoken_to = Signal.objects.filter(theme_id=OuterRef("pk"))
    Theme.objects.filter(
        ~Exists(spoken_to), id__in=theme_ids, status=ThemeStatus.ACTIVE, promoted_to_post_id=None
    ).update(status=ThemeStatus.CANDIDATE)
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=workspace_id, delay=REFRESH_DELAY)


@transaction.atomic
def refresh_themes(*, engine: Engine, now: datetime, limit: int = 200, words_follow: bool = False) -> int:
    """Bring the figures, strength and words of changed themes up to date; returns how many. Safe to repeat.

    Everything is computed from the signals as they are, so running it twice changes nothing. `engine` must answer at
    once. With `words_follow` a slower one puts the themes into better words afterwards; theirs are not replaced here.
    """
    stale = list(
        Theme.objects.select_for_update(skip_locked=True).filter(is_stale=True, status__in=OPEN).order_by("id")[:limit]
    )
    space = ThemeSpace.objects.filter(embedding_model=engine.identity.embedding_model).first()
    background = np.asarray(space.mean_embedding, dtype=np.float32) if space else None
    figures = read_figures([theme.id for theme in stale])
    for theme in stale:
        _show(theme, figures.get(theme.id, Figures()), now)
        if theme.status == ThemeStatus.ACTIVE and rules.needs_new_words(theme.signal_count, theme.described_at_count):
            theme.wants_words = words_follow
            _describe(theme, engine, background)
        theme.is_stale, theme.updated_at = False, now
    if any(theme.wants_words for theme in stale):
        defer_once("themes.word", queue=Queue.AI, workspace_id=stale[0].workspace_id)
    update_rows(stale, REFRESHED)
    return len(stale)


def _show(theme: Theme, figures: Figures, now: datetime) -> None:
    theme.signal_count, theme.needs_review_count = figures.signals, figures.to_review
    theme.first_signal_at, theme.last_signal_at = figures.first, figures.last
    theme.unique_author_count = figures.people
    theme.type_distribution, theme.sentiment_distribution = figures.types, figures.sentiments
    theme.urgency_distribution, theme.source_distribution = figures.urgencies, figures.sources
    theme.strength = rules.strength(
        people=figures.people,
        signals=figures.signals,
        urgency=figures.urgencies,
        last_signal=figures.last,
        now=now,
    )


def _describe(theme: Theme, engine: Engine, background: rules.Vector | None) -> None:
    """Words at once; where better ones follow for a theme that has none yet, these are for the meantime only."""
    texts, vectors = _texts_of(theme)
    if not texts:
        return
    was_named = theme.described_at_count > 0
    theme.described_at_count = theme.signal_count
    if theme.wants_words and theme.described_by:
        return
    if theme.centroid_model != engine.identity.embedding_model:
        vectors, background = engine.embed(texts), None
    _say(
        theme, engine.describe(texts, vectors, background=background), model=engine.identity.model, was_named=was_named
    )
    theme.described_by = "" if theme.wants_words and not was_named else engine.identity.model


def _texts_of(theme: Theme) -> tuple[list[str], Vectors]:
    """What a theme's words are made of: its signals in their own words, those nearest its centre first."""
    signals = list(
        Signal.objects.filter(theme_id=theme.id, embedding__isnull=False, embedding_model=theme.centroid_model)
        .order_by(CosineDistance("embedding", theme.centroid_embedding), "id")
        .values_list("summary", "embedding")[:DESCRIBED_SIGNALS]
    )
    return [summary for summary, _vector in signals], np.array([vector for _summary, vector in signals], np.float32)


def _say(theme: Theme, words: Description, *, model: str, was_named: bool) -> None:
    """Take over a description; of a large theme that people know by its title the new title is only proposed."""
    theme.summary = words.summary
    if theme.title_is_manual:
        return
    taken = Theme.objects.filter(status__in=OPEN, title__iexact=words.title).exclude(pk=theme.pk)
    title = words.summary.rstrip(".") if taken.exists() else words.title
    if was_named and theme.signal_count >= rules.SETTLED_SIZE:
        _propose_title(theme, title, model)
    else:
        theme.title = title


def _propose_title(theme: Theme, title: str, model: str) -> None:
    """People know a large theme by its title: a better one waits until somebody takes it."""
    ThemeChange.objects.filter(theme=theme, kind=ChangeKind.RENAME, state=ChangeState.PROPOSED).delete()
    known = ThemeChange.objects.filter(theme=theme, kind=ChangeKind.RENAME, title=title)
    if title.casefold() != theme.title.casefold() and not known.exists():
        ThemeChange.objects.create(
            workspace_id=theme.workspace_id,
            kind=ChangeKind.RENAME,
            state=ChangeState.PROPOSED,
            theme=theme,
            title=title,
            reason=_("It has grown since it got its title."),
            proposed_by=model,
        )


def word_next_theme(*, workspace_id: UUID, engine: Engine, now: datetime) -> bool:
    """Have a language model put one theme that waits for it into words; whether there was one and it did.

    The model is asked outside of any transaction. Its words are dropped when the theme was reworded in the meantime.
    Where it does not answer, the theme keeps its words and waits on.
    """
    with in_workspace(workspace_id):
        theme = Theme.objects.filter(wants_words=True, status=ThemeStatus.ACTIVE).order_by("-strength", "id").first()
        if theme is None:
            return False
        texts, vectors = _texts_of(theme)
        space = ThemeSpace.objects.filter(embedding_model=engine.identity.embedding_model).first()
        background = np.asarray(space.mean_embedding, dtype=np.float32) if space else None
    words = engine.describe(texts, vectors, background=background) if texts else None
    fallback = words.origin.fallback if words and words.origin else ""
    with in_workspace(workspace_id):
        now_there = Theme.objects.select_for_update().filter(pk=theme.pk, described_at_count=theme.described_at_count)
        for kept in now_there:
            kept.wants_words = fallback in PASSING
            if words and words.origin and not fallback:
                _say(kept, words, model=words.origin.model, was_named=bool(kept.described_by))
                kept.described_by, kept.updated_at = words.origin.model, now
            kept.save(update_fields=["wants_words", "described_by", "title", "summary", "updated_at"])
    return fallback not in PASSING
