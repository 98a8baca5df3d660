"""Entry points of the outbox's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.effects import mail as mail  # noqa: PLC0414 - registers how mail is delivered
from tellback.effects import services
from tellback.platform.jobs import Queue, job_in_steps
from tellback.platform.upkeep import sweep


@job_in_steps("effects.deliver", queue=Queue.EFFECTS)
def deliver(*, workspace_id: UUID) -> None:
    """Deliver what is due."""
    services.deliver_due(workspace_id=workspace_id, now=timezone.now)


sweep("effects.deliver", queue=Queue.EFFECTS)
