"""Writes of understanding: from raw items to signals with evidence.

An item is claimed in one transaction (so that everybody sees it being read), understood outside of any, and stored in
another. A worker that dies in between leaves a lease that runs out.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from tellback.engines.openai import PASSING
from tellback.intake.models import ItemState, RawItem
from tellback.intake.policy import get_policy
from tellback.intake.states import fail_items, lock_items
from tellback.kernel.errors import TellbackError, Unavailable
from tellback.platform.jobs import Queue, current_job_id, defer, defer_once
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import (
    FREE,
    Engine,
    ExtractedSignal,
    Extraction,
    Interpretation,
    Item,
    Message,
    Origin,
    Taxonomy,
    Usage,
    Vectors,
)
from tellback.understanding.engine import get_engine
from tellback.understanding.learning.services import LearntHeads
from tellback.understanding.models import Correction, Signal
from tellback.understanding.taxonomy import read_taxonomies

LEASE = timedelta(minutes=5)
#: Stands for the reason of a signal that a person wants the language model to be asked for again.
ASKED = "asked"
#: How much of the thread around an item an engine sees: so many messages, of so many characters.
MESSAGES, MESSAGE_LENGTH = 10, 600
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Understood:
    """What an engine made of one item. `vectors` has one row per signal, by `embedding_model`.

    `fallback` says why the local engine stood in for some of it, else it is empty.
    """

    item_id: UUID
    signals: Sequence[ExtractedSignal]
    interpretations: list[Interpretation]
    vectors: Vectors
    embedding_model: str
    origin: Origin
    fallback: str = ""


def understand(*, workspace_id: UUID, item_ids: Sequence[UUID], engine: Engine, now: datetime) -> None:
    """Turn raw items into signals and hand them on to be themed. Safe to repeat: signals are replaced.

    When the batch fails, each item is tried alone, so that one bad item harms no other; what fails alone is retried
    later, at most three times.
    """
    with in_workspace(workspace_id):
        claimed = _claim(item_ids, now, most=engine.identity.batch)
    if not claimed:
        return
    try:
        results = _understand_batch(engine, claimed, workspace_id)
    except Exception:
        logger.exception("A batch of %d items failed; trying each alone", len(claimed))
        results = _understand_each(engine, claimed, workspace_id, now)
    if results:
        with in_workspace(workspace_id):
            _store(workspace_id, results, now)


@dataclass(frozen=True, slots=True)
class Derived:
    """The signals that an engine would make of one item, unsaved, and what both passes cost.

    `fallback` is as in `Understood`.
    """

    item_id: UUID
    signals: list[Signal]
    usage: Usage
    fallback: str


def derive(*, workspace_id: UUID, items: Sequence[RawItem], engine: Engine, now: datetime) -> list[Derived]:
    """What an engine would make of these items today. Stores nothing; an item that fails alone is left out."""
    readable = {item.id: as_engine_item(item) for item in items}
    try:
        results = _understand_batch(engine, readable, workspace_id)
    except Exception:
        logger.exception("A batch of %d items failed; trying each alone", len(items))
        results = []
        for item_id, item in readable.items():
            try:
                results += _understand_batch(engine, {item_id: item}, workspace_id)
            except Exception:
                logger.exception("Item %s failed", item_id)
    return [
        Derived(
            item_id=result.item_id,
            signals=[_signal(workspace_id, result, position, now) for position in range(len(result.signals))],
            usage=sum((one.origin.usage for one in result.interpretations if one.origin), result.origin.usage),
            fallback=result.fallback,
        )
        for result in results
    ]


def upgrade(*, workspace_id: UUID, engine: Engine, now: datetime) -> int:
    """Read one batch of items again that the local engine read in place of the language model; returns how many.

    Zero when none waits, or when the model still does not answer: then everything stays as it is. What a person has
    corrected is not read again. A worker that dies in between leaves a lease that runs out.
    """
    with in_workspace(workspace_id):
        claimed = _claim_stood_in(now, most=engine.identity.batch)
    if not claimed:
        return 0
    try:
        results = _understand_batch(engine, claimed, workspace_id)
    except Exception:
        logger.exception("Reading %d items again failed", len(claimed))
        results = []
    better = [result for result in results if result.fallback not in PASSING]
    with in_workspace(workspace_id):
        same = set(claimed) - {result.item_id for result in better}
        RawItem.objects.filter(id__in=same, processing_state=ItemState.EXTRACTING, lease_until=now + LEASE).update(
            processing_state=ItemState.COMPLETED, state_changed_at=now, lease_until=None
        )
        if better:
            _store(workspace_id, better, now)
    return len(better)


def ask_again(*, workspace_id: UUID) -> int:
    """Have the language model asked once more for what it did not answer usably; returns how many signals."""
    count = _unusable().update(fallback_reason=ASKED)
    defer_once("understanding.upgrade", queue=Queue.AI, workspace_id=workspace_id)
    return count


def count_unusable() -> int:
    """How many signals stand as this machine read them, because the model's answer could not be used."""
    return _unusable().count()


