"""Writes of themes: joining signals to themes, refreshing what a theme shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, When

from tellback.intake.models import ItemState, RawItem
from tellback.intake.states import complete_items
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import IN_SPARE_TIME, Queue, defer, defer_once
from tellback.platform.loop_config.table import Themes
from tellback.sdk.engine import Engine
from tellback.themes import rules
from tellback.themes.candidates import OPEN, Candidates
from tellback.themes.corrections import recentre
from tellback.themes.figures import Figures, read_figures
from tellback.themes.models import Theme, ThemeSpace, ThemeStatus
from tellback.themes.precedents import Precedents
from tellback.themes.words import cite_anew, describe
from tellback.understanding.models import Signal, SignalState
from tellback.workspaces.loop_settings import get_workspace_config

#: How many waiting items a job takes along.
BATCH = 128
#: What refreshing a theme stores.
REFRESHED = (
    "signal_count", "needs_review_count", "first_signal_at", "last_signal_at", "unique_author_count",
    "type_distribution", "sentiment_distribution", "urgency_distribution", "source_distribution", "strength",
    "reach", "revenue", "counted_signals", "title", "summary", "summary_cites", "described_at_count", "described_by",
    "wants_words", "is_stale", "updated_at",
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
    candidates = Candidates.near(comparable, model=model, space=space)
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
    # Suggestions can wait for as long as somebody waits to be understood.
    defer("triage.find_duplicates", queue=Queue.AI, workspace_id=workspace_id, priority=IN_SPARE_TIME, item_ids=done)
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


def _place(signal: Signal, candidates: "Candidates", space: rules.Space, model: str, now: datetime) -> None:
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
    signal: Signal, chosen: Mapping[str, Any], candidates: "Candidates", row: int, vector: rules.Vector
) -> None:
    centroid = candidates.centroids[row]
    cosine = float(centroid @ vector / max(float(np.linalg.norm(centroid)), 1e-6))
    confidence = float(chosen["confidence"])
    signal.theme_id = candidates.join(row, vector)
    signal.theme_similarity = round(cosine, 4)
    signal.theme_reason = chosen.get("reasoning") or "The language model chose it"
    signal.needs_review = not rules.is_chosen_surely(confidence=confidence, cosine=cosine)


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
def count_leftovers() -> int:
    """Have every theme counted anew that has grown since it was; returns how many."""
    grown = Theme.objects.filter(status__in=OPEN, is_stale=False).exclude(signal_count=F("counted_signals"))
    return grown.update(is_stale=True)


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
    weights = get_workspace_config(stale[0].workspace_id).themes if stale else Themes()
    for theme in stale:
        _show(theme, figures.get(theme.id, Figures()), weights, now)
        if theme.status == ThemeStatus.ACTIVE and rules.needs_new_words(theme.signal_count, theme.described_at_count):
            theme.wants_words = words_follow
            describe(theme, engine, background)
        theme.is_stale, theme.updated_at = False, now
    cite_anew(stale, engine)
    if any(theme.wants_words for theme in stale):
        defer_once("themes.word", queue=Queue.AI, workspace_id=stale[0].workspace_id)
    update_rows(stale, REFRESHED)
    return len(stale)


def _show(theme: Theme, figures: Figures, weights: Themes, now: datetime) -> None:
    theme.counted_signals = figures.signals
    theme.signal_count, theme.needs_review_count = figures.signals, figures.to_review
    theme.first_signal_at, theme.last_signal_at = figures.first, figures.last
    theme.unique_author_count = figures.people
    theme.type_distribution, theme.sentiment_distribution = figures.types, figures.sentiments
    theme.urgency_distribution, theme.source_distribution = figures.urgencies, figures.sources
    theme.reach, theme.revenue = _reach(figures, weights), figures.revenue
    theme.strength = rules.strength(
        reach=theme.reach,
        people=figures.people,
        signals=figures.signals,
        urgency=figures.urgencies,
        last_signal=figures.last,
        now=now,
    )


def _reach(figures: Figures, weights: Themes) -> float:
    """The people of a theme, each for as many as plan and revenue say; of whom nothing is known for one."""
    known = sum(one.people for one in figures.customers)
    weighed = sum(
        one.people
        * rules.person_weight(
            plan_weight=weights.weight_of(one.plan),
            mrr=None if one.mrr is None else float(one.mrr),
            revenue_for_two=weights.revenue_for_two,
        )
        for one in figures.customers
    )
    return round(figures.people - known + weighed, 2)
