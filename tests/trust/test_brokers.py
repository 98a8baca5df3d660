"""The edge before a real RabbitMQ: an acknowledgement means that the broker has it, and all arrives once.

The tests of intake that are named below run here a second time, against this door.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel

from tellback.edge.brokers import Broker, open_broker
from tellback.edge.brokers.address import read_address
from tellback.edge.brokers.rabbitmq import ARGUMENTS
from tellback.kernel.errors import Unavailable
from tests.harness.postgres import Server
from tests.harness.processes import Installation, Process, Queues, free_port, wait_until
from tests.harness.rabbitmq import Node, running_node
from tests.trust.test_intake import (
    Door,
    add_workspace,
    not_once,
    payload,
    test_a_key_counts_for_one_credential_of_one_workspace,
    test_a_lost_reply_is_made_good_by_sending_again,
    test_a_refused_body_does_not_use_up_its_key,
    test_the_same_key_with_another_body_is_refused_and_changes_nothing,
    test_twenty_different_requests_at_once_become_twenty_items,
    test_twenty_equal_requests_at_once_become_one_item,
)

__all__ = [
    "test_a_key_counts_for_one_credential_of_one_workspace",
    "test_a_lost_reply_is_made_good_by_sending_again",
    "test_a_refused_body_does_not_use_up_its_key",
    "test_the_same_key_with_another_body_is_refused_and_changes_nothing",
    "test_twenty_different_requests_at_once_become_twenty_items",
    "test_twenty_equal_requests_at_once_become_one_item",
]

pytestmark = pytest.mark.trust

SEED = 20261123
QUEUE = "tellback.intake"


@dataclass
class Behind(Queues):
    """The database behind the broker: asked after everything that was acknowledged has been stored."""

    door: "BrokerDoor | None" = None

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if self.door:
            self.door.settle()
        return super().rows(query, parameters)


@dataclass
class BrokerDoor(Door):
    """A web process before a broker, and the process that stores what the broker has."""

    consumer: Process | None = None
    unsettled: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: dict[str, Any], *, key: str = "") -> httpx.Response:
        self.unsettled = True
        return super().post(body, key=key)

    def start_consumer(self) -> None:
        self.consumer = self.installation.start("consume")

    def kill_consumer(self) -> None:
        assert self.consumer
        self.consumer.kill()
        self.consumer.wait()

    def settle(self) -> None:
        """Wait for a last message of each workspace: the consumer stores in the order in which messages come."""
        with self.lock:
            if not self.unsettled:
                return
            self.unsettled = False
            fences = [payload(content="Nothing comes after this.") for _ in range(2)]
            for fence, key in zip(fences, (self.key, self.foreign_key), strict=True):
                wait_until(lambda: Door.post(self, fence, key=key).status_code == 202, seconds=20, what="taken")  # noqa: B023
            wait_until(
                lambda: not not_stored(self.installation, [fence["idempotencyKey"] for fence in fences]),
                seconds=20,
                what="what the broker has is stored",
            )


def not_stored(installation: Installation, keys: Sequence[str]) -> set[str]:
    query = "SELECT external_id FROM raw_feedback_items WHERE external_id = ANY(%s)"
    return set(keys) - {row[0] for row in Queues(installation.environment["DATABASE_URL"]).rows(query, [list(keys)])}


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with running_node() as node:
        yield node


@pytest.fixture(scope="module")
def door(node: Node, migrated: Installation, queues: Queues) -> Iterator[BrokerDoor]:
    key, other_key = add_workspace(queues, "harbour", 2)
    (foreign_key,) = add_workspace(queues, "lantern", 1)
    migrated.environment["TELLBACK_BROKER_URL"] = node.url
    port = free_port()
    behind = Behind(queues.url)
    web = migrated.start("web", "--port", str(port))
    door = BrokerDoor(migrated, behind, port, key, other_key, foreign_key, web)
    door.start_consumer()
    behind.door = door
    wait_until(door.is_open, seconds=40, what="the web process listens")
    yield door
    for process in (door.process, door.consumer):
        assert process
        process.terminate()
    assert [process.wait(30) for process in (door.process, door.consumer) if process] == [0, 0]


@pytest.fixture(autouse=True)
def ready(door: BrokerDoor) -> None:
    """The broker may just have been started again."""

    def is_taken() -> bool:
        with suppress(httpx.HTTPError):
            return door.post(payload()).status_code == 202
        return False

    wait_until(is_taken, seconds=40, what="feedback is taken")


def beside(node: Node, act: Callable[[AbstractChannel], Awaitable[Any]]) -> None:
    """Do something to the broker directly, as whoever has its password could."""

    async def run() -> None:
        async with await aio_pika.connect(node.url) as connection, connection.channel() as channel:
            await act(channel)

    # In a thread of its own: the browser's tests leave a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


def put(node: Node, *bodies: bytes) -> None:
    """Write to the queue."""

    async def publish(channel: AbstractChannel) -> None:
        for body in bodies:
            message = aio_pika.Message(body, content_type="application/json", delivery_mode=2)
            await channel.default_exchange.publish(message, QUEUE)

    beside(node, publish)


#: So many seconds after its start a node has written down what it knows of its queue.
SETTLED = 20


@contextmanager
def senders(door: BrokerDoor, count: int = 4) -> Iterator[dict[str, set[str]]]:
    """So many clients that send, the same again until it is acknowledged, while the block runs: ids by key."""
    ledger: dict[str, set[str]] = {}
    ending = threading.Event()

    def send() -> None:
        while not ending.is_set():
            body = payload()
            # Not forever: where the door is to blame, the test fails, and ends.
            while not ending.is_set():
                try:
                    answer = door.post(body)
                except httpx.HTTPError:
                    time.sleep(0.02)
                    continue
                if answer.status_code in {200, 202}:
                    ledger.setdefault(body["idempotencyKey"], set()).add(answer.json()["id"])
                    break
                assert answer.status_code == 503, answer.text
                assert answer.headers["retry-after"]
                time.sleep(0.02)
            time.sleep(0.005)

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(send) for _ in range(count)]
        try:
            yield ledger
        finally:
            ending.set()
            for one in running:
                one.result()


def more(ledger: dict[str, set[str]], count: int) -> None:
    """Wait until so many more were acknowledged."""
    before = len(ledger)
    wait_until(lambda: len(ledger) >= before + count, seconds=30, what=f"{count} more are acknowledged")


@pytest.mark.timeout(180)
def test_what_the_broker_has_survives_kills_of_everything(door: BrokerDoor, node: Node) -> None:
    chance = random.Random(SEED)
    with senders(door) as ledger, ThreadPoolExecutor(1) as threads:
        more(ledger, chance.randrange(20, 60))
        door.kill_consumer()
        more(ledger, chance.randrange(20, 60))
        door.start_consumer()
        # RabbitMQ 3.10 that is killed seconds after it made a queue may never choose a leader of that again.
        wait_until(lambda: time.monotonic() > node.started + SETTLED, seconds=SETTLED + 5, what="the node has settled")
        node.kill()
        door.kill()
        starting = threads.submit(node.start)
        door.open()
        starting.result()
        more(ledger, chance.randrange(20, 60))
    assert {len(ids) for ids in ledger.values()} == {1}, SEED
    wait_until(lambda: not not_stored(door.installation, list(ledger)), seconds=30, what="all is stored")
    assert not_once(door, list(ledger)) == set()


@pytest.mark.timeout(120)
def test_without_the_database_known_keys_are_served_and_everything_arrives_once_when_it_is_back(
    door: BrokerDoor, database_url: str
) -> None:
    server = Server(database_url)
    body = payload()
    with senders(door) as ledger:
        more(ledger, 20)
        with server.killed():
            more(ledger, 40)
            first, again = door.post(body), door.post(body)
            stranger = door.post(payload(), key=f"tb_{uuid4().hex}")
            acknowledged = list(ledger)
            # What it holds, it has not acknowledged to the broker.
            door.kill_consumer()
        door.start_consumer()
        with server.paused():
            more(ledger, 40)
        more(ledger, 20)
    assert (first.status_code, again.status_code, stranger.status_code) == (202, 200, 503)
    assert first.json()["receipt"] == again.json()["receipt"]
    assert len(acknowledged) > 40
    keys = [*ledger, body["idempotencyKey"]]
    wait_until(lambda: not not_stored(door.installation, keys), seconds=40, what="all is stored")
    assert not_once(door, keys) == set()
    receipt = door.queues.rows(
        "SELECT receipt_token FROM raw_feedback_items WHERE external_id = %s", [body["idempotencyKey"]]
    )
    assert first.json()["receipt"].endswith(f"/r/{receipt[0][0]}")


def took(act: Callable[[], int]) -> tuple[int, float]:
    """What it gave and how many seconds that took."""
    began = time.monotonic()
    return act(), time.monotonic() - began


@pytest.mark.timeout(180)
@pytest.mark.parametrize("connected", [True, False])
def test_a_broker_that_stands_still_is_said_in_time_and_keeps_no_process_from_ending(
    door: BrokerDoor, node: Node, connected: bool
) -> None:
    if not connected:
        door.kill()
        door.kill_consumer()
    with node.paused():
        if not connected:
            door.open()
            door.start_consumer()
        for _ in range(2):
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: took(lambda: door.post(payload()).status_code), range(8)))
            assert {code for code, _ in answers} == {503}
            assert max(seconds for _, seconds in answers) < 3
        # Attempts to connect that were given up do not pile up.
        held = len(list(Path(f"/proc/{door.process.pid}/fd").iterdir()))
        assert held < 40
        assert door.consumer
        for process in (door.process, door.consumer):
            process.terminate()
        for process in (door.process, door.consumer):
            code, seconds = took(lambda: process.wait(60))  # noqa: B023
            assert code == 0
            assert seconds < 15
    door.open()
    door.start_consumer()
    body = payload()
    wait_until(lambda: door.post(body).status_code in {200, 202}, seconds=30, what="feedback is taken again")
    assert len(door.items(body["idempotencyKey"])) == 1


def test_what_cannot_be_stored_is_set_aside_and_holds_nothing_up(door: BrokerDoor, node: Node) -> None:
    body = payload(content="The one between the broken ones.")
    workspace, source = door.queues.rows(
        "SELECT s.workspace_id, s.id FROM feedback_sources s JOIN workspace w ON w.id = s.workspace_id "
        "WHERE w.slug = 'harbour'"
    )[0]
    lone = {"version": 1, "workspace": str(workspace), "rows": [{"id": str(uuid4()), "source_id": str(source)}]}
    newer = {"version": 99, "workspace": str(workspace), "rows": []}
    put(node, b"\xff no message", json.dumps(lone).encode(), json.dumps(newer).encode())
    assert door.post(body).status_code == 202
    assert len(door.items(body["idempotencyKey"])) == 1
    listed = json.loads(door.installation.run("jobs", "list", "--failed", "--json").stdout)
    errors = sorted(job["error"] for job in listed)
    assert [job["queue"] for job in listed] == ["feedback-ingest"] * 3
    assert "none that Tellback wrote" in "".join(errors)
    assert "version 99" in "".join(errors)
    assert "null value" in "".join(errors)
    job = next(str(job["id"]) for job in listed if "null value" in job["error"])
    assert lone["rows"][0]["id"] in door.installation.run("jobs", "show", job).stdout  # type: ignore[index]
    # The control: nothing was lost by it, and what is right is not set aside.
    assert not door.queues.rows("SELECT 1 FROM job_failure WHERE error LIKE %s", [f"%{body['idempotencyKey']}%"])


def test_what_the_broker_hands_out_again_counts_once(door: BrokerDoor, node: Node) -> None:
    workspace, source = door.queues.rows(
        "SELECT s.workspace_id, s.id FROM feedback_sources s JOIN workspace w ON w.id = s.workspace_id "
        "WHERE w.slug = 'harbour'"
    )[0]
    row = {
        "id": str(uuid4()), "source_id": str(source), "source_type": "api", "external_id": "again", "author": {},
        "content": {"text": "Twice."}, "context_envelope": {}, "channel": "in-app", "category": "bug",
        "severity": "low", "receipt_token": uuid4().hex, "silent": False, "now": "2026-11-20T10:00:00Z",
        "source_created_at": "2026-11-20T10:00:00Z", "scope": "k", "key": "again", "fingerprint": "f",
        "expires_at": "2026-11-21T10:00:00Z", "dedupe_key": "again",
    }  # fmt: skip
    message = json.dumps({"version": 1, "workspace": str(workspace), "rows": [row]}).encode()
    other = {**row, "id": str(uuid4()), "receipt_token": uuid4().hex, "dedupe_key": "other", "fingerprint": "g"}
    put(node, message, message, json.dumps({"version": 1, "workspace": str(workspace), "rows": [row, other]}).encode())
    door.unsettled = True
    # The other was acknowledged with a receipt of its own, so it is kept although its key was used before.
    assert {str(id) for (id,) in door.items("again")} == {row["id"], other["id"]}
    assert len(door.items("again")) == 2


KNOW_ADA = """
    INSERT INTO principal (id, workspace_id, type, role, display_name, email, company, plan, created_at, updated_at)
    SELECT gen_random_uuid(), id, 'user', 'user', '', 'ada@example.com', '', '', now(), now()
    FROM workspace WHERE slug = 'harbour'
