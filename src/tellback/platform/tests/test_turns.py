"""Workspaces take turns at the workers."""

from collections import Counter
from uuid import UUID

import pytest
from django.db import connection

from tellback.platform.jobs import Queue, defer
from tellback.workspaces.models import Workspace


def fetched(count: int, queue: Queue) -> list[str]:
    """The workspaces of the next jobs, in the order in which workers get them."""
    found = []
    with connection.cursor() as cursor:
        for _ in range(count):
            cursor.execute(
                "SELECT args->>'workspace_id' FROM procrastinate_fetch_job_v2(ARRAY[%s]::varchar[], NULL)",
                [queue.value],
            )
            found.append(cursor.fetchone()[0])
    return found


@pytest.mark.parametrize("queue", [Queue.INGEST, Queue.AI])
def test_a_workspace_with_few_jobs_does_not_wait_for_one_with_many(
    workspace: Workspace, other_workspace_id: UUID, queue: Queue
) -> None:
    for _ in range(400):
        defer("harness.nothing", queue=queue, workspace_id=workspace.id)
    for _ in range(10):
        defer("harness.nothing", queue=queue, workspace_id=other_workspace_id)
    first = Counter(fetched(50, queue))
    assert first[str(other_workspace_id)] == 10
    assert first[str(workspace.id)] == 40


def test_few_jobs_are_worked_in_the_order_in_which_they_came(workspace: Workspace) -> None:
    ids = [defer("harness.nothing", queue=Queue.AI, workspace_id=workspace.id) for _ in range(30)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE id = ANY(%s) ORDER BY priority DESC, id", [ids])
        assert [row[0] for row in cursor.fetchall()] == ids


def test_what_a_lock_orders_keeps_its_order(workspace: Workspace) -> None:
    ids = [defer("harness.nothing", queue=Queue.AI, workspace_id=workspace.id, lock="one") for _ in range(300)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE id = ANY(%s) AND priority <> 0", [ids])
        assert cursor.fetchone() == (0,)
