"""Three times as much as can be taken: the rest is sent away, nothing is forgotten, all is soon as before (LOD-01)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tellback.cli.bench.load import Plan, Result
from tests.harness.processes import Installation, Queues, lasting
from tests.trust.test_intake import Door, add_workspace, not_once, open_door

pytestmark = pytest.mark.trust

#: Connections that fill the machine, and many more than the door has room for.
ENOUGH, MANY = 32, 700
#: Milliseconds in which somebody who is let in is answered, however many are not; the rest is for a busy machine.
BOUND = 5000


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "harbour", 1)
    made = open_door(migrated, queues, key=key)
    yield made
    made.process.terminate()
    made.process.wait(30)


def load(door: Door, *, connections: int, seconds: float, rate: float = 0.0, ledger: str = "") -> Result:
    """What a process of its own, which does nothing else, sends and is answered."""
    plan = Plan(door.port, door.key, connections, seconds=seconds, rate=rate, ledger=ledger)
    command = [sys.executable, "-m", "tellback.cli.bench.load", json.dumps(asdict(plan))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + seconds, check=True)
    return Result(**json.loads(done.stdout))


def require_shedding(door: Door, ledger: Path, *, seconds: float) -> None:
    """Send three times the measured capacity; what was accepted then is stored, the rest told to wait."""
    load(door, connections=ENOUGH, seconds=0.5)
    calm = load(door, connections=ENOUGH, seconds=1)
    storm = load(door, connections=MANY, seconds=seconds, rate=3 * calm.per_second, ledger=str(ledger))
    assert storm.refused, "some are told when to come back"
    assert storm.other == 0, "nobody is answered in another way, or not at all"
    assert storm.accepted
    assert storm.sent_p99_ms < BOUND
    acknowledged = ledger.read_text().split()
    assert len(acknowledged) == storm.accepted
    assert not_once(door, acknowledged) == set()
    after = load(door, connections=ENOUGH, seconds=1)
    assert (after.refused, after.other) == (0, 0)
    assert after.p50_ms < 3 * calm.p50_ms


@pytest.mark.timeout(240)
def test_three_times_the_load_is_shed_and_no_acknowledgement_is_lost(door: Door, tmp_path: Path) -> None:
    require_shedding(door, tmp_path / "ledger", seconds=lasting(3, full=60))
