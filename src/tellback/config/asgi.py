"""The ASGI application: the thin intake door beside Django, in one process on one port."""

import contextlib
import gc
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from django.core.asgi import get_asgi_application
from prometheus_client import Histogram

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tellback.config.settings")
_application = get_asgi_application()

from django.conf import settings  # noqa: E402 - after Django is set up

from tellback.api.metrics import INTAKE, REQUESTS  # noqa: E402
from tellback.config.brokers import open_configured_broker  # noqa: E402
from tellback.config.pages import Pages  # noqa: E402
from tellback.config.settings import OPTIONS  # noqa: E402
from tellback.edge.app import PATHS, Edge, EdgeOptions  # noqa: E402
from tellback.edge.people import know_digest_key  # noqa: E402
from tellback.kernel.errors import TellbackError  # noqa: E402
from tellback.platform.database import conninfo  # noqa: E402
from tellback.platform.loop_config import get_loop_config  # noqa: E402

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_edge: list[Edge] = []
_pages = Pages(_application, conninfo=conninfo())


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Sends intake to the edge and everything else to Django; whether the process lives, it says itself."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] != "http":
        return
    elif scope["path"] == "/livez":
        await _alive(send)
    else:
        await _measured(scope, receive, send)


async def _measured(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    began = time.perf_counter()
    intake = scope["path"].removesuffix("/") in PATHS
    codes = ["000"]

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            codes[0] = str(message["status"])
        await send(message)

    try:
        if intake:
            await _edge[0](scope, receive, note)
        else:
            await _pages(scope, receive, note)
    finally:
        method = scope["method"] if scope["method"] in METHODS else "other"
        _duration("intake" if intake else "pages", method, codes[0]).observe(time.perf_counter() - began)
        if intake:
            INTAKE.labels(codes[0]).inc()


@lru_cache
def _duration(door: str, method: str, code: str) -> Histogram:
    return REQUESTS.labels(door, method, code)


async def _alive(send: Send) -> None:
    """Needs no thread and no database, so it answers while both are stuck."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status": "ok"}'})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    options = EdgeOptions.of(get_loop_config(), base_url=settings.BASE_URL)
    edge = Edge(conninfo=conninfo(), options=options, broker=open_configured_broker(OPTIONS))
    edge.start()
    with contextlib.suppress(TellbackError):
        await know_digest_key()
    _edge[:] = [edge]
    _spare_the_collector()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await edge.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _spare_the_collector() -> None:
    """Django's own objects live as long as the process: looking through them again would hold up requests for 50 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
