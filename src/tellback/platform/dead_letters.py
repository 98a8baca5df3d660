"""Jobs as a person sees them: listed, and those that were given up retried or discarded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from tellback.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class JobView:
    """One job. `at` is when it last changed; `error` is why it failed, when that is known."""

    id: int
    status: str
    queue: str
    name: str
    attempts: int
    at: datetime | None
    error: str | None

    def as_row(self) -> dict[str, object]:
        """For a table or JSON."""
        return {**asdict(self), "at": self.at.isoformat(timespec="seconds") if self.at else None}


_VIEW = """
    SELECT j.id, j.status::text, j.queue_name, j.task_name, j.attempts,
        (SELECT max(at) FROM procrastinate_events WHERE job_id = j.id), f.error
    FROM procrastinate_jobs j LEFT JOIN job_failure f ON f.job_id = j.id
"""


def list_jobs(*, statuses: Sequence[str], queue: str | None, limit: int) -> list[JobView]:
    """Jobs with one of these statuses, newest first, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_VIEW} WHERE j.status::text = ANY(%s) AND (%s::text IS NULL OR j.queue_name = %s) "
            "ORDER BY j.id DESC LIMIT %s",
            [list(statuses), queue, queue, limit],
        )
        return [JobView(*row) for row in cursor.fetchall()]


def retry_jobs(job_ids: Sequence[int] | None) -> int:
    """Put failed jobs back into their queues with all their attempts; None means every one. Returns how many."""
    return _change(
        # Without its queueing lock, since an equal job may wait by now.
        "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL, worker_id = NULL, "
        "queueing_lock = NULL",
        job_ids,
    )


def discard_jobs(job_ids: Sequence[int] | None) -> int:
    """Delete failed jobs; None means every one. Returns how many."""
    return _change("DELETE FROM procrastinate_jobs", job_ids)


def _change(statement: str, job_ids: Sequence[int] | None) -> int:
    ids = None if job_ids is None else list(job_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} WHERE status = 'failed' AND (%s::bigint[] IS NULL OR id = ANY(%s))", [ids, ids])
        return int(cursor.rowcount)


def show_job(job_id: int) -> tuple[JobView, dict[str, object]]:
    """A job and its arguments. Raises `NotFound`."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_VIEW} WHERE j.id = %s", [job_id])
        row = cursor.fetchone()
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE id = %s", [job_id])
        arguments = cursor.fetchone()
    if row is None or arguments is None:
        raise NotFound(f"There is no job {job_id}. See: tellback jobs list")
    # Django leaves JSON as text where no model says what it is.
    return JobView(*row), json.loads(arguments[0]) if isinstance(arguments[0], str) else arguments[0]


#: Jobs that hold something which is nowhere else: they are kept until a person retries or discards them.
KEPT: set[str] = set()


@transaction.atomic
def put_failed(
    name: str, *, queue: str, workspace_id: UUID, why: str, about: str, arguments: Mapping[str, object]
) -> None:
    """Write a job that has failed already, for a person to look at, on the current transaction.

    Once for what it is `about`: as long as there is such a job, no second one is written.
    """
    args = json.dumps({"workspace_id": str(workspace_id), **arguments})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, lock)
            SELECT %(queue)s, %(name)s, %(args)s, 'failed', 1, %(about)s
            WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE lock = %(about)s)
            RETURNING id
            """,
            {"queue": queue, "name": name, "args": args, "about": about},
        )
        for (job_id,) in cursor.fetchall():
            cursor.execute("INSERT INTO procrastinate_events (job_id, type) VALUES (%s, 'failed')", [job_id])
            cursor.execute("INSERT INTO job_failure (job_id, error) VALUES (%s, %s)", [job_id, why[:500]])


def clear_failed(*, hours: int) -> int:
    """Delete jobs that failed so long ago, but those that are `KEPT`. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs j WHERE status = 'failed' AND NOT task_name = ANY(%s)
                AND (SELECT max(at) FROM procrastinate_events WHERE job_id = j.id) < now() - make_interval(hours => %s)
            """,
            [list(KEPT), hours],
        )
        return int(cursor.rowcount)


def drop_queueing_lock(job_id: int) -> None:
    """Let a job wait beside an equal one."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %s", [job_id])


def record_failure(*, job_id: int, error: BaseException) -> None:
    """Keep why a job's last run failed, for whoever looks at it."""
    text = f"{type(error).__name__}: {error}"[:500]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO job_failure (job_id, error) SELECT id, %s FROM procrastinate_jobs WHERE id = %s
            ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, at = now()
            """,
            [text, job_id],
        )


GIVE_BACK = """
    WITH stalled AS (
        SELECT j.id, j.attempts + 1 >= coalesce((%(limits)s::jsonb ->> j.queue_name)::int, 3) AS exhausted
        FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
        WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(silence)s))
        FOR UPDATE OF j SKIP LOCKED
    ), moved AS (
        UPDATE procrastinate_jobs j
        SET status = CASE WHEN s.exhausted THEN 'failed' ELSE 'todo' END::procrastinate_job_status,
            attempts = j.attempts + 1, worker_id = NULL, scheduled_at = NULL,
            -- An equal job may wait by now; this one is then one too many, but never a reason to stop here.
            queueing_lock = NULL
        FROM stalled s WHERE s.id = j.id
        RETURNING j.id, j.task_name, j.status = 'failed' AS given_up
    ), noted AS (
        INSERT INTO job_failure (job_id, error) SELECT id, 'The worker process ended while it ran' FROM moved
        ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, at = now()
    )
    SELECT id, task_name, given_up FROM moved
"""

RELEASE = """
    UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, scheduled_at = NULL, queueing_lock = NULL
    WHERE id = ANY(%s) AND status = 'doing'
"""


def release_jobs(job_ids: Sequence[int]) -> int:
    """Put running jobs back without spending an attempt: their worker is about to end. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, [list(job_ids)])
        return int(cursor.rowcount)


def give_back_stalled(*, limits: Mapping[str, int], silence: float) -> list[tuple[int, str, bool]]:
    """Give the jobs of dead workers to others, as an attempt spent; those without attempts left are given up.

    A worker is dead when it is gone or has not been heard of for `silence` seconds. One statement with row locks, so
    any number of sweepers may do so at once and each job moves once. Returns (id, name, given up) of each.
    """
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"limits": json.dumps(dict(limits)), "silence": silence})
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]
