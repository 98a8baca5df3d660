"""Entry points of intake's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.intake import services, states
from tellback.intake.subjects.retention import expire_items
from tellback.platform.jobs import Queue, job
from tellback.platform.upkeep import periodic, sweep


@job("intake.enrich", queue=Queue.INGEST)
def enrich(*, item_ids: list[str]) -> None:
    """Find out who said these items and hand them on."""
    services.enrich_items(item_ids=[UUID(item_id) for item_id in item_ids], now=timezone.now())


@job("intake.recover", queue=Queue.MAINTENANCE)
def recover() -> None:
    """Set back items whose worker died."""
    states.recover_stuck(now=timezone.now())


@job("intake.expire", queue=Queue.MAINTENANCE)
def expire() -> None:
    """Empty what is older than its source keeps."""
    expire_items(now=timezone.now())


sweep("intake.recover", queue=Queue.MAINTENANCE)
periodic("23 3 * * *", "intake.expire", queue=Queue.MAINTENANCE)
