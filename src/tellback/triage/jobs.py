"""Entry points of triage's jobs."""

from uuid import UUID

from tellback.intake.models import RawItem
from tellback.platform.jobs import Queue, job
from tellback.triage import services


@job("triage.open_feedback", queue=Queue.INGEST)
def open_feedback(*, item_ids: list[str]) -> None:
    """Open the triage record of each of these raw items."""
    services.open_feedback(items=list(RawItem.objects.filter(id__in=item_ids)))


@job("triage.rescore", queue=Queue.INGEST)
def rescore(*, item_ids: list[str]) -> None:
    """Score these items again, now that they have been understood."""
    services.rescore(item_ids=[UUID(item_id) for item_id in item_ids])
