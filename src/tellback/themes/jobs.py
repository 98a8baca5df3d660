"""Entry points of the themes' jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, job, job_in_steps
from tellback.platform.tenancy import current_workspace_id, in_workspace
from tellback.platform.upkeep import periodic
from tellback.themes import services, upkeep
from tellback.understanding.engine import get_engine
from tellback.workspaces.models import Workspace

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


@job("themes.upkeep", queue=Queue.MAINTENANCE)
def keep_up() -> None:
    """Look for what would make the themes better; propose it, or do it where the workspace wants no questions."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    now = timezone.now()
    proposals = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=now)
    if upkeep.accepts_itself(workspace):
        upkeep.accept_all(proposals=proposals, now=now)


periodic("13 3 * * *", "themes.upkeep", queue=Queue.MAINTENANCE)
