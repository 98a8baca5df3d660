"""Whatever is killed between commit and delivery, what was committed leaves, and nothing else (trust.md, OUT-01)."""

import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.processes import Installation, Queues, wait_until

pytestmark = pytest.mark.trust

SEED = 20261121
POSTS = 6
MOVES = 8
#: Puts one effect of each post up, in one transaction; then ends as it is told to.
PUT_UP = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from django.utils import timezone
from tellback.effects.services import enqueue
from tellback.platform.tenancy import in_workspace, list_workspace_ids
how, number, posts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
workspace_id, now = list_workspace_ids()[0], timezone.now()
try:
    with in_workspace(workspace_id):
        for post in range(posts):
            enqueue(workspace_id=workspace_id, kind="ledger", key=f"{how}:{post}:{number:03}",
                    line=f"post:{post}", payload={}, due_at=now, now=now)
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "rolled back":
            raise RuntimeError
except RuntimeError:
    sys.exit()
os.kill(os.getpid(), signal.SIGKILL)
"""
#: The control: calls the outside by itself after its commit, and is killed in between.
WITHOUT_OUTBOX = """
import os, signal
import django
django.setup()
import psycopg
from tellback.platform.database import conninfo
with psycopg.connect(conninfo()) as connection:
    connection.execute("INSERT INTO harness_run (key) VALUES ('direct:0:000')")
os.kill(os.getpid(), signal.SIGKILL)
with psycopg.connect(conninfo()) as connection:
    connection.execute("INSERT INTO harness_effect (key) VALUES ('direct:0:000')")
"""


def put_up(installation: Installation, how: str, number: int) -> "subprocess.CompletedProcess[str]":
    return installation.run_python(PUT_UP, how, str(number), str(POSTS))


def delivered(queues: Queues) -> list[str]:
    """The keys in the order in which they were delivered."""
    return [key for (key,) in queues.rows("SELECT key FROM harness_effect ORDER BY at")]


def out_of_order(keys: list[str]) -> list[str]:
    """Keys of which a later one of the same post had been delivered before them for the first time."""
    latest: dict[str, str] = {}
    wrong = []
    for key in dict.fromkeys(keys):
        post = key.split(":")[1]
        if key < latest.get(post, ""):
            wrong.append(key)
        latest[post] = max(key, latest.get(post, ""))
    return wrong


@pytest.mark.timeout(180)
def test_everything_committed_leaves_in_order_and_nothing_else(
    home_with_workspace: Installation, queues: Queues
) -> None:
    installation, chance = home_with_workspace, random.Random(SEED)
    queues.rows("DELETE FROM effect")
    jobs = [("committed", number) for number in range(MOVES)]
    for how, number in jobs:
        assert put_up(installation, how, number).returncode == -9, SEED
    with ThreadPoolExecutor(2) as pool:
        undone = pool.map(lambda job: put_up(installation, *job), [("killed", 0), ("rolled back", 0)])
        assert [done.returncode for done in undone] == [-9, 0]
    expected = {f"committed:{post}:{number:03}" for post in range(POSTS) for number in range(MOVES)}

    kills = 0
    while len(set(delivered(queues))) < len(expected):
        workers = [installation.start("worker") for _ in range(2)]
        if kills < 4:
            before = len(delivered(queues))
            wait_until(lambda: len(delivered(queues)) > before, seconds=30, what=f"a delivery, seed {SEED}")  # noqa: B023
            if chance.random() < 0.5:
                (Path(installation.environment["HARNESS_ORDERS"]) / "delivered").touch()
                wait_until(lambda: any(worker.poll() for worker in workers), seconds=20, what="a worker died")  # noqa: B023
        else:
            wait_until(lambda: set(delivered(queues)) >= expected, seconds=40, what=f"the rest, seed {SEED}")
        for worker in workers:
            worker.kill()
            worker.wait()
        kills += 1
        # What a dead worker held is free again when its lease has run out.
        queues.rows("UPDATE effect SET lease_until = now() - interval '1 second' WHERE state = 'delivering'")

    keys = delivered(queues)
    assert set(keys) == expected, SEED
    assert out_of_order(keys) == [], SEED
    assert len(keys) <= len(expected) + 2 * kills, SEED


def test_the_ledger_finds_what_was_committed_and_never_left(installation: Installation, queues: Queues) -> None:
    """The control of the test above: without the outbox, a kill after the commit loses the delivery."""
    assert installation.run_python(WITHOUT_OUTBOX).returncode == -9
    committed = {key for (key,) in queues.rows("SELECT key FROM harness_run")}
    assert committed - set(delivered(queues)) == {"direct:0:000"}


def test_the_ledger_finds_what_left_in_another_order() -> None:
    assert out_of_order(["a:1:001", "a:2:001", "a:1:003", "a:1:002", "a:1:001"]) == ["a:1:002"]
