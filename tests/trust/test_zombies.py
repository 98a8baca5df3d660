"""A worker is stopped until others have taken its work over, and then goes on: what they did stays as it is."""

import os
import signal

import pytest

from tests.harness.processes import Installation, Queues, wait_until

pytestmark = pytest.mark.trust

KINDS = {"effect": "feedback-ingest", "steps": "effects", "careless": "effects"}


@pytest.mark.timeout(120)
def test_a_worker_that_wakes_when_its_work_is_done_doubles_nothing(installation: Installation, queues: Queues) -> None:
    zombie = installation.start("worker")
    jobs = {kind: queues.put(f"harness.{kind}", queue, key=kind, pause="3") for kind, queue in KINDS.items()}
    wait_until(lambda: all(queues.runs(kind) == 1 for kind in jobs), seconds=40, what="the work has begun")
    os.kill(zombie.pid, signal.SIGSTOP)
    try:
        other = installation.start("worker")
        wait_until(
            lambda: all(queues.job(job)[0] == "succeeded" for job in jobs.values()), seconds=60, what="another did it"
        )
        done = [queues.job(job) for job in jobs.values()]
    finally:
        os.kill(zombie.pid, signal.SIGCONT)
    after = queues.put("harness.effect", "feedback-ingest", key="after")
    wait_until(lambda: queues.job(after)[0] == "succeeded", seconds=30, what="work goes on")
    for worker in (zombie, other):
        worker.terminate()
        worker.wait(30)
    assert [queues.runs(kind) for kind in jobs] == [2, 2, 2]
    # The control, a careless handler that does not look first, doubles its effect: the zombie did wake.
    assert [queues.effects(kind) for kind in jobs] == [1, 1, 2]
    assert [queues.job(job) for job in jobs.values()] == done
