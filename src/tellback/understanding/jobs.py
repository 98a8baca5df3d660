"""Entry points of understanding's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, job_in_steps
from tellback.understanding import services
from tellback.understanding.engine import get_engine


@job_in_steps("understanding.understand", queue=Queue.AI)
def understand(*, workspace_id: UUID, item_ids: list[str]) -> None:
    """Find the signals of these raw items."""
    services.understand(
        workspace_id=workspace_id,
        item_ids=[UUID(item_id) for item_id in item_ids],
        engine=get_engine(),
        now=timezone.now(),
    )
