"""Jobs as a person sees them: listed, and those that were given up retried or discarded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import connection


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


def list_jobs(*, statuses: Sequence[str], queue: str | None, limit: int) -> list[JobView]:
    """Jobs with one of these statuses, newest first, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT j.id, j.status::text, j.queue_name, j.task_name, j.attempts,
                (SELECT max(at) FROM procrastinate_events WHERE job_id = j.id), f.error
            FROM procrastinate_jobs j LEFT JOIN job_failure f ON f.job_id = j.id
            WHERE j.status::text = ANY(%s) AND (%s::text IS NULL OR j.queue_name = %s)
            ORDER BY j.id DESC LIMIT %s
            """,
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
