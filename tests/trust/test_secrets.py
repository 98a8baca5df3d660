"""A secret key is changed at running processes, and nothing is lost: what came before is recognised and opens."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import Installation, Queues
from tests.trust.test_intake import Door, add_workspace, open_door

pytestmark = pytest.mark.trust

FIRST, SECOND = "first-secret-key-of-this-installation", "second-secret-key-of-this-installation"
VAULT_ON = "UPDATE workspace SET settings = '{\"privacy\": {\"vault\": true}}' WHERE slug = 'secrets'"


def door_with(migrated: Installation, queues: Queues, key: str, **secrets: str) -> Door:
    """A door of a process with these secrets."""
    return open_door(Installation({**migrated.environment, **secrets}, migrated.log), queues, key=key)


@pytest.fixture
def key(migrated: Installation, queues: Queues) -> Iterator[str]:
    (made,) = add_workspace(queues, "secrets", 1)
    queues.rows(VAULT_ON)
    yield made
    migrated.end()


def send(door: Door, body: dict[str, str]) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as client:
        answer = client.post(
            f"http://127.0.0.1:{door.port}/v2/feedback", json=body, headers={"authorization": f"Bearer {door.key}"}
        )
    door.process.terminate()
    door.process.wait(30)
    return answer


def former(done: str) -> dict[str, int]:
    return {row["what"]: row["former"] for row in json.loads(done)}


def test_the_secret_key_is_changed_and_nothing_is_lost(migrated: Installation, queues: Queues, key: str) -> None:
    body = {"content": "Write to ada@example.com about it.", "idempotencyKey": str(uuid4())}
    assert send(door_with(migrated, queues, key, TELLBACK_SECRET_KEY=FIRST), body).status_code == 202
    both = {"TELLBACK_SECRET_KEY": SECOND, "TELLBACK_SECRET_KEY_FORMER": FIRST}
    assert send(door_with(migrated, queues, key, **both), body).status_code == 200
    left = former(migrated.run("secret", "status", "--json", **both).stdout)
    assert (left["keys of the vault"], left["key of digests"]) == (1, 1)
    done = migrated.run("secret", "reseal", **both)
    assert done.returncode == 0, done.stderr
    assert "1 keys of the vault" in done.stderr
    alone = {"TELLBACK_SECRET_KEY": SECOND}
    assert set(former(migrated.run("secret", "status", "--json", **alone).stdout).values()) == {0}
    assert send(door_with(migrated, queues, key, **alone), body).status_code == 200
    exported = migrated.run("secret", "reseal", "--json", **alone)
    assert set(json.loads(exported.stdout).values()) == {0}
