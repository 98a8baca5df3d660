"""Entry points of the boards' jobs."""

from tellback.boards.services import follow_merge
from tellback.platform.jobs import Queue, job
from tellback.workspaces.models import PrincipalMerge


@job("boards.follow_merge", queue=Queue.INGEST)
def people_merged(*, merge_id: str) -> None:
    """Move what a merged person wrote and voted for, or back."""
    follow_merge(merge=PrincipalMerge.objects.select_for_update().get(id=merge_id))
