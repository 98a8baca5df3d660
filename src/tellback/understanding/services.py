"""Writes of understanding: from raw items to signals with evidence.

An item is claimed in one transaction (so that everybody sees it being read), understood outside of any, and stored in
another. A worker that dies in between leaves a lease that runs out.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, F, Q, When

from tellback.intake.models import ItemState, RawItem
from tellback.intake.states import fail_items
from tellback.kernel.errors import TellbackError
from tellback.platform.jobs import Queue, defer
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Engine, ExtractedSignal, Interpretation, Item, Vectors
from tellback.understanding.models import Signal

LEASE = timedelta(minutes=5)
BATCH = 64
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Understood:
    """What an engine made of one item. `vectors` has one row per signal."""

    item_id: UUID
    signals: list[ExtractedSignal]
    interpretations: list[Interpretation]
    vectors: Vectors


def understand(*, workspace_id: UUID, item_ids: Sequence[UUID], engine: Engine, now: datetime) -> None:
    """Turn raw items into signals and hand them on to be themed. Safe to repeat: signals are replaced.

    When the batch fails, each item is tried alone, so that one bad item harms no other; what fails alone is retried
    later, at most three times.
    """
    with in_workspace(workspace_id):
        claimed = _claim(item_ids, now)
    try:
        results = _understand_batch(engine, claimed)
    except Exception:
        logger.exception("A batch of %d items failed; trying each alone", len(claimed))
        results = _understand_each(engine, claimed, workspace_id, now)
    if results:
        with in_workspace(workspace_id):
            _store(workspace_id, results, engine, now)


def _claim(item_ids: Sequence[UUID], now: datetime) -> dict[UUID, Item]:
    asked = Q(id__in=item_ids, processing_state__in=[ItemState.READY, ItemState.EXTRACTING])
    # Fresh items that wait are taken along; those that failed wait for the job of their own that retries them.
    waiting = Q(processing_state=ItemState.READY, last_error=None)
    items = list(
        RawItem.objects.select_for_update(skip_locked=True)
        .filter(asked | waiting)
        .alias(order=Case(When(id__in=item_ids, then=0), default=1))
        .order_by("order", "id")[: max(len(item_ids), BATCH)]
    )
    claimed = {item.id: as_engine_item(item) for item in items}
    RawItem.objects.filter(id__in=claimed).update(
        processing_state=ItemState.EXTRACTING,
        state_changed_at=now,
        lease_until=now + LEASE,
        attempt_count=F("attempt_count") + 1,
    )
    return claimed


def as_engine_item(item: RawItem) -> Item:
    """What an engine may see of a raw item."""
    rating = item.context_envelope.get("rating")
    return Item(
        text=str(item.content.get("text", "")),
        subject=str(item.content.get("subject") or ""),
        category=item.category,
        stars=rating if isinstance(rating, int) else None,
        language=item.content.get("language"),
    )


def _understand_batch(engine: Engine, items: dict[UUID, Item]) -> list[Understood]:
    extracted = engine.extract(list(items.values()))
    sources = [item for item, signals in zip(items.values(), extracted, strict=True) for _ in signals]
    flat = [signal for signals in extracted for signal in signals]
    interpretations = engine.interpret(sources, flat)
    vectors = engine.embed([signal.wording for signal in flat])
    results, start = [], 0
    for item_id, item, signals in zip(items.keys(), items.values(), extracted, strict=True):
        _check_evidence(item, signals)
        end = start + len(signals)
        results.append(Understood(item_id, signals, interpretations[start:end], vectors[start:end]))
        start = end
    return results


def _check_evidence(item: Item, signals: Sequence[ExtractedSignal]) -> None:
    for signal in signals:
        for span in signal.evidence:
            if not span.is_verbatim_in(item.text):
                raise UnfoundQuote(f"A quote was not found in the text at {span.start}–{span.end}.")


class UnfoundQuote(TellbackError):
    """An engine cited words that the person did not say."""

    code, status, title = "unfound-quote", 500, "A quote was not found in the text"


def _understand_each(engine: Engine, items: dict[UUID, Item], workspace_id: UUID, now: datetime) -> list[Understood]:
    results = []
    for item_id, item in items.items():
        try:
            results += _understand_batch(engine, {item_id: item})
        except Exception as error:
            logger.exception("Item %s failed", item_id)
            with in_workspace(workspace_id):
                fail_items(item_ids=[item_id], error=error, now=now)
    return results


def _store(workspace_id: UUID, results: Sequence[Understood], engine: Engine, now: datetime) -> None:
    held = set(
        RawItem.objects.select_for_update()
        .filter(id__in=[result.item_id for result in results], processing_state=ItemState.EXTRACTING)
        .values_list("id", flat=True)
    )
    Signal.objects.filter(raw_feedback_item__in=held).delete()
    Signal.objects.bulk_create(
        _signal(workspace_id, result, position, engine, now)
        for result in results
        if result.item_id in held
        for position in range(len(result.signals))
    )
    RawItem.objects.filter(id__in=held).update(processing_state=ItemState.INTERPRETING, state_changed_at=now)
    if held:
        ids = [str(result.item_id) for result in results if result.item_id in held]
        defer("themes.assign", queue=Queue.AI, workspace_id=workspace_id, item_ids=ids)


def _signal(workspace_id: UUID, result: Understood, position: int, engine: Engine, now: datetime) -> Signal:
    extracted, interpretation = result.signals[position], result.interpretations[position]
    identity = engine.identity
    return Signal(
        workspace_id=workspace_id,
        raw_feedback_item_id=result.item_id,
        position=position,
        signal_type=extracted.signal_type,
        summary=extracted.summary,
        evidence=[span.quote for span in extracted.evidence],
        evidence_spans=[{"start": span.start, "end": span.end} for span in extracted.evidence],
        implicit_need=extracted.implicit_need,
        note=extracted.note,
        sentiment=interpretation.sentiment,
        urgency=interpretation.urgency,
        extraction_confidence=extracted.confidence,
        interpretation_confidence=interpretation.confidence,
        embedding=result.vectors[position],
        embedding_model=identity.embedding_model,
        embedding_updated_at=now,
        extraction_model=identity.model,
        extraction_prompt_version=identity.prompt_version,
        interpretation_model=identity.model,
        interpretation_prompt_version=identity.prompt_version,
        created_at=now,
    )
