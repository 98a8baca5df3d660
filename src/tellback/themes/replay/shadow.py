"""The shadow's rows: items in turn, signals in and out of it, and what stands there now beside them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from tellback.intake.models import ItemState, RawItem
from tellback.themes.models import Replay, ReplaySignal, ReplayState, Theme
from tellback.themes.replay.matching import match
from tellback.understanding.models import Signal

#: Columns of a signal that a replay derives and keeps as JSON. Vectors have columns of their own.
CONTENT = (
    "signal_type", "summary", "evidence", "evidence_spans", "implicit_need", "note", "sentiment", "urgency", "tag_ids",
    "theme_decision", "extraction_confidence", "interpretation_confidence", "extraction_model",
    "extraction_prompt_version", "interpretation_model", "interpretation_prompt_version", "fallback_reason",
    "input_tokens", "output_tokens", "theme_similarity", "theme_reason", "needs_review",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A signal as it is (`before`) and as the shadow has it (`after`): one of them may be missing."""

    before: Signal | None
    after: ReplaySignal | None


def items_of(replay: Replay) -> QuerySet[RawItem]:
    """What is replayed, in order of arrival: finished items that were not erased, and no later ones."""
    items = RawItem.objects.filter(processing_state=ItemState.COMPLETED, created_at__lte=replay.until)
    if replay.since:
        items = items.filter(created_at__gte=replay.since)
    return items.exclude(content__has_key="erased").order_by("id")


def next_items(replay: Replay, *, most: int) -> list[RawItem]:
    """The items that the present stage has not done yet."""
    items = items_of(replay)
    if replay.cursor:
        items = items.filter(id__gt=replay.cursor)
    return list(items[:most])


def as_content(signal: Signal) -> dict[str, Any]:
    """What the shadow keeps of a signal beside its vectors."""
    board = {"board_id": str(signal.board_id) if signal.board_id else None}
    return {name: getattr(signal, name) for name in CONTENT} | board


def fill(signal: Signal, shadow: ReplaySignal, now: datetime) -> Signal:
    """Set what the shadow says on a signal, but its theme; without storing it."""
    for name in CONTENT:
        setattr(signal, name, shadow.content[name])
    board = shadow.content["board_id"]
    signal.board_id = UUID(board) if board else None
    signal.embedding, signal.embedding_model = shadow.embedding, shadow.embedding_model
    signal.embedding_updated_at = signal.updated_at = now
    return signal


def as_signal(shadow: ReplaySignal, now: datetime) -> Signal:
    """The signal that the shadow describes, unsaved and without a theme."""
    signal = Signal(
        workspace_id=shadow.workspace_id,
        raw_feedback_item_id=shadow.raw_feedback_item_id,
        position=shadow.position,
        created_at=now,
    )
    return fill(signal, shadow, now)


def pair_up(replay: Replay, item_ids: Sequence[UUID]) -> dict[UUID, list[Pair]]:
    """For each item, in the given order, its signals now and in the shadow side by side. Two queries.

    Those of the shadow come first in their order, then those that it does not have. An item that the replay has not
    read (it was on its way then, or failed) has no pairs: its signals stay.
    """
    emptied = set(replay.emptied)
    before: dict[UUID, list[Signal]] = defaultdict(list)
    for signal in Signal.objects.filter(raw_feedback_item__in=item_ids).order_by("position"):
        before[signal.raw_feedback_item_id].append(signal)
    after: dict[UUID, list[ReplaySignal]] = defaultdict(list)
    shadows = replay.signals.filter(raw_feedback_item__in=item_ids).select_related("shadow_theme")
    for shadow in shadows.order_by("position"):
        after[shadow.raw_feedback_item_id].append(shadow)
    read = [item_id for item_id in item_ids if after[item_id] or str(item_id) in emptied]
    return {item_id: _pairs(before[item_id], after[item_id]) for item_id in read}


def untouched(replay: Replay, signals: QuerySet[Signal]) -> QuerySet[Signal]:
    """Those of the signals whose items the replay has not read."""
    read = replay.signals.values("raw_feedback_item")
    return signals.exclude(raw_feedback_item__in=read).exclude(raw_feedback_item__in=replay.emptied)


def _pairs(before: Sequence[Signal], after: Sequence[ReplaySignal]) -> list[Pair]:
    places = match([one.evidence_spans for one in before], [one.content["evidence_spans"] for one in after])
    kept = [Pair(None if place is None else before[place], shadow) for shadow, place in zip(after, places, strict=True)]
    return kept + [Pair(signal, None) for place, signal in enumerate(before) if place not in set(places)]


def successors(theme_ids: Iterable[UUID]) -> dict[UUID, Theme]:
    """Each of these themes as it stands today: what it was merged into in the end, or itself."""
    wanted = set(theme_ids)
    known: dict[UUID, Theme] = {}
    missing = set(wanted)
    while missing:
        found = Theme.objects.defer("centroid_embedding").in_bulk(missing)
        known |= found
        missing = {one.merged_into_theme_id for one in found.values() if one.merged_into_theme_id} - set(known)
    return {theme_id: _end_of(known[theme_id], known) for theme_id in wanted if theme_id in known}


def _end_of(theme: Theme, known: dict[UUID, Theme]) -> Theme:
    for _step in range(20):
        if theme.merged_into_theme_id is None or theme.merged_into_theme_id not in known:
            break
        theme = known[theme.merged_into_theme_id]
    return theme


def drop_shadow(replay: Replay, *, now: datetime) -> None:
    """Discard a replay, whose row is locked: what was derived is deleted, only its figures are kept and no words."""
    replay.signals.all().delete()
    replay.themes.all().delete()
    replay.state, replay.cursor, replay.decided_at = ReplayState.DISCARDED, None, now
    replay.save()
