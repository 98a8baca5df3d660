"""Jobs: work that a transaction leaves behind, run by workers on procrastinate's queues in PostgreSQL.

A job is a row, written on the caller's connection: it exists if and only if the caller's transaction commits.
"""

import functools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from django.db import connection, transaction
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.types import JSONValue

from tellback.kernel.errors import TellbackError
from tellback.platform.loop_config import get_loop_config
from tellback.platform.loop_config.table import Processing
from tellback.platform.tenancy import in_workspace


class Queue(StrEnum):
    """The queues of the specification (document 3, section 8.1) and the outbox's."""

    INGEST = "feedback-ingest"
    AI = "feedback-ai"
    MAINTENANCE = "feedback-maintenance"
    EFFECTS = "effects"


#: The priority of work that nobody waits for, such as that on a large import: what arrives meanwhile comes first.
IN_SPARE_TIME = -10


class Permanent(TellbackError):
    """Trying again cannot help: the job goes straight to the dead letters."""

    code, status, title = "permanent-failure", 500, "This cannot succeed"


class Backoff(BaseRetryStrategy):
    """Exponential delays: `base` seconds, doubled each time, times 1 ± `spread`; at most `attempts` runs."""

    def __init__(self, *, attempts: int, base: float, spread: float = 0.5) -> None:
        self.attempts = attempts
        self.base = base
        self.spread = spread

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """The next delay, or None when the attempts are used up or the error is permanent."""
        if isinstance(exception, Permanent) or job.attempts + 1 >= self.attempts:
            return None
        factor = random.uniform(1 - self.spread, 1 + self.spread)  # noqa: S311 - spreading load, not a secret
        delay = self.base * 2**job.attempts * factor
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=delay))


def retries(processing: Processing) -> dict[Queue, Backoff]:
    """Attempts and delays for each queue, as document 3 sets them; intake's as document 1's `retry_policy` says."""
    policy = processing.retry_policy
    spread = 0.5 if policy.jitter else 0.0
    return {
        Queue.INGEST: Backoff(attempts=policy.max_attempts, base=policy.backoff_ms / 1000, spread=spread),
        Queue.AI: Backoff(attempts=3, base=5),
        Queue.MAINTENANCE: Backoff(attempts=2, base=10),
        Queue.EFFECTS: Backoff(attempts=8, base=5),
    }


def concurrency(processing: Processing) -> dict[Queue, int]:
    """How many jobs of each queue one worker process runs side by side."""
    return {Queue.INGEST: processing.concurrency, Queue.AI: 2, Queue.MAINTENANCE: 1, Queue.EFFECTS: 3}


def queue_names(processing: Processing) -> dict[str, str]:
    """What operators call each queue, by its name in the database: intake's is document 1's `processing.queue`."""
    return {queue.value: processing.queue if queue == Queue.INGEST else queue.value for queue in Queue}


_processing = get_loop_config().processing

RETRY = retries(_processing)
CONCURRENCY = concurrency(_processing)
#: What each queue is called in metrics, commands and reports.
QUEUE_NAMES = queue_names(_processing)


def find_queue(name: str) -> Queue | None:
    """The queue that operators call so, or whose name in the database it is."""
    return next((queue for queue in Queue if name in {queue.value, QUEUE_NAMES[queue.value]}), None)


JobFunction = Callable[..., None]


@contextmanager
def _own_connection() -> Iterator[None]:
    """Give the thread's connection back when the job is done; a caller's open transaction keeps it."""
    try:
        yield
    finally:
        if not connection.in_atomic_block:
            connection.close()


class LostClaim(TellbackError):
    """The worker was silent for so long that its job was given to another; what it did here is taken back."""

    code, status, title = "lost-claim", 500, "Another worker has taken this over"


#: The job that this thread runs for a worker, and the worker that holds it.
_claimed: ContextVar[tuple[int, int] | None] = ContextVar("claimed", default=None)


def know_claim(call_next: Callable[[], Any], context: JobContext, _worker: object) -> Any:
    """Wraps each job in a worker: what it does in its transaction is kept only while the worker holds it."""
    assert context.job.id is not None
    assert context.job.worker_id is not None
    token = _claimed.set((context.job.id, context.job.worker_id))
    try:
        return call_next()
    finally:
        _claimed.reset(token)


def current_job_id() -> int | None:
    """The job that this thread runs for a worker; the same again when it is run anew. None outside of a worker."""
    claimed = _claimed.get()
    return claimed[0] if claimed else None


def _keep_claim() -> None:
    """See to it that the claim holds until the transaction ends. Raises `LostClaim`."""
    claimed = _claimed.get()
    if claimed is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND worker_id = %s AND status = 'doing' FOR SHARE", claimed
        )
        if cursor.fetchone() is None:
            raise LostClaim("Another worker has taken this job over, so what was done here is taken back.")


def job(name: str, *, queue: Queue) -> Callable[[JobFunction], JobFunction]:
    """Declare a job. The function runs inside `in_workspace`, with the keyword arguments given to `defer`.

    It is one transaction, which is taken back when another worker was given the job meanwhile. It may run more than
    once (a worker can die at any instant), so it must be safe to repeat.
    """

    def declare(function: JobFunction) -> JobFunction:
        @functools.wraps(function)
        def run(*, workspace_id: str, **arguments: Any) -> None:
            with _own_connection(), in_workspace(UUID(workspace_id)):
                function(**arguments)
                _keep_claim()

        app.task(name=name, queue=queue.value, retry=RETRY[queue])(run)
        return function

    return declare


def job_in_steps(name: str, *, queue: Queue) -> Callable[[JobFunction], JobFunction]:
    """Declare a job that opens its own transactions: for work that calls out (a model, a mail server) in between.

    The function gets `workspace_id` as a UUID beside the arguments given to `defer`, and must be safe to repeat from
    any point.
    """

    def declare(function: JobFunction) -> JobFunction:
        @functools.wraps(function)
        def run(*, workspace_id: str, **arguments: Any) -> None:
            with _own_connection():
                function(workspace_id=UUID(workspace_id), **arguments)

        app.task(name=name, queue=queue.value, retry=RETRY[queue])(run)
        return function

    return declare


def defer_once(name: str, *, queue: Queue, workspace_id: UUID, delay: timedelta | None = None) -> None:
    """Write a job for the whole workspace unless an equal one already waits."""
    try:
        with transaction.atomic():
            defer(name, queue=queue, workspace_id=workspace_id, delay=delay, queueing_lock=f"{name}:{workspace_id}")
    except AlreadyEnqueued:
        return


def defer(
    name: str,
    *,
    queue: Queue,
    workspace_id: UUID,
    delay: timedelta | None = None,
    queueing_lock: str | None = None,
    lock: str | None = None,
    priority: int = 0,
    **arguments: str | list[str],
) -> int:
    """Write one job on the current transaction and return its id.

    The name is that of a declared job; naming it, instead of importing it, lets a package hand work to one above it.
    Jobs with the same `lock` run one after the other, in the order in which they were written. With `queueing_lock`,
    raises `procrastinate.exceptions.AlreadyEnqueued` while an equal job still waits. Of those that wait, the ones with
    the highest `priority` come first.
    """
    schedule = {"seconds": int(delay.total_seconds())} if delay else None
    return app.configure_task(
        name,
        allow_unknown=True,
        queue=queue.value,
        schedule_in=schedule,
        queueing_lock=queueing_lock,
        lock=lock,
        priority=priority,
    ).defer(workspace_id=str(workspace_id), **cast(dict[str, JSONValue], arguments))
