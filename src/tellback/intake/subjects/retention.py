"""How long the words of a source are kept. What was understood from them (signals, themes) stays."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from tellback.intake.models import FeedbackSource, ItemState, RawItem
from tellback.intake.subjects.erasing import empty_items, erasing
from tellback.intake.subjects.holders import list_holdings
from tellback.kernel.errors import Invalid
from tellback.workspaces.models import Principal
from tellback.workspaces.services import record_audit

BATCH = 500
LONGEST = 36_500
SETTLED = (ItemState.COMPLETED, ItemState.FAILED)


def count_expired(*, source: FeedbackSource, days: int, now: datetime) -> int:
    """How many items of a source would lose their words now if they were kept for so many days."""
    return _expired(source, days, now).count()


def _expired(source: FeedbackSource, days: int, now: datetime) -> QuerySet[RawItem]:
    """Counted from when an item came in; an old text that was imported yesterday is a day old."""
    old = RawItem.objects.filter(source=source, created_at__lt=now - timedelta(days=days), processing_state__in=SETTLED)
    return old.exclude(content__has_key="erased")


@transaction.atomic
def set_retention(*, source: FeedbackSource, days: int | None, actor: Principal | None) -> None:
    """Keep the words of a source for so many days from now on; None keeps them. Nothing is emptied before the night.

    Raises `Invalid` for a number that makes no sense.
    """
    if days is not None and not 1 <= days <= LONGEST:
        raise Invalid(f"Words can be kept for 1 to {LONGEST:,} days.")
    source.retention_days = days
    source.save(update_fields=["retention_days", "updated_at"])
    record_audit(
        workspace=source.workspace,
        actor=actor,
        action="source.retention_set",
        subject=source.public_id,
        details={"days": days},
    )


def expire_items(*, now: datetime) -> int:
    """Empty what is older than its source keeps; returns how many items. Safe to repeat, in batches of a savepoint."""
    count = 0
    for source in FeedbackSource.objects.exclude(retention_days=None).order_by("id"):
        assert source.retention_days is not None
        expired = _expired(source, source.retention_days, now).order_by("id")
        while ids := list(expired.values_list("id", flat=True)[:BATCH]):
            with transaction.atomic(), erasing():
                for holding in reversed(list_holdings()):
                    if holding.expire:
                        holding.expire(ids)
                count += empty_items(ids, why="retention", now=now)
    return count
