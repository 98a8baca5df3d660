"""Entry points of intake's jobs."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from tellback.intake import services, states
from tellback.intake.arrivals.services import READ, STORE, read_set_aside, store_arrivals
from tellback.intake.attachments.services import remove_orphans
from tellback.intake.importing import background, keeping
from tellback.intake.mail import polling
from tellback.intake.subjects.retention import expire_items
from tellback.platform.dead_letters import KEPT
from tellback.platform.files import get_files
from tellback.platform.jobs import Queue, job, job_in_steps
from tellback.platform.tenancy import current_workspace_id, in_workspace
from tellback.platform.upkeep import periodic, sweep
from tellback.workspaces.models import PrincipalMerge


@job("intake.enrich", queue=Queue.INGEST)
def enrich(*, item_ids: list[str]) -> None:
    """Find out who said these items and hand them on."""
    services.enrich_items(item_ids=[UUID(item_id) for item_id in item_ids], now=timezone.now())


@job("intake.recover", queue=Queue.MAINTENANCE)
def recover() -> None:
    """Set back items whose worker died."""
    states.recover_stuck(now=timezone.now())


@job("intake.follow_merge", queue=Queue.INGEST)
def follow_merge(*, merge_id: str) -> None:
    """Move what a merged person said, or back."""
    services.follow_merge(merge=PrincipalMerge.objects.select_for_update().get(id=merge_id))


@job("intake.remove_files", queue=Queue.MAINTENANCE)
def remove_files(*, keys: list[str]) -> None:
    """Remove the content of attachments that were erased."""
    get_files().delete(keys)


@job("intake.remove_orphans", queue=Queue.MAINTENANCE)
def orphans() -> None:
    """Remove files whose item was never stored."""
    remove_orphans(workspace_id=current_workspace_id(), now=timezone.now())


@job("intake.expire", queue=Queue.MAINTENANCE)
def expire() -> None:
    """Empty what is older than its source keeps."""
    expire_items(now=timezone.now())


@job("intake.poll_mailboxes", queue=Queue.INGEST)
def poll_mailboxes() -> None:
    """Leave a job for each mailbox, so that a slow one holds up no other."""
    polling.defer_polls(workspace_id=current_workspace_id())


@job_in_steps("intake.poll_mailbox", queue=Queue.INGEST)
def poll_mailbox(*, workspace_id: UUID, source_id: str) -> None:
    """Take in what is new in one mailbox, and come back at once when there is more."""
    if polling.poll(workspace_id=workspace_id, source_id=UUID(source_id), now=timezone.now):
        with in_workspace(workspace_id):
            polling.defer_poll(workspace_id=workspace_id, source_id=UUID(source_id))


@job("intake.forget_received_mail", queue=Queue.MAINTENANCE)
def forget_received_mail() -> None:
    """Drop what was noted about mails of long ago."""
    polling.forget_old(now=timezone.now())


@job("intake.forget_requests", queue=Queue.MAINTENANCE)
def forget_requests() -> None:
    """Remove idempotency keys whose window is over."""
    services.forget_requests(now=timezone.now())


@job(STORE, queue=Queue.INGEST)
def store_set_aside(*, rows: list[dict[str, Any]]) -> None:
    """Try again to store what came from the broker and was set aside."""
    store_arrivals(workspace_id=current_workspace_id(), rows=rows)


@job_in_steps(READ, queue=Queue.INGEST)
def read_arrival(*, workspace_id: UUID, sealed: str) -> None:  # noqa: ARG001 - nobody knows whose it is
    """Try again to read a message of the broker that was set aside."""
    read_set_aside(sealed=sealed)


@job_in_steps("intake.advance_import", queue=Queue.INGEST)
def advance_import(*, workspace_id: UUID, run_id: str) -> None:
    """Go on with an import that somebody started on its page."""
    background.advance_import(workspace_id=workspace_id, run_id=UUID(run_id), now=timezone.now())


@job("intake.recover_imports", queue=Queue.MAINTENANCE)
def recover_imports() -> None:
    """Go on with imports whose job was lost."""
    background.put_up_unfinished()


@job("intake.drop_import_files", queue=Queue.MAINTENANCE)
def drop_import_files() -> None:
    """Remove the files of imports that are over, and what was left of others."""
    now = timezone.now()
    keeping.drop_idle_files(before=now - keeping.KEPT_FOR)
    keeping.remove_lost_parts(workspace_id=current_workspace_id(), now=now)
    keeping.remove_leftovers(now=now)


KEPT.update({STORE, READ})
sweep("intake.recover", queue=Queue.MAINTENANCE)
periodic("*/2 * * * *", "intake.poll_mailboxes", queue=Queue.INGEST)
periodic("19 3 * * *", "intake.forget_received_mail", queue=Queue.MAINTENANCE)
sweep("intake.recover_imports", queue=Queue.MAINTENANCE)
periodic("43 3 * * *", "intake.drop_import_files", queue=Queue.MAINTENANCE)
periodic("23 3 * * *", "intake.remove_orphans", queue=Queue.MAINTENANCE)
periodic("33 3 * * *", "intake.expire", queue=Queue.MAINTENANCE)
periodic("53 3 * * *", "intake.forget_requests", queue=Queue.MAINTENANCE)
