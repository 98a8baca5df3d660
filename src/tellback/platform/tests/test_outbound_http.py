"""What may be called: the internet, and what whoever runs the machine has named. Nothing of our own network else."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx
import pytest

from tellback.kernel.errors import Invalid
from tellback.platform.addresses import Allowed, ForbiddenAddress, check_url, is_public
from tellback.platform.outbound_http import TooLong, fetch, guarded_client


class Canary(BaseHTTPRequestHandler):
    """Notes who came."""

    hits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hits.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("location", "/there")
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/packed":
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(b"x" * (3_000_000 if self.path == "/endless" else 5))

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def canary() -> Iterator[int]:
    """The port of a server on loopback that notes who came."""
    Canary.hits.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


PRIVATE = [
    "127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0",
    "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "localhost", "LOCALHOST", "localhost.", "127。0。0。1", "１２７.0.0.1", "169.254.169.254",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "224.0.0.1",
    "[ff02::1]", "192.0.2.1", "198.18.0.1", "240.0.0.1", "255.255.255.255",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_of_a_private_address_is_called(canary: int, host: str) -> None:
    with (
        guarded_client(allowed=Allowed()) as client,
        pytest.raises((ForbiddenAddress, httpx.HTTPError, httpx.InvalidURL)),
    ):
        fetch(client, "GET", f"http://{host}:{canary}/", seconds=2, max_bytes=100)
    assert Canary.hits == []


def test_a_named_host_is_called_and_a_redirect_is_not_followed(canary: int) -> None:
    for entry in ("127.0.0.1", f"127.0.0.1:{canary}", "127.0.0.0/8"):
        with guarded_client(allowed=Allowed.parse([entry])) as client:
            assert fetch(client, "GET", f"http://127.0.0.1:{canary}/", seconds=2, max_bytes=100).body == b"xxxxx"
            assert fetch(client, "GET", f"http://127.0.0.1:{canary}/away", seconds=2, max_bytes=100).status == 302
    assert "/there" not in Canary.hits


def test_another_port_of_a_named_host_is_not_called(canary: int) -> None:
    with guarded_client(allowed=Allowed.parse(["127.0.0.1:1"])) as client, pytest.raises(ForbiddenAddress):
        fetch(client, "GET", f"http://127.0.0.1:{canary}/", seconds=2, max_bytes=100)


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    canary: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    connected: list[str] = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address[0])
        raise OSError("not out there in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with guarded_client(allowed=Allowed()) as client:
        with pytest.raises(httpx.TransportError):
            fetch(client, "GET", f"http://rebinding.example:{canary}/", seconds=2, max_bytes=100)
        with pytest.raises(ForbiddenAddress):
            fetch(client, "GET", f"http://rebinding.example:{canary}/", seconds=2, max_bytes=100)
    assert connected == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with guarded_client(allowed=Allowed()) as client, pytest.raises(ForbiddenAddress):
        fetch(client, "GET", "http://half.example/", seconds=2, max_bytes=100)


def test_a_long_or_packed_answer_is_cut_off(canary: int) -> None:
    with guarded_client(allowed=Allowed.parse(["127.0.0.1"])) as client:
        for path in ("/endless", "/packed"):
            with pytest.raises(TooLong):
                fetch(client, "GET", f"http://127.0.0.1:{canary}{path}", seconds=5, max_bytes=100_000)


def test_a_public_address_is_public_and_its_disguises_are_seen_through() -> None:
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:2800:220:1:248:1893:25c8:1946"))
    assert is_public(ipaddress.ip_address("64:ff9b::5db8:d822"))
    assert not is_public(ipaddress.ip_address("64:ff9b::a00:1"))


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "https://a:b@x", "http://x:99999", "//x", "https://x?y=1"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url)


def test_a_usable_address_loses_its_last_slash() -> None:
    assert check_url(" https://api.example.com/v1/ ") == "https://api.example.com/v1"


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "a b/c", "http://x", ":80", "user@x"])
def test_an_entry_that_names_nothing_is_refused(entry: str) -> None:
    with pytest.raises(Invalid):
        Allowed.parse([entry])