def _unusable() -> QuerySet[Signal]:
    return Signal.objects.exclude(fallback_reason__in=["", ASKED, *PASSING])


def count_waiting() -> int:
    """How many items wait to be read by the language model."""
    return _stood_in().count()


def _stood_in() -> QuerySet[RawItem]:
    signals = Signal.objects.filter(raw_feedback_item=OuterRef("pk"))
    waiting = signals.filter(fallback_reason__in=[*PASSING, ASKED])
    corrected = Correction.objects.filter(raw_feedback_item=OuterRef("pk"), undone_at=None)
    return RawItem.objects.filter(Exists(waiting), ~Exists(corrected), processing_state=ItemState.COMPLETED)


def _claim_stood_in(now: datetime, *, most: int) -> dict[UUID, Item]:
    items = list(_stood_in().select_for_update(skip_locked=True, of=("self",)).order_by("id")[:most])
    RawItem.objects.filter(id__in=[item.id for item in items]).update(
        processing_state=ItemState.EXTRACTING, state_changed_at=now, lease_until=now + LEASE, held_by=current_job_id()
    )
    return {item.id: as_engine_item(item) for item in items}


def _claim(item_ids: Sequence[UUID], now: datetime, *, most: int) -> dict[UUID, Item]:
    """Hold these items for as long as a lease lasts, but for those that another job reads meanwhile.

    A job that is run anew goes on with all that it held when its worker died.
    """
    job = current_job_id()
    ours = Q(processing_state=ItemState.EXTRACTING, held_by=job) if job else Q(pk=None)
    free = Q(processing_state=ItemState.READY) | Q(processing_state=ItemState.EXTRACTING, lease_until__lt=now) | ours
    held = RawItem.objects.filter(ours).values_list("id", flat=True)
    # Fresh items that wait are taken along; those that failed wait for the job of their own that retries them.
    waiting = Q(processing_state=ItemState.READY, last_error=None)
    items = lock_items(asked=free & Q(id__in={*item_ids, *held}), waiting=waiting, most=most)
    claimed = {item.id: as_engine_item(item) for item in items}
    RawItem.objects.filter(id__in=claimed).update(
        processing_state=ItemState.EXTRACTING,
        state_changed_at=now,
        lease_until=now + LEASE,
        held_by=job,
        attempt_count=F("attempt_count") + 1,
    )
    return claimed


def as_engine_item(item: RawItem) -> Item:
    """What an engine may see of a raw item."""
    context = item.context_envelope
    rating, page = context.get("rating"), context.get("pageContext") or {}
    return Item(
        text=str(item.content.get("text", "")),
        subject=str(item.content.get("subject") or ""),
        category=item.category,
        stars=rating if isinstance(rating, int) else None,
        language=item.content.get("language"),
        source=item.source_type,
        page=str(page.get("title") or page.get("route") or "")[:MESSAGE_LENGTH],
        thread=_thread(context.get("thread") or ()),
    )


def _thread(messages: Sequence[dict[str, object]]) -> tuple[Message, ...]:
    """The last messages around the item, without the one that it is."""
    around = [one for one in messages if isinstance(one, dict) and not one.get("isTrigger")]
    return tuple(
        Message(str(one.get("role") or ""), str(one.get("text") or "")[:MESSAGE_LENGTH]) for one in around[-MESSAGES:]
    )


def _understand_batch(engine: Engine, items: dict[UUID, Item], workspace_id: UUID) -> list[Understood]:
    extracted = engine.extract(list(items.values()))
    sources = [item for item, signals in zip(items.values(), extracted, strict=True) for _ in signals]
    flat = [signal for signals in extracted for signal in signals]
    vectors, model, stood_in = _embed(engine, [signal.wording for signal in flat])
    taxonomies = _taxonomies(vectors, model, workspace_id) if engine.identity.sorts and flat else None
    interpretations = engine.interpret(sources, flat, taxonomies=taxonomies)
    results, start = [], 0
    for item_id, item, signals in zip(items.keys(), items.values(), extracted, strict=True):
        _check_evidence(item, signals)
        end = start + len(signals)
        meant = interpretations[start:end]
        origin = _origin_of(signals, engine)
        reasons = [origin.fallback, *(one.origin.fallback for one in meant if one.origin), stood_in if signals else ""]
        fallback = next(filter(None, reasons), "")
        results.append(Understood(item_id, signals, meant, vectors[start:end], model, origin, fallback))
        start = end
    return results


def _embed(engine: Engine, texts: Sequence[str]) -> tuple[Vectors, str, str]:
    """Vectors, the model that made them, and why the local one stood in if it did."""
    try:
        return engine.embed(texts), engine.identity.embedding_model, ""
    except Unavailable as error:
        logger.warning("Vectors are made on this machine: %s", error)
        local = get_engine()
        return local.embed(texts), local.identity.embedding_model, "unreachable"


