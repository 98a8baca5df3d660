"""What every worker process looks after beside its jobs: jobs of dead workers, sweeps, old finished jobs."""

import asyncio
import itertools
import logging
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.db import connection
from procrastinate import App
from procrastinate.jobs import Status

from tellback.platform.jobs import RETRY, Queue, defer_once
from tellback.platform.tenancy import in_workspace, list_workspace_ids

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 20
#: A worker that has not been heard of for this long is dead; its jobs are given to others.
SILENT_SECONDS = 30
KEEP_FINISHED_HOURS = 72
TURNS_PER_CLEARING = 180
#: Jobs that are put up for every workspace at each sweep, unless one waits already.
SWEPT_JOBS: dict[str, Queue] = {}


def sweep(name: str, *, queue: Queue) -> None:
    """Have the job `name` run for every workspace about every twenty seconds."""
    SWEPT_JOBS[name] = queue


async def sweep_forever(app: App) -> None:
    """Look after the queues until cancelled. Any number of workers may do so at once."""
    for turn in itertools.count():
        try:
            await give_back_stalled(app)
            await sync_to_async(_put_up_sweeps)()
            if turn % TURNS_PER_CLEARING == TURNS_PER_CLEARING - 1:
                await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)
        except Exception:
            logger.exception("A sweep failed; it is tried again")
        await asyncio.sleep(INTERVAL_SECONDS)


async def give_back_stalled(app: App) -> None:
    """Retry the jobs of dead workers, as an attempt of theirs; those without attempts left become dead letters."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
        if job.id is None:
            continue
        limit = RETRY[Queue(job.queue)].attempts if job.queue in set(Queue) else 3
        if job.attempts + 1 >= limit:
            logger.error("Job %s %s ended its worker %d times; it is given up", job.id, job.task_name, limit)
            await app.job_manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=False)
        else:
            await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))


def _put_up_sweeps() -> None:
    try:
        for workspace_id in list_workspace_ids():
            with in_workspace(workspace_id):
                for name, queue in SWEPT_JOBS.items():
                    defer_once(name, queue=queue, workspace_id=workspace_id)
    finally:
        connection.close()
