"""Entry points of the outbox's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.effects import mail as mail  # noqa: PLC0414 - registers how mail is delivered
from tellback.effects import services
from tellback.effects.upkeep import forget_contents
from tellback.platform.jobs import Queue, job, job_in_steps
from tellback.platform.upkeep import periodic, sweep


@job_in_steps("effects.deliver", queue=Queue.EFFECTS)
def deliver(*, workspace_id: UUID) -> None:
    """Deliver what is due."""
    services.deliver_due(workspace_id=workspace_id, now=timezone.now)


@job("effects.forget", queue=Queue.MAINTENANCE)
def forget() -> None:
    """Empty what was settled a month ago."""
    forget_contents(now=timezone.now())


sweep("effects.deliver", queue=Queue.EFFECTS)
periodic("9 3 * * *", "effects.forget", queue=Queue.MAINTENANCE)
