"""Entry points of the themes' jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, job
from tellback.platform.tenancy import current_workspace_id
from tellback.themes import services
from tellback.understanding.engine import get_engine


@job("themes.assign", queue=Queue.AI)
def assign(*, item_ids: list[str]) -> None:
    """Give the signals of these items their themes."""
    services.assign_items(
        workspace_id=current_workspace_id(),
        item_ids=[UUID(item_id) for item_id in item_ids],
        engine=get_engine(),
        now=timezone.now(),
    )


@job("themes.refresh", queue=Queue.AI)
def refresh() -> None:
    """Bring every changed theme of the workspace up to date."""
    while services.refresh_themes(engine=get_engine(), now=timezone.now()):
        continue
