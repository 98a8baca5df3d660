"""How many requests the door works on at once."""

from collections.abc import Callable
from typing import Any

import pytest

from tellback.edge.room import LARGE, LARGE_TAKES, Room
from tellback.kernel.errors import Unavailable


def sending(*chunks: bytes) -> Callable[[], Any]:
    """A request whose body comes in these chunks."""
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def test_a_request_has_its_place_from_its_last_byte_until_it_is_answered(wait_for: Callable[..., Any]) -> None:
    room = Room(2)
    with room.place(sending(b"a", b"b")) as receive:
        wait_for(receive())
        assert room.taken == 0, "a slow sender keeps nobody out"
        wait_for(receive())
        assert room.taken == 1
    assert room.taken == 0


def test_beyond_its_size_it_sends_away_and_says_when_to_come_back(wait_for: Callable[..., Any]) -> None:
    room = Room(1)
    with room.place(sending(b"a")) as first:
        wait_for(first())
        with room.place(sending(b"b")) as second, pytest.raises(Unavailable) as refused:
            wait_for(second())
        assert refused.value.retry_after > 0
        assert room.taken == 1, "who was sent away had no place to give back"
    with room.place(sending(b"c")) as third:
        wait_for(third())


def test_a_large_request_takes_as_much_room_as_its_work(wait_for: Callable[..., Any]) -> None:
    room = Room()
    with room.place(sending(b"a" * LARGE, b"a")) as receive:
        wait_for(receive())
        wait_for(receive())
        assert room.taken == LARGE_TAKES
    assert room.taken == 0