def _taxonomies(vectors: Vectors, model: str, workspace_id: UUID) -> list[Taxonomy]:
    with in_workspace(workspace_id):
        return read_taxonomies(vectors, model=model, policy=get_policy(workspace_id))


def _origin_of(signals: Sequence[ExtractedSignal], engine: Engine) -> Origin:
    if isinstance(signals, Extraction):
        return signals.origin
    return Origin(engine.identity.model, engine.identity.prompt_version)


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
            results += _understand_batch(engine, {item_id: item}, workspace_id)
        except Exception as error:
            logger.exception("Item %s failed", item_id)
            with in_workspace(workspace_id):
                if RawItem.objects.filter(id=item_id, lease_until=now + LEASE).exists():
                    fail_items(item_ids=[item_id], error=error, now=now)
    return results


def _store(workspace_id: UUID, results: Sequence[Understood], now: datetime) -> None:
    # The lease is the claim's own: whoever was stopped for so long that others took over stores nothing.
    held = set(
        RawItem.objects.select_for_update(no_key=True)
        .filter(id__in=[result.item_id for result in results])
        .filter(processing_state=ItemState.EXTRACTING, lease_until=now + LEASE)
        .order_by("id")
        .values_list("id", flat=True)
    )
    if len(held) < len(results):
        logger.warning("The lease of %d items was lost; what was made of them is dropped", len(results) - len(held))
    kept = [result for result in results if result.item_id in held]
    before = Signal.objects.filter(raw_feedback_item__in=held)
    left = [str(theme) for theme in before.exclude(theme_id=None).values_list("theme_id", flat=True).distinct()]
    before.delete()
    signals = [
        _signal(workspace_id, result, position, now) for result in kept for position in range(len(result.signals))
    ]
    LearntHeads.load().hold(signals)
    Signal.objects.bulk_create(signals)
    RawItem.objects.filter(id__in=held).update(processing_state=ItemState.INTERPRETING, state_changed_at=now)
    for result in kept:
        _add_cost(result)
    if left:
        defer("themes.recount_left", queue=Queue.AI, workspace_id=workspace_id, theme_ids=left)
    if held:
        ids = [str(result.item_id) for result in kept]
        defer("themes.assign", queue=Queue.AI, workspace_id=workspace_id, item_ids=ids)


def _add_cost(result: Understood) -> None:
    """Enter what pass one cost with the item (document 3, section 4.3): all that was ever spent on it."""
    usage = result.origin.usage
    if usage.total:
        RawItem.objects.filter(id=result.item_id).update(
            extraction_input_tokens=Coalesce("extraction_input_tokens", 0) + usage.input_tokens,
            extraction_output_tokens=Coalesce("extraction_output_tokens", 0) + usage.output_tokens,
        )


def _signal(workspace_id: UUID, result: Understood, position: int, now: datetime) -> Signal:
    extracted, interpretation = result.signals[position], result.interpretations[position]
    meant = interpretation.origin or replace(result.origin, usage=FREE)
    return Signal(
        workspace_id=workspace_id,
        raw_feedback_item_id=result.item_id,
        position=position,
        signal_type=extracted.signal_type,
        summary=extracted.summary,
        evidence=[span.quote for span in extracted.evidence],
        evidence_spans=[{"start": span.start, "end": span.end} for span in extracted.evidence],
        implicit_need=interpretation.need or extracted.implicit_need,
        note=extracted.note,
        sentiment=interpretation.sentiment,
        urgency=interpretation.urgency,
        board_id=UUID(interpretation.board_id) if interpretation.board_id else None,
        tag_ids=list(interpretation.tag_ids),
        theme_decision=_decision(interpretation),
        extraction_confidence=extracted.confidence,
        interpretation_confidence=interpretation.confidence,
        embedding=result.vectors[position],
        embedding_model=result.embedding_model,
        embedding_updated_at=now,
        extraction_model=result.origin.model,
        extraction_prompt_version=result.origin.prompt_version,
        interpretation_model=meant.model,
        interpretation_prompt_version=meant.prompt_version,
        fallback_reason=result.fallback,
        input_tokens=meant.usage.input_tokens if meant.usage.total else None,
        output_tokens=meant.usage.output_tokens if meant.usage.total else None,
        created_at=now,
    )


def _decision(interpretation: Interpretation) -> dict[str, object] | None:
    """What the model decided about the theme, as it is kept for the assignment and for people to read."""
    theme = interpretation.theme
    if theme is None:
        return None
    return {
        "theme": theme.theme_id,
        "confidence": theme.confidence,
        "reasoning": theme.reasoning,
        "title": theme.title,
        "summary": theme.summary,
        "parent": theme.parent_id,
    }
