"""Entry points of the search's jobs."""

from uuid import UUID

from tellback.insights.services import BATCH, index_stale
from tellback.platform.jobs import Queue, job_in_steps
from tellback.platform.tenancy import in_workspace
from tellback.platform.upkeep import sweep


@job_in_steps("insights.index", queue=Queue.INGEST)
def index(*, workspace_id: UUID) -> None:
    """Make entries anew for what changed, in batches, so that nobody waits long for their rows."""
    while True:
        with in_workspace(workspace_id):
            count = index_stale()
        if count < BATCH:
            return


sweep("insights.index", queue=Queue.INGEST)
