"""The database stands still, dies and comes back: senders are told at once, and nothing acknowledged is lost."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest

from tests.harness.postgres import Server
from tests.harness.processes import Installation, Queues, lasting, wait_until
from tests.trust.test_intake import Door, add_workspace, not_once, open_door, payload

pytestmark = pytest.mark.trust

#: Seconds. Three are promised, and held to at full length, on a machine that does nothing else.
TOLD_WITHIN = lasting(5, full=3)
WITHOUT_DATABASE = ("/livez", "/metrics")
API = "/api/v1/feedback/raw_fb_01h455vb4pex5vsknk084sn02q"
#: A job that needs no more connections than the worker has.
DELIVER = """
    INSERT INTO procrastinate_jobs (task_name, queue_name, args, priority)
    SELECT 'effects.deliver', 'effects', jsonb_build_object('workspace_id', id), 0 FROM workspace LIMIT 1 RETURNING id
"""
#: Clients that send, one request after the other each.
SENDERS = 4
IS_DONE = "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'succeeded'"


@pytest.fixture(scope="module")
def server(database_url: str) -> Iterator[Server]:
    yield Server(database_url)


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    key, other_key = add_workspace(queues, "harbour", 2)
    made = open_door(migrated, queues, key=key, other_key=other_key)
    worker = migrated.start("worker", "--queues", "effects")
    wait_until(lambda: queues.rows("SELECT 1 FROM procrastinate_workers"), seconds=60, what="the worker works")
    yield made
    for process in (made.process, worker):
        process.terminate()
        process.wait(30)


@dataclass
class Answer:
    """How a request ended: status (0 without an answer), seconds, and what the answer said."""

    status: int
    seconds: float
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    text: str = ""


@dataclass
class Ledger:
    """What senders sent, how each request ended, and the ids that they were told by key."""

    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)


def ask(act: Callable[[], httpx.Response]) -> Answer:
    began = time.monotonic()
    try:
        answer = act()
    except httpx.HTTPError:
        return Answer(0, time.monotonic() - began)
    return Answer(answer.status_code, time.monotonic() - began, answer.headers, answer.text)


@contextmanager
def senders(door: Door, count: int = SENDERS) -> Iterator[Ledger]:
    """So many clients that send one after the other while the block runs."""
    ledger, ending = Ledger(), threading.Event()

    def send(key: str) -> None:
        while not ending.is_set():
            body = payload()
            ledger.bodies.append((key, body))
            answer = ask(lambda: door.post(body, key=key))  # noqa: B023 - called at once
            if answer.status in {200, 202}:
                ledger.acknowledged[body["idempotencyKey"]] = json.loads(answer.text)["id"]
            ledger.answers.append(answer)

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(send, (door.key, door.other_key)[number % 2]) for number in range(count)]
        try:
            yield ledger
        finally:
            ending.set()
            for one in running:
                one.result()


def get(door: Door, path: str) -> Answer:
    headers = {"authorization": f"Bearer {door.key}"} if path.startswith("/api/") else {}
    with httpx.Client(trust_env=False, timeout=15, headers=headers) as client:
        return ask(lambda: client.get(f"http://127.0.0.1:{door.port}{path}"))


def ask_all(door: Door) -> dict[str, Answer]:
    """One request to each kind of address, at once."""
    paths = (*WITHOUT_DATABASE, "/readyz", "/", "/sign-in/login/", API)
    with ThreadPoolExecutor(len(paths)) as pool:
        return dict(zip(paths, pool.map(lambda path: get(door, path), paths), strict=True))


def require_clear_refusals(door: Door, ledger: Ledger) -> None:
    """Every sender and every visitor is told to come back, soon and in its own language; only the process lives."""
    seen = len(ledger.answers)
    for _ in range(2):
        answers = ask_all(door)
        assert {path: answer.status for path, answer in answers.items()} == {
            path: 200 if path in WITHOUT_DATABASE else 503 for path in answers
        }
        assert max(answer.seconds for answer in answers.values()) < TOLD_WITHIN, answers
        page, api = answers["/"], answers[API]
        assert "does not answer" in page.text
        assert page.headers["content-type"].startswith("text/html")
        assert api.headers["content-type"] == "application/problem+json"
        assert page.headers["retry-after"] == api.headers["retry-after"]
    wait_until(lambda: len(ledger.answers) >= seen + 8, seconds=20, what="the senders were answered")
    # What each sender had under way may have been stored just before, and its answer noted late.
    answered = ledger.answers[seen:]
    assert sum(answer.status == 202 for answer in answered) <= SENDERS
    refused = [answer for answer in answered if answer.status != 202]
    assert {(answer.status, bool(answer.headers.get("retry-after"))) for answer in refused} == {(503, True)}
    assert max(answer.seconds for answer in ledger.answers[seen:]) < TOLD_WITHIN


def require_health(door: Door, ledger: Ledger) -> None:
    """All is well again, by itself."""
    wait_until(lambda: get(door, "/readyz").status == 200, seconds=20, what="ready again")
    told = len(ledger.acknowledged)
    wait_until(lambda: len(ledger.acknowledged) > told + 8, seconds=20, what="feedback is taken again")
    assert {path: answer.status for path, answer in ask_all(door).items()} == {
        **dict.fromkeys(WITHOUT_DATABASE, 200), "/readyz": 200, "/": 200, "/sign-in/login/": 200, API: 404,
    }  # fmt: skip


def require_prompt_refusal(door: Door, server: Server) -> None:
    """While the database stands still a sender is told in time, and of health what is true; then all is as before."""
    with server.paused(), ThreadPoolExecutor(3) as pool:
        asked = {path: pool.submit(get, door, path) for path in ("/readyz", "/livez")}
        sent = pool.submit(ask, lambda: door.post(payload()))
        answers = {"sent": sent.result(), **{path: one.result() for path, one in asked.items()}}
    wait_until(lambda: get(door, "/readyz").status == 200, seconds=20, what="ready again")
    wait_until(lambda: ask(lambda: door.post(payload())).status == 202, seconds=20, what="feedback is taken again")
    assert {path: answer.status for path, answer in answers.items()} == {"sent": 503, "/readyz": 503, "/livez": 200}
    assert max(answer.seconds for answer in answers.values()) < TOLD_WITHIN, answers


@pytest.mark.timeout(180)
def test_a_database_that_stands_still_or_dies_costs_a_moment_and_no_acknowledgement(
    door: Door, server: Server, queues: Queues
) -> None:
    with senders(door) as ledger:
        require_health(door, ledger)
        with server.paused():
            enough = time.monotonic() + lasting(0, full=30)
            require_clear_refusals(door, ledger)
            while time.monotonic() < enough:
                require_clear_refusals(door, ledger)
        require_health(door, ledger)
        with server.killed():
            require_clear_refusals(door, ledger)
        require_health(door, ledger)
    assert door.process.poll() is None, "the process that was started is the one that answers"
    assert not_once(door, list(ledger.acknowledged)) == set()
    refused = [(key, body) for key, body in ledger.bodies if body["idempotencyKey"] not in ledger.acknowledged]
    again = [door.post(body, key=key) for key, body in refused]
    assert {answer.status_code for answer in again} <= {200, 202}, "what was refused is taken when it is sent again"
    assert not_once(door, [body["idempotencyKey"] for _, body in ledger.bodies]) == set()
    job = queues.put("harness.effect", "effects", key="afterwards")
    wait_until(lambda: queues.job(job)[0] == "succeeded", seconds=40, what="the worker works again")


@contextmanager
def no_connection_left(queues: Queues) -> Iterator[psycopg.Connection[Any]]:
    """Somebody holds every connection that the server had left, also those kept for its superuser; one of them."""
    held: list[psycopg.Connection[Any]] = []
    try:
        while True:
            try:
                held.append(psycopg.connect(queues.url, autocommit=True))
            except psycopg.OperationalError as error:
                assert "too many clients" in str(error) or "remaining connection slots" in str(error)
                break
        yield held[0]
    finally:
        for connection in held:
            connection.close()


def require_bounded_wait(door: Door, queues: Queues, *, seconds: float) -> None:
    """With every connection taken and those of the web process held up, a visitor is refused within so many seconds."""
    with ThreadPoolExecutor(20) as visitors, no_connection_left(queues) as holder, holder.transaction():
        holder.execute("LOCK TABLE board IN ACCESS EXCLUSIVE MODE")
        waiting = [visitors.submit(get, door, "/") for _ in range(20)]
        wait_until(lambda: any(one.done() for one in waiting), seconds=seconds, what="a visitor is refused")


def test_without_a_connection_left_what_is_open_goes_on_and_the_rest_is_refused_in_time(
    door: Door, queues: Queues
) -> None:
    with senders(door) as ledger, ThreadPoolExecutor(20) as visitors:
        require_health(door, ledger)
        with no_connection_left(queues) as holder:
            told = len(ledger.acknowledged)
            # What every page reads stands locked, so the web process has soon lent all of its own connections.
            with holder.transaction():
                holder.execute("LOCK TABLE board IN ACCESS EXCLUSIVE MODE")
                waiting = [visitors.submit(get, door, "/") for _ in range(20)]
                wait_until(lambda: any(one.done() for one in waiting), seconds=20, what="a visitor is refused")
                ready, alive = get(door, "/readyz"), get(door, "/livez")
                refused = [one.result() for one in waiting if one.done()]
            assert (ready.status, alive.status) == (503, 200)
            assert {(answer.status, bool(answer.headers.get("retry-after"))) for answer in refused} == {(503, True)}
            assert max(answer.seconds for answer in refused) < 2 * TOLD_WITHIN
            assert {one.result().status for one in waiting} <= {200, 503}
            wait_until(lambda: len(ledger.acknowledged) > told + 8, seconds=20, what="feedback was taken meanwhile")
            row = holder.execute(DELIVER).fetchone()
            wait_until(lambda: holder.execute(IS_DONE, row).fetchone(), seconds=20, what="the worker works meanwhile")
        require_health(door, ledger)
    assert not_once(door, list(ledger.acknowledged)) == set()
