"""Jobs whose runs and effects can be counted from outside, also when their process is killed in between."""

import os
import signal
import time
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import connection

from tellback.effects.models import Effect
from tellback.effects.services import delivers
from tellback.platform.database import conninfo
from tellback.platform.jobs import Queue, job, job_in_steps


def note_run(key: str) -> None:
    """Count this run at once, on a connection of its own: a kill does not take it back."""
    with psycopg.connect(conninfo(), autocommit=True) as outside:
        outside.execute("INSERT INTO harness_run (key, pid) VALUES (%s, %s)", [key, os.getpid()])


def die_at(stage: str) -> None:
    """Kill this process when the test has asked for it at this stage; once."""
    order = Path(os.environ["HARNESS_ORDERS"]) / stage
    try:
        order.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _effect(key: str, *, once: bool) -> None:
    guard = "WHERE NOT EXISTS (SELECT 1 FROM harness_effect WHERE key = %s)" if once else "WHERE %s <> ''"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO harness_effect (key) SELECT %s {guard}", [key, key])


@job("harness.effect", queue=Queue.INGEST)
def effect(*, key: str, pause: str = "0") -> None:
    """Takes effect in the transaction of the job."""
    note_run(key)
    die_at("claimed")
    _effect(key, once=True)
    time.sleep(float(pause))
    die_at("effect")


@job_in_steps("harness.steps", queue=Queue.EFFECTS)
def steps(*, workspace_id: UUID, key: str, pause: str = "0") -> None:
    """Takes effect in a transaction of its own, guarded by its key."""
    note_run(key)
    _effect(key, once=True)
    time.sleep(float(pause))
    die_at("worked")


@job_in_steps("harness.careless", queue=Queue.EFFECTS)
def careless(*, workspace_id: UUID, key: str, pause: str = "0") -> None:
    """The control: takes effect without looking whether it has."""
    note_run(key)
    _effect(key, once=False)
    time.sleep(float(pause))
    die_at("careless")


@job("harness.poison", queue=Queue.INGEST)
def poison(*, key: str) -> None:
    """Never succeeds."""
    note_run(key)
    raise ValueError(f"{key} is poison")


@job("harness.overtaken", queue=Queue.INGEST)
def overtaken(*, key: str) -> None:
    """Fails at its first run, after an equal job was written that waits."""
    with psycopg.connect(conninfo(), autocommit=True) as outside:
        again = outside.execute("SELECT 1 FROM harness_run WHERE key = %s", [key]).fetchone()
        if not again:
            outside.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, priority, queueing_lock, scheduled_at) "
                "SELECT queue_name, task_name, args, priority, queueing_lock, now() + interval '3 s' "
                "FROM procrastinate_jobs WHERE args ->> 'key' = %s",
                [key],
            )
    note_run(key)
    if not again:
        raise ValueError(f"{key} was overtaken")


@job_in_steps("harness.abort", queue=Queue.EFFECTS)
def abort(*, workspace_id: UUID, key: str) -> None:
    """Ends its process."""
    note_run(key)
    os.kill(os.getpid(), signal.SIGKILL)


@delivers("ledger")
def note_delivery(effect: Effect) -> None:
    """What stands outside: notes each delivery at once, on a connection of its own."""
    with psycopg.connect(conninfo(), autocommit=True) as outside:
        outside.execute("INSERT INTO harness_effect (key) VALUES (%s)", [effect.key])
    die_at("delivered")
