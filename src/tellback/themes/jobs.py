"""Entry points of the themes' jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, job, job_in_steps
from tellback.platform.tenancy import current_workspace_id, in_workspace
from tellback.themes import services
from tellback.understanding.engine import get_engine

#: How many themes are refreshed in one transaction.
FEW = 6


@job("themes.assign", queue=Queue.AI)
def assign(*, item_ids: list[str]) -> None:
    """Give the signals of these items their themes."""
    services.assign_items(
        workspace_id=current_workspace_id(),
        item_ids=[UUID(item_id) for item_id in item_ids],
        engine=get_engine(),
        now=timezone.now(),
    )


@job("themes.recount", queue=Queue.AI)
def recount(*, item_ids: list[str]) -> None:
    """Count the people of the themes of these items anew, since they are somebody else's."""
    services.recount_themes(workspace_id=current_workspace_id(), item_ids=[UUID(item_id) for item_id in item_ids])


@job_in_steps("themes.refresh", queue=Queue.AI)
def refresh(*, workspace_id: UUID) -> None:
    """Bring every changed theme of the workspace up to date, a few at a time: nobody waits long for their rows."""
    while True:
        with in_workspace(workspace_id):
            if not services.refresh_themes(engine=get_engine(), now=timezone.now(), limit=FEW):
                return
