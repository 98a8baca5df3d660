"""Senders that never end, never begin or mean harm cost the door nothing that others would miss (ING-09, ING-10)."""

import gzip
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import ROOT, Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace

pytestmark = pytest.mark.trust

#: The web process as it is, with less patience, so that the tests need not wait for it.
HURRIED = """
import sys
from tellback.config import http
http.HEAD_SECONDS, http.BODY_SECONDS = 1.0, 1.5
from tellback.cli.main import run
sys.argv[0] = "tellback"
run()
"""
DOORS = ["/v1/feedback", "/v2/feedback", "/v2/feedback/batch"]
LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "harbour", 1)
    port = free_port()
    with migrated.log.open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", HURRIED, "web", "--port", str(port)],
            env=migrated._environment(),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    migrated.processes.append(process)
    made = Door(migrated, queues, port, key, "", "", process)
    wait_until(made.is_open, seconds=40, what="the web process listens")
    # What a page needs is loaded with the first one: that is no growth by hostile senders.
    with httpx.Client(trust_env=False, timeout=30) as client:
        client.get(f"http://127.0.0.1:{port}/")
    yield made
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def memory(door: Door, figure: str) -> int:
    """A figure of the process's memory, in KB: VmRSS now, VmHWM the most since it was last set back."""
    status = Path(f"/proc/{door.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(figure)).split()[1])


class growth:
    """By how many KB the process grew at most within the block."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def __enter__(self) -> "growth":
        Path(f"/proc/{self.door.process.pid}/clear_refs").write_text("5")
        self.before = memory(self.door, "VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.kilobytes = memory(self.door, "VmHWM") - self.before


def good(door: Door) -> float:
    """Send something ordinary; how long it took."""
    began = time.perf_counter()
    with httpx.Client(trust_env=False, timeout=15) as client:
        answer = client.post(
            f"http://127.0.0.1:{door.port}/v2/feedback",
            json={"content": "Fine.", "idempotencyKey": str(uuid4())},
            headers={"authorization": f"Bearer {door.key}"},
        )
    assert answer.status_code == 202
    return time.perf_counter() - began


@contextmanager
def others_served(door: Door) -> Iterator[None]:
    """Within the block somebody else sends something ordinary all the time, and is answered in time."""
    ending, took = threading.Event(), list[float]()

    def send() -> None:
        while not ending.is_set():
            took.append(good(door))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        try:
            yield
        finally:
            ending.set()
            sending.result()
    assert took
    assert max(took) < 2


def head(door: Door, path: str, **more: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {door.key}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def open_socket(door: Door) -> socket.socket:
    return socket.create_connection(("127.0.0.1", door.port), timeout=15)


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except (ConnectionError, TimeoutError):
        pass
    return received


def post(door: Door, path: str, content: bytes, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=15) as client:
        return client.post(
            f"http://127.0.0.1:{door.port}{path}",
            content=content,
            headers={"authorization": f"Bearer {door.key}", "content-type": "application/json", **headers},
        )


ITEM = b'{"idempotencyKey": "550e8400-e29b-41d4-a716-446655440000", "content": "x", "context": {"metadata": {"a": '
BODIES: dict[str, bytes] = {
    "ten thousand deep": b"[" * 10_000 + b"]" * 10_000,
    "deep inside": ITEM + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}}}",
    "NaN": ITEM + b"NaN}}}",
    "infinity": ITEM + b"-Infinity}}}",
    "beyond every number": ITEM + b"1e400}}}",
    "an integer of a hundred thousand digits": ITEM + b"9" * 100_000 + b"}}}",
    "a name twice": ITEM + b'1, "a": 2}}}',
    "half a character": ITEM + b'"\\ud800"}}}',
    "a hundred thousand empty objects": b"[" + b"{}," * 60_000 + b"{}]",
    "a hundred thousand names": b"{" + b",".join(b'"%d":0' % n for n in range(20_000)) + b"}",
    "a word of two hundred thousand letters": json.dumps({"content": "a" * 200_000}).encode(),
    "escapes": json.dumps({"content": "\u00e9" * 40_000}).encode(),
}


def work_of(door: Door) -> float:
    """Seconds that the web process has computed: what a body costs, however busy the machine is."""
    fields = Path(f"/proc/{door.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
def test_a_body_that_means_harm_is_refused_quickly(door: Door, path: str, content: bytes) -> None:
    before = work_of(door)
    answer = post(door, path, content)
    assert 400 <= answer.status_code < 500, answer.status_code
    assert answer.headers["content-type"] == "application/problem+json"
    assert work_of(door) - before < 2


def test_the_same_body_without_harm_is_taken(door: Door) -> None:
    """The control of the test above."""
    assert post(door, "/v2/feedback", ITEM + b"1}}}").status_code in {200, 202}


@pytest.mark.parametrize("path", DOORS)
def test_bombs_grow_the_process_by_less_than_64_megabytes(door: Door, path: str) -> None:
    good(door)
    largest = b"[" + b"{}," * 690_000 + b"{}]"
    packed = gzip.compress(bytes(100_000_000))
    with growth(door) as grown, others_served(door):
        for content in (*BODIES.values(), largest, b"[" + b"[]," * 690_000 + b"[]]", bytes(5_000_000)):
            assert 400 <= post(door, path, content).status_code < 500
        assert post(door, path, packed, **{"content-encoding": "gzip"}).status_code in {413, 415}
    assert grown.kilobytes < LIMIT
    good(door)


def test_that_others_wait_is_noticed(door: Door) -> None:
    """The control of the test above: a process that stands still for two seconds."""
    with pytest.raises(AssertionError), others_served(door):
        os.kill(door.process.pid, signal.SIGSTOP)
        time.sleep(2.1)
        os.kill(door.process.pid, signal.SIGCONT)


def test_growth_is_noticed(door: Door) -> None:
    """The control of the test above: a form that is kept in memory while it is read shows in the figure."""
    with growth(door) as grown:
        files = [("f", (f"{n}.webm", b"\x1a\x45\xdf\xa3webm" + os.urandom(4_900_000), "video/webm")) for n in range(5)]
        with httpx.Client(trust_env=False, timeout=30) as client:
            answer = client.post(
                f"http://127.0.0.1:{door.port}/v2/feedback",
                data={"feedback": json.dumps({"content": "x", "idempotencyKey": str(uuid4())})},
                files=files,
                headers={"authorization": f"Bearer {door.key}"},
            )
    assert answer.status_code == 202
    assert grown.kilobytes > 10_000


@pytest.mark.parametrize("path", [*DOORS, "/", "/sign-in/login/", "/api/v1/feedback"])
def test_an_endless_body_is_cut_off_while_it_is_read(door: Door, path: str) -> None:
    send_endlessly(door, path)


def send_endlessly(door: Door, path: str) -> None:
    """Send a body that does not end; the door says so early, and does not grow."""
    with growth(door) as grown, open_socket(door) as connection:
        connection.sendall(head(door, path, content_type="application/json", transfer_encoding="chunked"))
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(400):
                connection.sendall(chunk)
        except ConnectionError:
            pass
        connection.settimeout(2)
        assert rest_of(connection).startswith(b"HTTP/1.1 413")
    assert grown.kilobytes < LIMIT


def test_a_head_that_never_ends_is_cut_off(door: Door) -> None:
    with growth(door) as grown, open_socket(door) as connection:
        connection.sendall(b"POST /v2/feedback HTTP/1.1\r\nx: ")
        try:
            for _ in range(1000):
                connection.sendall(b"a" * 65536)
        except ConnectionError:
            pass
    assert grown.kilobytes < LIMIT
    good(door)


@pytest.mark.parametrize("length", ["1000000000000", "-1", "1e9", "12abc", "99999999999999999999999999"])
def test_a_length_that_lies_gets_an_answer_and_no_memory(door: Door, length: str) -> None:
    with growth(door) as grown, open_socket(door) as connection:
        connection.sendall(head(door, "/v2/feedback", content_type="application/json", content_length=length))
        assert connection.recv(100).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert grown.kilobytes < LIMIT


def test_a_length_that_is_never_reached_is_waited_for_and_then_cut(door: Door) -> None:
    with open_socket(door) as connection:
        connection.sendall(head(door, "/v2/feedback", content_type="application/json", content_length="1000") + b"{")
        began = time.perf_counter()
        assert rest_of(connection).startswith(b"HTTP/1.1 408")
    assert 1 < time.perf_counter() - began < 6


def test_two_hundred_slow_senders_hold_nobody_up_and_are_sent_away(door: Door) -> None:
    require_slow_senders_to_be_sent_away(door, count=200, posts=40, seconds=12)


def require_slow_senders_to_be_sent_away(door: Door, *, count: int, posts: int, seconds: float) -> None:
    """So many sockets that say a byte now and then are closed in time, and others are served as before meanwhile."""
    calm = statistics.quantiles([good(door) for _ in range(posts)], n=20)[18]
    ended: set[int] = set()

    def drip(started: list[socket.socket]) -> None:
        deadline = time.monotonic() + seconds
        while len(ended) < len(started) and time.monotonic() < deadline:
            for number, connection in enumerate(started):
                if number in ended:
                    continue
                connection.setblocking(False)
                try:
                    connection.send(b" ")
                    if connection.recv(1000):
                        ended.add(number)
                except BlockingIOError:
                    continue
                except OSError:
                    ended.add(number)
            time.sleep(0.2)

    with ExitStack() as sockets:
        started = [sockets.enter_context(open_socket(door)) for _ in range(count)]
        for number, connection in enumerate(started):
            if number % 2:
                connection.sendall(b"POST /v2/feedback HT")
            else:
                connection.sendall(head(door, "/v1/feedback", content_type="application/json", content_length="4000"))
        with ThreadPoolExecutor(1) as pool:
            dripping = pool.submit(drip, started)
            busy = [good(door) for _ in range(posts)]
            dripping.result()
    assert len(ended) == count, "slow senders are sent away"
    assert statistics.quantiles(busy, n=20)[18] < max(2 * calm, 0.25), ("others are served", calm, sorted(busy)[-3:])


def test_an_ordinary_connection_lives_through_many_requests_and_pauses(door: Door) -> None:
    """The control of the tests above: patience ends for what is under way only."""
    with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{door.port}") as client:
        for pause in (0.0, 0.0, 2.5, 0.0):
            time.sleep(pause)
            answer = client.post(
                "/v2/feedback",
                json={"content": "Fine.", "idempotencyKey": str(uuid4())},
                headers={"authorization": f"Bearer {door.key}"},
            )
            assert answer.status_code == 202
    request = head(door, "/v2/feedback", content_type="application/json", content_length="90")
    body: dict[str, Any] = {"content": "", "idempotencyKey": str(uuid4())}
    padded = json.dumps(body).encode().ljust(90)
    with open_socket(door) as connection:
        for part in (request[:20], request[20:], padded[:40], padded[40:]):
            connection.sendall(part)
            time.sleep(0.3)
        assert connection.recv(100).startswith(b"HTTP/1.1 422")
