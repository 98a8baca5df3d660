"""Entry points of triage's jobs."""

from uuid import UUID

from tellback.intake.models import RawItem
from tellback.platform.jobs import Queue, defer, job
from tellback.platform.tenancy import current_workspace_id
from tellback.triage import duplicates, hours, imported, services, votes
from tellback.triage import ticketing as ticketing  # noqa: PLC0414 - registers how tickets are delivered
from tellback.workspaces.models import PrincipalMerge


@job("triage.open_feedback", queue=Queue.INGEST)
def open_feedback(*, item_ids: list[str]) -> None:
    """Open the triage record of each of these raw items, and have their authors told that they arrived."""
    items = list(RawItem.objects.filter(id__in=item_ids))
    services.open_feedback(items=items)
    services.acknowledge_arrival(items=items)
    imported.take_stated_status(items=items)


@job("triage.refresh", queue=Queue.INGEST)
def refresh(*, item_ids: list[str]) -> None:
    """Have the records of these items say what an import has made of the items."""
    imported.refresh_from_items(items=list(RawItem.objects.filter(id__in=item_ids)))


@job("triage.rescore", queue=Queue.INGEST)
def rescore(*, item_ids: list[str]) -> None:
    """Score these items again, now that they have been understood."""
    services.rescore(item_ids=[UUID(item_id) for item_id in item_ids])


@job("triage.find_duplicates", queue=Queue.AI)
def find_duplicates(*, item_ids: list[str]) -> None:
    """Look for what was said before and these items, which have been understood, repeat."""
    duplicates.find_duplicates(item_ids=[UUID(item_id) for item_id in item_ids])


@job("triage.reckon_due_times", queue=Queue.MAINTENANCE)
def reckon_due_times(*, after: str = "") -> None:
    """Reckon anew when answers are due, a page at a time."""
    workspace_id = current_workspace_id()
    following = hours.reckon_due_times(workspace_id=workspace_id, after=UUID(after) if after else None)
    if following:
        defer("triage.reckon_due_times", queue=Queue.MAINTENANCE, workspace_id=workspace_id, after=str(following))


@job("triage.follow_merge", queue=Queue.INGEST)
def follow_merge(*, merge_id: str) -> None:
    """Move what a merged person joined in, or back."""
    votes.follow_merge(merge=PrincipalMerge.objects.select_for_update().get(id=merge_id))
