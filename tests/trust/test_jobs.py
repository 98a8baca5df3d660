"""Workers are killed, stopped and fed poison; every job still ends as declared."""

import os
import random
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from tellback.platform.dead_letters import GIVE_BACK
from tellback.platform.jobs import RETRY, Queue
from tests.harness.processes import Installation, Queues, supervised, wait_until

pytestmark = pytest.mark.trust

INGEST, EFFECTS = "feedback-ingest", "effects"


def order(installation: Installation, stage: str) -> None:
    """Have the next job that reaches this stage kill its process."""
    (Path(installation.environment["HARNESS_ORDERS"]) / stage).touch()


@pytest.mark.timeout(300)
def test_fifty_random_kills_lose_no_job_and_double_no_effect(installation: Installation, queues: Queues) -> None:
    seed = int.from_bytes(os.urandom(4))
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    kinds = ["effect"] * 200 + ["steps"] * 110 + ["careless"] * 80 + ["poison"] * 10
    chance.shuffle(kinds)
    put = [
        (kind, f"{kind}{n}", queues.put(f"harness.{kind}", EFFECTS if kind in {"steps", "careless"} else INGEST,
                                        key=f"{kind}{n}", **({} if kind == "poison" else {"pause": "0.2"})))
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    jobs = {job_id: key for kind, key, job_id in put if kind in {"effect", "steps"}}
    careless = [key for kind, key, _ in put if kind == "careless"]
    poison = [job_id for kind, _, job_id in put if kind == "poison"]
    with supervised(installation, 2) as workers:
        for kill in range(50):
            runs = queues.rows("SELECT count(*) FROM harness_run")
            # Each kill meets a worker that has begun something since the last, as long as there is work.
            wait_until(
                lambda runs=runs: queues.unfinished() == 0 or queues.rows("SELECT count(*) FROM harness_run") > runs,  # type: ignore[misc]
                seconds=30,
                what=f"work before kill {kill}, seed {seed}",
            )
            time.sleep(chance.uniform(0, 0.3))
            workers[chance.randrange(2)].kill()
        wait_until(lambda: queues.unfinished() == 0, seconds=120, what=f"all jobs ended, seed {seed}")
    for job_id, key in jobs.items():
        status, attempts = queues.job(job_id)
        # Given up is only what had all its attempts, each in a process that was killed: the kills are that dense.
        most = RETRY[Queue.INGEST if key.startswith("effect") else Queue.EFFECTS].attempts
        assert status == "succeeded" or (status, attempts) == ("failed", most), key
        assert queues.effects(key) <= 1, key
        if status == "succeeded":
            assert queues.effects(key) == 1, key
    assert sum(queues.job(job_id)[0] == "succeeded" for job_id in jobs) >= 250
    assert {queues.job(job_id)[0] for job_id in poison} == {"failed"}
    # The control: a handler that does not look first doubles its effect, so the kills did meet work.
    assert any(queues.effects(key) > 1 for key in careless)


@pytest.mark.timeout(90)
def test_a_kill_at_each_stage_repeats_what_was_not_done_and_nothing_else(
    installation: Installation, queues: Queues
) -> None:
    table = [
        # stage, job, queue, runs, effects
        ("claimed", "harness.effect", INGEST, 2, 1),
        ("effect", "harness.effect", INGEST, 2, 1),
        ("worked", "harness.steps", EFFECTS, 2, 1),
        ("careless", "harness.careless", EFFECTS, 2, 2),  # the detector fires: this handler does not look first
        ("completed", "harness.effect", INGEST, 1, 1),
    ]
    with supervised(installation, 2) as workers:
        for stage, name, queue, runs, effects in table:
            if stage != "completed":
                order(installation, stage)
            job_id = queues.put(name, queue, key=stage)
            wait_until(lambda job_id=job_id: queues.job(job_id)[0] == "succeeded", seconds=25, what=stage)  # type: ignore[misc]
            if stage == "completed":
                for worker in list(workers):
                    worker.kill()
                after = queues.put("harness.effect", INGEST, key="after")
                wait_until(lambda after=after: queues.job(after)[0] == "succeeded", seconds=25, what="after")  # type: ignore[misc]
            assert (queues.runs(stage), queues.effects(stage)) == (runs, effects), stage


@pytest.mark.timeout(60)
def test_poison_is_tried_three_times_with_growing_delays_and_can_be_retried(
    installation: Installation, queues: Queues
) -> None:
    bad = queues.put("harness.poison", INGEST, key="bad")
    good = [queues.put("harness.effect", INGEST, key=f"good{n}") for n in range(5)]
    with supervised(installation, 1):
        wait_until(lambda: queues.job(bad)[0] == "failed", seconds=30, what="given up")
        assert queues.job(bad) == ("failed", 3)
        assert {queues.job(job_id) for job_id in good} == {("succeeded", 1)}
        due = [row[0] for row in queues.rows(
            "SELECT at FROM procrastinate_events WHERE job_id = %s AND type = 'scheduled' ORDER BY id", [bad]
        )]  # fmt: skip
        begun: list[datetime] = [
            row[0] for row in queues.rows("SELECT at FROM harness_run WHERE key = 'bad' ORDER BY at")
        ]
        assert len(begun) == 3
        waits = [(at - run).total_seconds() for at, run in zip(due, begun, strict=False)]
        assert 0.1 <= waits[0] <= 0.7
        assert 0.25 <= waits[1] <= 1.2
        listed = installation.run("jobs", "list", "--failed", "--json")
        assert "ValueError: bad is poison" in listed.stdout
        assert installation.run("jobs", "retry", str(bad)).returncode == 0
        wait_until(lambda: queues.runs("bad") == 6, seconds=20, what="a full set of attempts again")
    assert installation.run("jobs", "retry", "999999").returncode == 1


def test_a_job_that_fails_while_an_equal_one_waits_is_tried_again(installation: Installation, queues: Queues) -> None:
    first = queues.put("harness.overtaken", INGEST, key="overtaken")
    queues.rows("UPDATE procrastinate_jobs SET queueing_lock = 'equal' WHERE id = %s RETURNING id", [first])
    states = "SELECT status::text FROM procrastinate_jobs WHERE args ->> 'key' = 'overtaken' ORDER BY id"
    with supervised(installation, 1):
        wait_until(lambda: queues.runs("overtaken") == 3, seconds=30, what="both ran, one of them twice")
        wait_until(lambda: queues.rows(states) == [("succeeded",)] * 2, seconds=10, what="none counts as running")


@pytest.mark.timeout(90)
def test_a_job_that_ends_its_process_is_given_up_and_others_go_on(installation: Installation, queues: Queues) -> None:
    queues.rows("UPDATE procrastinate_jobs SET attempts = 0")
    killer = queues.put("harness.abort", EFFECTS, key="killer")
    queues.rows("UPDATE procrastinate_jobs SET attempts = 6 WHERE id = %s", [killer])
    neighbour = queues.put("harness.effect", INGEST, key="neighbour", pause="0.2")
    with supervised(installation, 1):
        wait_until(lambda: queues.job(killer) == ("failed", 8), seconds=40, what="given up at its eighth attempt")
        wait_until(lambda: queues.job(neighbour)[0] == "succeeded", seconds=20, what="the neighbour done")
    assert queues.runs("killer") == 2


ENQUEUE = """
import os, signal, sys, uuid
import django
django.setup()
from django.db import connection, transaction
from tellback.platform.jobs import Queue, defer
how = sys.argv[1]
try:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO harness_effect (key) VALUES (%s)", [how])
        defer("harness.effect", queue=Queue.INGEST, workspace_id=uuid.uuid4(), key=how)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "rollback":
            raise RuntimeError
except RuntimeError:
    pass
"""


@pytest.mark.parametrize(("how", "count"), [("commit", 1), ("rollback", 0), ("kill", 0)])
def test_a_job_exists_if_and_only_if_what_it_is_about_does(
    installation: Installation, queues: Queues, how: str, count: int
) -> None:
    done = installation.run_python(ENQUEUE, how)
    assert done.returncode == (-signal.SIGKILL if how == "kill" else 0)
    assert queues.effects(how) == count
    written = queues.rows("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'key' = %s", [how])
    assert written == [(count,)]


@pytest.mark.timeout(60)
def test_a_worker_asked_to_stop_finishes_the_short_and_puts_back_the_long(
    installation: Installation, queues: Queues
) -> None:
    short = queues.put("harness.effect", INGEST, key="short", pause="1")
    long = queues.put("harness.effect", INGEST, key="long", pause="60")
    worker = installation.start("worker")
    wait_until(lambda: queues.runs("short") and queues.runs("long"), seconds=20, what="both begun")
    later = queues.put("harness.effect", EFFECTS, key="later", pause="0")
    wait_until(lambda: queues.job(later)[0] == "succeeded", seconds=10, what="the control: it takes work")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    refused = queues.put("harness.effect", EFFECTS, key="refused")
    assert worker.wait(30) == 0
    assert time.monotonic() - began < 10
    assert queues.job(short) == ("succeeded", 1)
    assert queues.job(long) == ("todo", 0)
    assert queues.job(refused) == ("todo", 0)
    assert queues.effects("long") == 0


def test_a_sweep_killed_halfway_moves_nothing_and_the_next_moves_each_job_once(
    installation: Installation, queues: Queues
) -> None:
    living, dead = (
        queues.rows(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [age],
        )[0][0]
        for age in (0, 3600)
    )
    held = [queues.put("harness.effect", INGEST, key=f"h{n}") for n in range(6)]
    for job_id, worker in zip(held, (living, living, dead, dead, None, None), strict=True):
        queues.rows("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker, job_id])
    queues.rows("UPDATE procrastinate_jobs SET attempts = 2 WHERE id = %s", [held[3]])
    sweep = {"limits": '{"feedback-ingest": 3}', "silence": 30.0}
    with psycopg.connect(queues.url) as killed, psycopg.connect(queues.url, autocommit=True) as other:
        assert len(killed.execute(GIVE_BACK, sweep).fetchall()) == 4
        assert other.execute(GIVE_BACK, sweep).fetchall() == []
        killed.cancel()
        killed.close()
    assert {queues.job(job_id)[0] for job_id in held} == {"doing"}
    with psycopg.connect(queues.url, autocommit=True) as next_one:
        next_one.execute(GIVE_BACK, sweep)
        assert next_one.execute(GIVE_BACK, sweep).fetchall() == []
    assert [queues.job(job_id) for job_id in held] == [
        ("doing", 0), ("doing", 0), ("todo", 1), ("failed", 3), ("todo", 1), ("todo", 1),
    ]  # fmt: skip
    queues.rows("DELETE FROM procrastinate_workers WHERE id = %s", [living])
    with psycopg.connect(queues.url, autocommit=True) as last:
        assert len(last.execute(GIVE_BACK, sweep).fetchall()) == 2
