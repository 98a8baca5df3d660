"""The ASGI application: the thin intake door beside Django, in one process on one port."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tellback.config.settings")
_django = get_asgi_application()

from django.conf import settings  # noqa: E402 - after Django is set up

from tellback.config.database import conninfo  # noqa: E402
from tellback.edge.app import Edge, EdgeOptions  # noqa: E402

Message = MutableMapping[str, Any]
EDGE_PATHS = frozenset({"/v1/feedback", "/v1/feedback/"})
_edge: list[Edge] = []


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Sends intake to the edge and everything else to Django."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http" and scope["path"] in EDGE_PATHS:
        await _edge[0](scope, receive, send)
    else:
        await _django(scope, receive, send)  # type: ignore[arg-type]


async def _live(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    await receive()
    edge = Edge(conninfo=conninfo(settings.DATABASES["default"]), options=EdgeOptions(base_url=settings.BASE_URL))
    edge.start()
    _edge[:] = [edge]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await edge.stop()
    await send({"type": "lifespan.shutdown.complete"})
