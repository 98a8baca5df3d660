"""Whether a process lives, and whether it can do its work."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

MAX_LAG_SECONDS = 300


def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers. Says nothing about the database."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """The database answers, is migrated, and the queue is not far behind. No details to strangers."""
    try:
        ready = is_migrated() and queue_lag_seconds() < MAX_LAG_SECONDS
    except DatabaseError:
        ready = False
    return JsonResponse({"status": "ok" if ready else "unavailable"}, status=200 if ready else 503)


def is_migrated() -> bool:
    """Whether every migration of this version has been applied."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def queue_lag_seconds() -> float:
    """Age in seconds of the oldest job that is due and waits; 0 when none does."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(extract(epoch FROM max(now() - coalesce(j.scheduled_at, e.at))), 0)
            FROM procrastinate_jobs j
            LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = j.id) e ON true
            WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
            """
        )
        return float(cursor.fetchone()[0])
