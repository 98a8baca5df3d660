"""Running the queues in one process: started again when they fall, ended without losing or doubling what is held."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.exceptions import UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.manager import JobManager

from tellback.platform.dead_letters import drop_queueing_lock, record_failure, release_jobs
from tellback.platform.jobs import CONCURRENCY, LostClaim, Queue, know_claim
from tellback.platform.upkeep import Rhythm, sweep_forever

logger = logging.getLogger(__name__)


class Workshop:
    """The queues of one worker process and the jobs that it holds."""

    def __init__(self, *, queues: Sequence[Queue], rhythm: Rhythm, grace: float) -> None:
        self.queues = queues
        self.rhythm = rhythm
        self.grace = grace
        self.held: set[int] = set()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then finish what is held within the grace and put back the rest.

        Does not return while a job that was put back still runs in its thread: the process then ends at once.
        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(sum(CONCURRENCY.values()) + 2, thread_name_prefix="job"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        app = django_app.with_connector(django_app.connector.get_worker_connector())  # type: ignore[attr-defined]
        app.job_manager = _Overtaken(app.connector)
        async with app.open_async():
            tasks = [asyncio.create_task(self._keep_working(app, queue)) for queue in self.queues]
            sweeper = asyncio.create_task(sweep_forever(app, self.rhythm))
            await self.stopping.wait()
            sweeper.cancel()
            for task in tasks:
                task.cancel()
            _, unfinished = await asyncio.wait(tasks, timeout=self.grace)
            if unfinished:
                await self._put_back()

    async def _keep_working(self, app: App, queue: Queue) -> None:
        """One queue's worker, started again when it falls, for instance because the database went away."""
        pause = 0.5
        while not self.stopping.is_set():
            try:
                await app.run_worker_async(
                    queues=[queue.value],
                    name=queue.value,
                    concurrency=CONCURRENCY[queue],
                    fetch_job_polling_interval=1.0,
                    install_signal_handlers=False,
                    update_heartbeat_interval=self.rhythm.heartbeat,
                    stalled_worker_timeout=self.rhythm.silence,
                    worker_middleware=[self._hold],
                    task_middleware=[know_claim],
                )
                pause = 0.5
            except Exception as error:  # noqa: BLE001 - whatever ended it, it is started again
                logger.warning("The queue %s stopped (%s) and is started again", queue.value, error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), pause)
            pause = min(pause * 2, 10.0)

    async def _hold(self, call_next: Callable[[], Awaitable[Any]], context: JobContext, _worker: object) -> Any:
        """Know which jobs are held, and keep why one failed."""
        job_id = context.job.id
        assert job_id is not None
        self.held.add(job_id)
        try:
            return await call_next()
        except LostClaim:
            logger.warning("Job %d was taken over by another worker; what was done here was taken back", job_id)
            raise
        except Exception as error:
            with contextlib.suppress(Exception):
                await sync_to_async(_record)(job_id, error)
            raise
        finally:
            self.held.discard(job_id)

    async def _put_back(self) -> None:
        """Release what did not finish in time, then end: the threads' open transactions roll back with the process."""
        count = await sync_to_async(release_jobs)(sorted(self.held))
        logger.warning("%d jobs did not finish in time and were put back", count)
        logging.shutdown()
        os._exit(0)


class _Overtaken(JobManager):
    """Retries also what an equal job has overtaken: one that was written while this one ran, and waits now.

    Only one of them may wait under their queueing lock, and the job would otherwise count as running until its worker
    ends.
    """

    async def retry_job_by_id_async(self, job_id: int, *arguments: Any, **named: Any) -> None:
        try:
            await super().retry_job_by_id_async(job_id, *arguments, **named)
        except UniqueViolation:
            await sync_to_async(_drop_queueing_lock)(job_id)
            await super().retry_job_by_id_async(job_id, *arguments, **named)


def _drop_queueing_lock(job_id: int) -> None:
    try:
        drop_queueing_lock(job_id)
    finally:
        connection.close()


def _record(job_id: int, error: BaseException) -> None:
    try:
        record_failure(job_id=job_id, error=error)
    finally:
        connection.close()