"""


@pytest.mark.timeout(180)
def test_what_waits_in_the_broker_when_its_author_is_erased_arrives_without_their_words(door: BrokerDoor) -> None:
    def say(text: str) -> dict[str, Any]:
        author = {"email": "ada@example.com", "name": "Ada Marker"}
        return {"idempotencyKey": str(uuid4()), "content": text, "author": author}

    def send(body: dict[str, Any]) -> httpx.Response:
        door.unsettled = True
        with httpx.Client(trust_env=False, timeout=30) as client:
            headers = {"authorization": f"Bearer {door.key}"}
            return client.post(door.url.replace("/v1/", "/v2/"), json=body, headers=headers)

    door.queues.rows(KNOW_ADA)
    door.kill_consumer()
    before, after = say("The Marker of Ada."), say("Ada is back.")
    told = send(before)
    erased = door.installation.run("privacy", "erase", "ada@example.com", "--yes", "--workspace", "harbour")
    assert erased.returncode == 0, erased.stderr
    assert (told.status_code, send(after).status_code) == (202, 202)
    door.start_consumer()
    again = send(before)
    assert (again.status_code, again.json()["receipt"]) == (200, told.json()["receipt"])
    stored = door.queues.rows(
        "SELECT content->>'text', author::text, receipt_token, raw_feedback_items::text FROM raw_feedback_items "
        "WHERE source_created_at > now() - interval '1 hour' AND (content ? 'erased' OR content->>'text' LIKE %s)",
        ["Ada%"],
    )
    assert sorted(text for text, *_ in stored) == ["", "Ada is back."]
    ((_, author, token, row),) = [found for found in stored if not found[0]]
    assert (author, told.json()["receipt"].rsplit("/", 1)[1]) == ("{}", token)
    assert "Marker" not in row
    assert before["idempotencyKey"] not in row
    receipt = httpx.get(f"http://127.0.0.1:{door.port}/r/{token}", trust_env=False, timeout=30)
    assert (receipt.status_code, "erased" in receipt.text) == (200, True)


def test_a_queue_that_is_deleted_and_made_anew_at_once_is_heard_again(
    node: Node, wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ 3.10 left the consumer deaf each time, without a word: see `RabbitMQ._keep_listening`."""
    monkeypatch.setattr("tellback.edge.brokers.rabbitmq.SILENCE", 0.5)
    name, taken = "tellback.made_anew", set[bytes]()
    arguments: dict[str, Any] = {**ARGUMENTS, "x-queue-type": "quorum"}

    async def take(body: bytes) -> None:
        taken.add(body)

    async def arrival_of(edge: Broker, *bodies: bytes) -> None:
        for body in bodies:
            with suppress(Unavailable):
                await edge.publish(body)
                continue
            await edge.publish(body)
        async with asyncio.timeout(15):
            while not taken.issuperset(bodies):
                await asyncio.sleep(0.01)

    async def make_anew(channel: AbstractChannel) -> None:
        beneath = await channel.get_underlay_channel()
        await beneath.queue_delete(name)
        await beneath.queue_declare(name, durable=True, arguments=arguments)

    async def put_another_there(channel: AbstractChannel) -> None:
        beneath = await channel.get_underlay_channel()
        await beneath.queue_delete(name)
        await beneath.queue_declare(name)

    async def run() -> None:
        consumer, edge = (open_broker(read_address(node.url), queue=name, grace=1) for _ in range(2))
        await consumer.consume(take)
        await arrival_of(edge, b"one", b"two", b"three")
        await asyncio.to_thread(beside, node, make_anew)
        await arrival_of(edge, b"four")
        # One that it may not read takes the place of its queue for a while.
        await asyncio.to_thread(beside, node, put_another_there)
        await asyncio.sleep(2)
        await asyncio.to_thread(beside, node, lambda channel: channel.queue_delete(name))
        await arrival_of(edge, b"five")
        # Silence alone, for several times as long as it is borne, costs nothing.
        await asyncio.sleep(2)
        await arrival_of(edge, b"six")
        await edge.close()
        await consumer.close()

    wait_for(run())
