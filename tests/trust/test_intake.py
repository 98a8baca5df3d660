"""What was accepted is there exactly once, whatever breaks in between (trust.md, ING)."""

import hashlib
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tellback.kernel.ids import to_public
from tests.harness.processes import Installation, Process, Queues, free_port, wait_until

pytestmark = pytest.mark.trust

SEED = 20261121


@dataclass
class Door:
    """A running web process and keys of two workspaces."""

    installation: Installation
    queues: Queues
    port: int
    key: str
    other_key: str
    foreign_key: str
    process: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/feedback"

    def is_open(self) -> bool:
        """Whether it answers: a process takes connections a while before that."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"HEAD /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
                return connection.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False

    def open(self) -> None:
        self.process = self.installation.start("web", "--port", str(self.port))
        wait_until(self.is_open, seconds=40, what="the web process listens")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def post(self, body: dict[str, Any], *, key: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.key}"}
        # Loading certificates would take longer than the request, which is plain HTTP.
        with httpx.Client(trust_env=False, verify=False, timeout=15) as client:
            return client.post(self.url, json=body, headers=headers)

    def items(self, key: str) -> list[tuple[Any, ...]]:
        return self.queues.rows("SELECT id FROM raw_feedback_items WHERE external_id = %s", [key])


def payload(**changes: Any) -> dict[str, Any]:
    return {
        "idempotencyKey": str(uuid4()),
        "userId": "u_1",
        "sessionId": None,
        "channel": "in-app",
        "category": "bug",
        "content": "The export loses its last rows.",
        "timestamp": "2026-11-20T10:00:00Z",
        **changes,
    }


def add_workspace(queues: Queues, slug: str, keys: int) -> list[str]:
    """A workspace with its sources and unlimited keys; returns the keys."""
    ((workspace,),) = queues.rows(
        "INSERT INTO workspace (id, created_at, name, slug, settings, updated_at) "
        "VALUES (gen_random_uuid(), now(), %s, %s, '{}', now()) RETURNING id",
        [slug, slug],
    )
    queues.rows(
        "INSERT INTO feedback_sources (id, created_at, workspace_id, source_type, delivery_mode, name, enabled, "
        "config, error_count, updated_at) "
        "VALUES (gen_random_uuid(), now(), %s, 'api', 'passive', 'API', true, '{}', 0, now())",
        [workspace],
    )
    secrets = [f"tb_{uuid4().hex}" for _ in range(keys)]
    for secret in secrets:
        queues.rows(
            "INSERT INTO api_key (id, created_at, workspace_id, kind, name, prefix, digest, origins, rate_limit, "
            "public_key) "
            "VALUES (gen_random_uuid(), now(), %s, 'secret', 'test', %s, %s, '[]', 1000000, '')",
            [workspace, secret[:10], hashlib.sha256(secret.encode()).hexdigest()],
        )
    return secrets


def open_door(
    installation: Installation, queues: Queues, *, key: str, other_key: str = "", foreign_key: str = ""
) -> Door:
    """A web process of the installation that listens."""
    port = free_port()
    process = installation.start("web", "--port", str(port))
    made = Door(installation, queues, port, key, other_key, foreign_key, process)
    wait_until(made.is_open, seconds=40, what="the web process listens")
    return made


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    key, other_key = add_workspace(queues, "harbour", 2)
    (foreign_key,) = add_workspace(queues, "lantern", 1)
    made = open_door(migrated, queues, key=key, other_key=other_key, foreign_key=foreign_key)
    yield made
    made.process.terminate()
    made.process.wait(30)


def together(count: int, act: Callable[[], httpx.Response]) -> list[httpx.Response]:
    barrier = threading.Barrier(count)

    def run(_: int) -> httpx.Response:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_twenty_equal_requests_at_once_become_one_item(door: Door) -> None:
    body = payload()
    answers = together(20, lambda: door.post(body))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 200: 19}
    assert len({(answer.json()["id"], answer.json()["receipt"]) for answer in answers}) == 1
    assert all(answer.headers.get("idempotency-replayed") == "true" for answer in answers if answer.status_code == 200)
    assert len(door.items(body["idempotencyKey"])) == 1


def test_twenty_different_requests_at_once_become_twenty_items(door: Door) -> None:
    answers = together(20, lambda: door.post(payload()))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 20


def test_the_same_key_with_another_body_is_refused_and_changes_nothing(door: Door) -> None:
    body = payload()
    assert door.post(body).status_code == 202
    before = door.queues.rows(
        "SELECT content, updated_at FROM raw_feedback_items WHERE external_id = %s", [body["idempotencyKey"]]
    )
    refused = door.post({**body, "content": "Something else."})
    assert (refused.status_code, refused.json().get("code")) == (422, "idempotency-key-reused")
    assert door.post(body).status_code == 200
    after = door.queues.rows(
        "SELECT content, updated_at FROM raw_feedback_items WHERE external_id = %s", [body["idempotencyKey"]]
    )
    assert before == after
    # The control: with a key of its own the other text is taken, and what was stored does tell the two apart.
    other = payload(content="Something else.")
    assert door.post(other).status_code == 202
    told = "SELECT content->>'text' FROM raw_feedback_items WHERE external_id = %s"
    assert door.queues.rows(told, [other["idempotencyKey"]]) != door.queues.rows(told, [body["idempotencyKey"]])


def test_a_key_counts_for_one_credential_of_one_workspace(door: Door) -> None:
    body = payload()
    answers = [door.post(body, key=key) for key in (door.key, door.other_key, door.foreign_key)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["receipt"] for answer in answers}) == 3
    assert len(door.items(body["idempotencyKey"])) == 3
    # The control: the same credential again gets its own first answer, and no other one's.
    again = [door.post(body, key=key) for key in (door.key, door.other_key, door.foreign_key)]
    assert [answer.status_code for answer in again] == [200, 200, 200]
    assert [answer.json()["id"] for answer in again] == [answer.json()["id"] for answer in answers]


def test_a_refused_body_does_not_use_up_its_key(door: Door) -> None:
    body = payload()
    refused = door.post({**body, "category": "nonsense"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/category"
    assert door.post(body).status_code == 202
    # The control: a body that was taken does use it up.
    assert door.post(body).status_code == 200
    assert door.post({**body, "content": "Something else."}).status_code == 422


def test_a_lost_reply_is_made_good_by_sending_again(door: Door) -> None:
    body = payload()
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/feedback HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {door.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(head.encode() + data)
        ((item,),) = wait_until(lambda: door.items(body["idempotencyKey"]), seconds=10, what="the item is stored")
    again = door.post(body)
    assert again.status_code == 200
    assert door.items(body["idempotencyKey"]) == [(item,)]
    # The control: sent again under another key it would have counted twice, and the same question would show it.
    assert door.post({**body, "idempotencyKey": str(uuid4())}).status_code == 202
    stored = door.queues.rows("SELECT id FROM raw_feedback_items WHERE content->>'text' = %s", [body["content"]])
    assert len(stored) > 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"content": 1e400}', 422),
        (b'{"content": NaN}', 422),
        (b"[" * 4000, 400),
        (b'{"content": "\\ud800"}', 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b"x" * 5000, 413),
    ],
)
def test_bodies_that_are_no_feedback_are_refused_with_a_reason(door: Door, content: bytes, status: int) -> None:
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    answer = httpx.post(door.url, content=content, headers=headers, trust_env=False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in {status, 400}
    assert answer.status_code == 413 or answer.json()["status"] == answer.status_code


def test_an_endless_body_is_cut_off_while_it_is_read(door: Door) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1024

    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    answer = httpx.post(door.url, content=endless(), headers=headers, trust_env=False)
    assert answer.status_code == 413


def not_once(door: Door, keys: list[str]) -> set[str]:
    """Those of these keys that are not stored exactly once."""
    stored = door.queues.rows("SELECT external_id FROM raw_feedback_items WHERE external_id = ANY(%s)", [keys])
    counts = Counter(key for (key,) in stored)
    return {key for key in keys if counts[key] != 1}


@pytest.mark.timeout(240)
def test_what_was_acknowledged_survives_five_kills(door: Door) -> None:
    survive_kills(door, count=500, kills=5)


def survive_kills(door: Door, *, count: int, kills: int) -> None:
    """Eight clients send so many posts, again until they are acknowledged, while the process is killed so often."""
    chance = random.Random(SEED)
    bodies = [payload(content=f"Number {number} of the ledger.") for number in range(count)]
    waiting, lock = list(reversed(bodies)), threading.Lock()
    ledger: dict[str, set[str]] = {body["idempotencyKey"]: set() for body in bodies}

    def client(_: int) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                body = waiting.pop()
            while True:
                try:
                    answer = door.post(body)
                except httpx.HTTPError:
                    time.sleep(0.05)
                    continue
                if answer.status_code in {200, 202}:
                    ledger[body["idempotencyKey"]].add(answer.json()["id"])
                    break
                assert answer.status_code == 503, (SEED, answer.text)
                time.sleep(0.05)

    with ThreadPoolExecutor(8) as pool:
        clients = pool.map(client, range(8))
        for left in sorted((chance.randrange(count // 20, count - count // 20) for _ in range(kills)), reverse=True):
            while len(waiting) > left:
                time.sleep(0.02)
            door.kill()
            door.open()
        assert list(clients) == [None] * 8
    assert {len(ids) for ids in ledger.values()} == {1}, SEED
    keys = list(ledger)
    assert not_once(door, keys) == set()
    stored = door.queues.rows("SELECT external_id, id FROM raw_feedback_items WHERE external_id = ANY(%s)", [keys])
    assert {key: {to_public("raw_fb", item)} for key, item in stored} == ledger, SEED
    orphans = door.queues.rows(
        "SELECT count(*) FROM idempotency_key k WHERE k.key = ANY(%s) AND NOT EXISTS "
        "(SELECT 1 FROM raw_feedback_items r WHERE r.id = k.raw_item_id)",
        [keys],
    )
    assert orphans == [(0,)]
    jobs = door.queues.rows(
        "SELECT count(*) FROM raw_feedback_items r WHERE external_id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM "
        "procrastinate_jobs j WHERE j.args->'item_ids' ? r.id::text)",
        [keys],
    )
    assert jobs == [(0,)]


def test_the_ledger_finds_an_item_that_was_lost(door: Door) -> None:
    """The control of the test above: its comparison fires when a row is missing."""
    body = payload()
    assert door.post(body).status_code == 202
    door.queues.rows(
        "WITH said AS (SELECT set_config('tellback.erasing', 'on', true)) "
        "DELETE FROM raw_feedback_items USING said WHERE external_id = %s",
        [body["idempotencyKey"]],
    )
    assert not_once(door, [body["idempotencyKey"]]) == {body["idempotencyKey"]}
