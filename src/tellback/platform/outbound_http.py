"""Calling out over HTTP to addresses that people typed: never to our own network, never for ever. No Django.

Connections go to the very address that was checked. Redirects are not followed, the environment's proxies are not used.
"""

import contextlib
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from tellback.kernel.errors import Invalid, Unavailable
from tellback.platform.addresses import Allowed, ForbiddenAddress, find_addresses

CONNECT_SECONDS = 5.0


class TooLong(Unavailable):
    """The other side sent more than is read, or packed what was not to be packed."""

    code = "answer-too-long"


class _Backend(httpcore.NetworkBackend):
    """Connections to checked addresses only."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers. Raises `ForbiddenAddress` if any may not be called."""
        try:
            addresses = find_addresses(host, port, allowed=self._allowed)
        except ForbiddenAddress:
            raise
        except Invalid as error:
            raise httpcore.ConnectError(error.detail) from error
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class GuardedTransport(httpx.BaseTransport):
    """httpx's way out, through connections to checked addresses only."""

    def __init__(self, allowed: Allowed, *, connections: int) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=20,
            network_backend=_Backend(allowed),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises `ForbiddenAddress`, and httpx's errors."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        asked = httpcore.Request(
            method=request.method,
            url=url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx_errors():
            answer = self._pool.handle_request(asked)
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(
            status_code=answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    """The body as it comes in."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextlib.contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.TimeoutException(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError) as error:
        raise httpx.TransportError(str(error)) from error


def guarded_client(*, allowed: Allowed, connections: int = 8) -> httpx.Client:
    """A client for addresses that people typed. It follows no redirect and reads no proxy from the environment."""
    return httpx.Client(
        transport=GuardedTransport(allowed, connections=connections), follow_redirects=False, trust_env=False
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, within its bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Sequence[tuple[str, str]] = (),
    content: bytes | None = None,
    seconds: float,
    max_bytes: int,
) -> Reply:
    """One request and its whole answer, in `seconds` altogether and `max_bytes` at most.

    Raises `TooLong`, `ForbiddenAddress`, and httpx's errors when there is no whole answer in time.
    """
    until = time.monotonic() + seconds
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    asked = [*headers, ("accept-encoding", "identity")]
    with client.stream(method, url, headers=asked, content=content, timeout=timeout) as answer:
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise TooLong("The answer came packed, which was not asked for.")
        body = bytearray()
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > max_bytes:
                raise TooLong(f"The answer was longer than {max_bytes:,} bytes.")
            if time.monotonic() > until:
                raise httpx.ReadTimeout(f"The answer took longer than {seconds:g} seconds.")
        return Reply(answer.status_code, dict(answer.headers), bytes(body))
