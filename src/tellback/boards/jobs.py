"""Entry points of the boards' jobs."""

from tellback.boards import services
from tellback.platform.jobs import Queue, defer_once, job
from tellback.platform.tenancy import current_workspace_id
from tellback.understanding.engine import get_engine
from tellback.workspaces.models import PrincipalMerge


@job("boards.follow_merge", queue=Queue.INGEST)
def people_merged(*, merge_id: str) -> None:
    """Move what a merged person wrote and voted for, or back."""
    services.follow_merge(merge=PrincipalMerge.objects.select_for_update().get(id=merge_id))


@job("boards.embed_posts", queue=Queue.AI)
def embed_posts() -> None:
    """Find out what new posts mean, so that like ones are found."""
    if services.embed_posts(engine=get_engine()) == services.EMBEDDED_AT_ONCE:
        defer_once("boards.embed_posts", queue=Queue.AI, workspace_id=current_workspace_id())


@job("boards.follow_themes", queue=Queue.EFFECTS)
def follow_themes() -> None:
    """Have posts follow themes that were merged, or taken apart again."""
    services.follow_themes()
