"""The states of raw items: completing, failing, retrying and recovering them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from tellback.intake.models import ItemState, RawItem
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer

MAX_ATTEMPTS = 3
FIRST_DELAY = timedelta(seconds=5)
#: An item that nobody holds and that has not moved for this long was forgotten.
FORGOTTEN_AFTER = timedelta(minutes=15)


def lock_items(*, asked: Q, waiting: Q, most: int) -> list[RawItem]:
    """Lock the items that are asked for, waiting for whoever holds them, and as many others that wait as fit.

    Of the others those are passed over that somebody holds. Whoever only refers to an item (its feedback is being
    opened) holds nobody up: an item that was passed over for that would be left to the next recovery.
    """
    items = list(RawItem.objects.select_for_update(no_key=True).filter(asked).order_by("id"))
    room = most - len(items)
    if room > 0:
        others = RawItem.objects.select_for_update(no_key=True, skip_locked=True).filter(waiting)
        items += others.exclude(id__in=[item.id for item in items]).order_by("id")[:room]
    return items


def complete_items(*, item_ids: Sequence[UUID], now: datetime) -> None:
    """Mark items as understood and themed."""
    # In the order in which others lock them: an update takes them as it finds them.
    list(RawItem.objects.select_for_update(no_key=True).filter(id__in=item_ids).order_by("id").values_list("id"))
    RawItem.objects.filter(id__in=item_ids).exclude(processing_state=ItemState.FAILED).update(
        processing_state=ItemState.COMPLETED,
        state_changed_at=now,
        processed_at=now,
        lease_until=None,
        last_error=None,
    )


def fail_items(*, item_ids: Sequence[UUID], error: BaseException, now: datetime) -> None:
    """Note that items failed. Each is retried alone with a growing delay, and given up after the third attempt.

    A given-up item stays in the state `failed` with its error, for a person to see and retry.
    """
    reason = f"{type(error).__name__}: {error}"[:2000]
    for item in RawItem.objects.select_for_update().filter(id__in=item_ids).order_by("id"):
        exhausted = item.attempt_count >= MAX_ATTEMPTS
        item.processing_state = ItemState.FAILED if exhausted else ItemState.READY
        item.state_changed_at, item.last_error, item.lease_until = now, reason, None
        item.save(update_fields=["processing_state", "state_changed_at", "last_error", "lease_until", "updated_at"])
        if not exhausted:
            enqueue(items=[item], delay=FIRST_DELAY * 2 ** max(item.attempt_count - 1, 0))


def retry_items(*, item_ids: Sequence[UUID], now: datetime) -> int:
    """Try failed items again from the start, because a person asked; returns how many."""
    items = list(RawItem.objects.select_for_update().filter(id__in=item_ids, processing_state=ItemState.FAILED))
    _set_back(items, now, attempts=0)
    return len(items)


def recover_stuck(*, now: datetime) -> int:
    """Set back items whose worker died or whose job was lost; returns how many.

    Found by lease where a worker held them, and by age where nobody did. Those at the attempt limit are given up.
    """
    held = Q(processing_state__in=[ItemState.EXTRACTING, ItemState.INTERPRETING], lease_until__lt=now)
    waiting = Q(
        processing_state__in=[ItemState.PENDING_CONTEXT, ItemState.READY, ItemState.INTERPRETING],
        lease_until=None,
        state_changed_at__lt=now - FORGOTTEN_AFTER,
    )
    stuck = list(RawItem.objects.select_for_update(skip_locked=True).filter(held | waiting).order_by("id")[:1000])
    given_up = [item for item in stuck if item.attempt_count >= MAX_ATTEMPTS]
    RawItem.objects.filter(id__in=[item.id for item in given_up]).update(
        processing_state=ItemState.FAILED,
        state_changed_at=now,
        lease_until=None,
        last_error="The worker stopped three times while reading this.",
    )
    _set_back([item for item in stuck if item.attempt_count < MAX_ATTEMPTS], now, attempts=None)
    return len(stuck)


def _set_back(items: Sequence[RawItem], now: datetime, *, attempts: int | None) -> None:
    for item in items:
        item.state_changed_at, item.lease_until = now, None
        item.attempt_count = item.attempt_count if attempts is None else attempts
        if item.processing_state != ItemState.PENDING_CONTEXT:
            item.processing_state = ItemState.READY
    update_rows(items, ["processing_state", "state_changed_at", "lease_until", "attempt_count"])
    if items:
        enqueue(items=items)


def enqueue(*, items: Sequence[RawItem], delay: timedelta | None = None) -> None:
    """Write the job that takes these items of one workspace to the next step."""
    for name, queue, state in (
        ("intake.enrich", Queue.INGEST, ItemState.PENDING_CONTEXT),
        ("understanding.understand", Queue.AI, ItemState.READY),
    ):
        ids = [str(item.id) for item in items if item.processing_state == state]
        if ids:
            defer(name, queue=queue, workspace_id=items[0].workspace_id, delay=delay, item_ids=ids)
