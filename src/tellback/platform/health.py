"""Whether this Tellback can do its work: the database, its migrations, and how far the queues are behind."""

import functools
from dataclasses import dataclass

import psycopg
from django.db.migrations.loader import MigrationLoader

#: A database that does not answer within this time is not there; PostgreSQL's smallest connect timeout.
PATIENCE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How one queue stands. `lag` is the age in seconds of the oldest job that is due and waits."""

    queue: str
    due: int
    later: int
    doing: int
    failed: int
    lag: float


def check_readiness(conninfo: str, *, max_lag: float) -> list[Check]:
    """What readiness depends on, looked at over a connection of its own, within about three seconds."""
    try:
        with psycopg.connect(conninfo, connect_timeout=PATIENCE_SECONDS) as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(PATIENCE_SECONDS * 1000)])
            return [Check("database", True, "answers"), *_check_work(connection, max_lag)]
    except (psycopg.Error, OSError) as error:
        return [Check("database", False, (str(error).strip() or type(error).__name__).splitlines()[0])]


def answers(conninfo: str) -> bool:
    """Whether the database answers, known within two seconds also when it stands still."""
    try:
        psycopg.connect(conninfo, connect_timeout=PATIENCE_SECONDS).close()
    except (psycopg.Error, OSError):
        return False
    return True


def _check_work(connection: psycopg.Connection, max_lag: float) -> list[Check]:
    missing = pending_migrations(connection)
    if missing:
        return [Check("migrations", False, f"{len(missing)} to apply, the first is {missing[0]}")]
    depths = queue_depths(connection)
    lag = max((depth.lag for depth in depths), default=0.0)
    failed = sum(depth.failed for depth in depths)
    return [
        Check("migrations", True, "all applied"),
        Check("queues", lag < max_lag, f"the oldest waiting job is {lag:.0f} s old; {failed} failed"),
    ]


@functools.cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Every migration that this version brings, as (app, name)."""
    return frozenset(MigrationLoader(None).disk_migrations)


def pending_migrations(connection: psycopg.Connection) -> list[str]:
    """Names of the migrations of this version that the database lacks, as app.name, sorted."""
    if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return sorted(f"{app}.{name}" for app, name in known_migrations())
    applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    return sorted(f"{app}.{name}" for app, name in known_migrations() - applied)


def queue_depths(connection: psycopg.Connection) -> list[QueueDepth]:
    """How each queue that has jobs stands. Reads two events a queue, however long the queue is."""
    rows = connection.execute(
        """
        WITH queue AS (
            SELECT queue_name,
                count(*) FILTER (WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())) AS due,
                count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()) AS later,
                count(*) FILTER (WHERE status = 'doing') AS doing,
                count(*) FILTER (WHERE status = 'failed') AS failed,
                min(id) FILTER (WHERE status = 'todo' AND scheduled_at IS NULL) AS first_id,
                min(scheduled_at) FILTER (WHERE status = 'todo' AND scheduled_at <= now()) AS first_scheduled
            FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY queue_name
        )
        SELECT queue_name, due, later, doing, failed, coalesce(extract(epoch FROM now() - least(
            first_scheduled, (SELECT min(at) FROM procrastinate_events WHERE job_id = first_id))), 0)
        FROM queue ORDER BY queue_name
        """
    ).fetchall()
    return [QueueDepth(row[0], row[1], row[2], row[3], row[4], max(float(row[5]), 0.0)) for row in rows]
