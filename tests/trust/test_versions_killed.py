"""What version 2 acknowledged, in batches and with files, is there exactly once after kills (ING-01, 04, 06)."""

import base64
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace, not_once

pytestmark = pytest.mark.trust

SEED = 20261122


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    key, other_key = add_workspace(queues, "harbour", 2)
    (foreign_key,) = add_workspace(queues, "lantern", 1)
    port = free_port()
    made = Door(migrated, queues, port, key, other_key, foreign_key, migrated.start("web", "--port", str(port)))
    wait_until(made.is_open, seconds=40, what="the web process listens")
    yield made
    made.process.terminate()
    made.process.wait(30)


def send(door: Door, body: Any, *, key: str = "") -> httpx.Response:
    path = "/v2/feedback/batch" if isinstance(body, list) else "/v2/feedback"
    with httpx.Client(trust_env=False, timeout=15) as client:
        return client.post(
            f"http://127.0.0.1:{door.port}{path}", json=body, headers={"authorization": f"Bearer {key or door.key}"}
        )


def item(number: int, *, file: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"content": f"Number {number} of the ledger.", "idempotencyKey": str(uuid4())}
    if file:
        content = base64.b64encode(f"log {number}".encode()).decode()
        made["attachments"] = [{"name": "app.log", "data": content}]
    return made


def ids_in(answer: httpx.Response, body: Any) -> dict[str, str]:
    """The id of each item by its key."""
    results = answer.json()["results"] if isinstance(body, list) else [answer.json()]
    return {result["idempotencyKey"]: result["id"] for result in results}


@pytest.mark.timeout(240)
def test_batches_and_files_survive_four_kills(door: Door) -> None:
    chance = random.Random(SEED)
    bodies: list[Any] = [item(n, file=True) for n in range(120)]
    bodies += [[item(n) for n in range(20)] for _ in range(30)]
    chance.shuffle(bodies)
    waiting, lock = list(bodies), threading.Lock()
    keys = [one["idempotencyKey"] for body in bodies for one in (body if isinstance(body, list) else [body])]
    ledger: dict[str, set[str]] = {key: set() for key in keys}

    def client(_: int) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                body = waiting.pop()
            while True:
                try:
                    answer = send(door, body)
                except httpx.HTTPError:
                    time.sleep(0.05)
                    continue
                if answer.status_code in {200, 202}:
                    for key, id in ids_in(answer, body).items():
                        ledger[key].add(id)
                    break
                assert answer.status_code in {207, 503}, (SEED, answer.text)
                time.sleep(0.05)

    with ThreadPoolExecutor(6) as pool:
        clients = pool.map(client, range(6))
        for left in sorted((chance.randrange(15, 135) for _ in range(4)), reverse=True):
            while len(waiting) > left:
                time.sleep(0.01)
            door.kill()
            door.open()
        assert list(clients) == [None] * 6
    assert {len(ids) for ids in ledger.values()} == {1}, SEED
    assert not_once(door, keys) == set()
    rows = door.queues.rows(
        "SELECT r.external_id, a.file_key, a.size_bytes FROM attachment a JOIN raw_feedback_items r "
        "ON r.id = a.raw_item_id WHERE r.external_id = ANY(%s)",
        [keys],
    )
    assert len(rows) == len({key for key, _, _ in rows}) == 120
    folder = Path(door.installation.environment["TELLBACK_DATA_DIR"]) / "files"
    assert all((folder / file_key).stat().st_size == size for _, file_key, size in rows), "a row points to nothing"


def test_a_key_counts_for_one_credential_of_one_workspace(door: Door) -> None:
    body = item(1)
    for sent in (body, [item(2)]):
        answers = [send(door, sent, key=key) for key in (door.key, door.other_key, door.foreign_key)]
        assert [answer.status_code for answer in answers] == [202, 202, 202]
        assert len({tuple(ids_in(answer, sent).values()) for answer in answers}) == 3


def test_a_lost_reply_of_a_batch_is_made_good_by_sending_again(door: Door) -> None:
    body = [item(n) for n in range(30)]
    data = json.dumps(body).encode()
    head = (
        f"POST /v2/feedback/batch HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {door.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(head.encode() + data)
        last = body[-1]["idempotencyKey"]
        ((stored,),) = wait_until(lambda: door.items(last), seconds=10, what="the batch is stored")
    again = send(door, body)
    assert {result["status"] for result in again.json()["results"]} == {"duplicate"}
    assert door.items(last) == [(stored,)]
    assert not_once(door, [one["idempotencyKey"] for one in body]) == set()
