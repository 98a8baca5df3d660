"""A worker is stopped until others have taken its work over, and then goes on: what they did stays as it is."""

import os
import signal

import pytest

from tests.harness.processes import Installation, Queues, wait_until

pytestmark = pytest.mark.trust


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("kind", "queue", "effects"),
    [("effect", "feedback-ingest", 1), ("steps", "effects", 1), ("careless", "effects", 2)],
)
def test_a_worker_that_wakes_when_its_work_is_done_doubles_nothing(
    installation: Installation, queues: Queues, kind: str, queue: str, effects: int
) -> None:
    zombie = installation.start("worker")
    job = queues.put(f"harness.{kind}", queue, key=kind, pause="3")
    wait_until(lambda: queues.runs(kind) == 1, seconds=40, what="the work has begun")
    os.kill(zombie.pid, signal.SIGSTOP)
    try:
        other = installation.start("worker")
        wait_until(lambda: queues.job(job)[0] == "succeeded", seconds=60, what="somebody else did it")
        done = queues.job(job)
    finally:
        os.kill(zombie.pid, signal.SIGCONT)
    after = queues.put("harness.effect", "feedback-ingest", key="after")
    wait_until(lambda: queues.job(after)[0] == "succeeded", seconds=30, what="work goes on")
    zombie.terminate()
    zombie.wait(30)
    other.terminate()
    other.wait(30)
    assert queues.runs(kind) == 2
    # The control, a careless handler that does not look first, doubles its effect: the zombie did wake.
    assert queues.effects(kind) == effects
    assert queues.job(job) == done
