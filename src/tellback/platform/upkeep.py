"""What every worker process looks after beside its jobs: jobs of dead workers, sweeps, old finished jobs."""

import asyncio
import itertools
import logging
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import connection
from procrastinate import App
from procrastinate.contrib.django import app as default_app

from tellback.platform.dead_letters import clear_failed, give_back_stalled
from tellback.platform.jobs import RETRY, Queue, defer_once
from tellback.platform.rate_limits import forget_whole_allowances
from tellback.platform.tenancy import in_workspace, list_workspace_ids

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 20.0
KEEP_DONE_HOURS = 72
#: Document 3, section 8.1: what failed is kept for 14 days.
KEEP_FAILED_HOURS = 14 * 24
TURNS_PER_CLEARING = 180
#: Jobs that are put up for every workspace at each sweep, unless one waits already.
SWEPT_JOBS: dict[str, Queue] = {}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How soon a dead worker is noticed. Workers say that they live four times in `silence` seconds."""

    silence: float = 30.0

    @property
    def heartbeat(self) -> float:
        """Seconds between two signs of life."""
        return self.silence / 4

    @property
    def interval(self) -> float:
        """Seconds between two sweeps."""
        return min(INTERVAL_SECONDS, self.silence / 2)


def sweep(name: str, *, queue: Queue) -> None:
    """Have the job `name` run for every workspace about every twenty seconds."""
    SWEPT_JOBS[name] = queue


def periodic(cron: str, name: str, *, queue: Queue) -> None:
    """Have the job `name` run for every workspace at these times (cron, UTC), once however many workers there are.

    A time that passed while no worker ran is made up for if it lies less than ten minutes back.
    """

    def put_up(timestamp: int) -> None:  # noqa: ARG001 - when it was due, procrastinate's signature
        _put_up({name: queue})

    task = default_app.task(name=f"{name}.put_up", queue=queue.value, retry=RETRY[queue])(put_up)
    default_app.periodic(cron=cron, periodic_id=name)(task)


async def sweep_forever(app: App, rhythm: Rhythm) -> None:
    """Look after the queues until cancelled. Any number of workers may do so at once."""
    for turn in itertools.count():
        try:
            await sync_to_async(_look_after)(rhythm)
            if turn % TURNS_PER_CLEARING == TURNS_PER_CLEARING - 1:
                await app.job_manager.delete_old_jobs(nb_hours=KEEP_DONE_HOURS)
                await sync_to_async(_clear_failed)()
                await sync_to_async(_forget_allowances)()
        except Exception as error:  # noqa: BLE001 - the outermost ring of this task
            logger.warning("A sweep failed and is tried again: %s", error)
        await asyncio.sleep(rhythm.interval)


def _look_after(rhythm: Rhythm) -> None:
    try:
        limits = {queue.value: backoff.attempts for queue, backoff in RETRY.items()}
        for job_id, name, given_up in give_back_stalled(limits=limits, silence=rhythm.silence):
            if given_up:
                logger.error("Job %s %s ended its worker each time and is given up; see: tellback jobs", job_id, name)
            else:
                logger.warning("Job %s %s was left by a dead worker and is tried again", job_id, name)
        _put_up(SWEPT_JOBS)
    finally:
        connection.close()


def _clear_failed() -> None:
    try:
        clear_failed(hours=KEEP_FAILED_HOURS)
    finally:
        connection.close()


def _forget_allowances() -> None:
    try:
        for workspace_id in list_workspace_ids():
            with in_workspace(workspace_id):
                forget_whole_allowances()
    finally:
        connection.close()


def _put_up(jobs: dict[str, Queue]) -> None:
    try:
        for workspace_id in list_workspace_ids():
            with in_workspace(workspace_id):
                for name, queue in jobs.items():
                    defer_once(name, queue=queue, workspace_id=workspace_id)
    finally:
        if not connection.in_atomic_block:
            connection.close()
