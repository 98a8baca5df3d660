"""The door before Django: bodies have a limit, and a silent database costs a visitor seconds, not for ever."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tellback.config import pages
from tellback.config.pages import LIMITS, Pages

NOWHERE = "postgresql:///nothing?host=/nonexistent"


async def ask(
    door: Pages, *, path: str = "/", chunks: int = 1, size: int = 10, headers: list[Any] | None = None
) -> list[dict[str, Any]]:
    """Send a body in chunks of this size; what was answered."""
    left = chunks
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b"x" * size, "more_body": left > 0}

    async def send(message: Any) -> None:
        answered.append(message)

    await door({"type": "http", "method": "POST", "path": path, "headers": headers or []}, receive, send)
    return answered


async def reads_everything(_scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.mark.parametrize(("path", "limit"), LIMITS)
def test_a_body_is_read_up_to_the_limit_of_its_address_and_not_beyond(
    wait_for: Callable[..., Any], path: str, limit: int
) -> None:
    door, half = Pages(reads_everything, conninfo=NOWHERE), limit // 2
    taken = wait_for(ask(door, path=path, chunks=2, size=half))
    assert taken[0]["status"] == 200
    assert taken[1]["body"] == str(limit).encode()
    assert [one.get("status") for one in wait_for(ask(door, path=path, chunks=10**9, size=half))] == [413, None]
    stated = [(b"content-length", str(limit + 1).encode())]
    assert wait_for(ask(door, path=path, headers=stated))[0]["status"] == 413


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/api/v1/feedback", "application/problem+json"),
        ("/readyz", "application/json"),
    ],
)
def test_a_page_that_waits_for_a_silent_database_is_given_up(
    wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, path: str, media_type: str
) -> None:
    monkeypatch.setattr(pages, "DOUBT", 0.02)
    begun = 0

    async def waits(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def two_visits() -> list[list[dict[str, Any]]]:
        door = Pages(waits, conninfo=NOWHERE)
        answers = [await ask(door, path=path) for _ in range(2)]
        await asyncio.sleep(0.3)
        return answers

    for answered in wait_for(two_visits()):
        assert [one.get("status") for one in answered] == [503, None], "its own answer comes too late"
        assert dict(answered[0]["headers"])[b"content-type"] == media_type.encode()
    assert begun == 1, "the second one does not even begin"


def test_what_needs_no_database_is_answered_while_it_is_away(
    wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "DOUBT", 0.02)

    async def answers_some(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def visits() -> list[int]:
        door = Pages(answers_some, conninfo=NOWHERE)
        return [(await ask(door, path=path))[0]["status"] for path in ("/", "/metrics", "/")]

    assert wait_for(visits()) == [503, 200, 503]


def test_a_page_that_only_takes_long_is_waited_for(
    wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """The control of the test above."""
    monkeypatch.setattr(pages, "DOUBT", 0.02)

    async def takes_long(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    answered = wait_for(ask(Pages(takes_long, conninfo=database_url)))
    assert [one["status"] for one in answered] == [200]
