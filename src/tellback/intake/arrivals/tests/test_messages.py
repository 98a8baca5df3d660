"""What stands in a message."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.arrivals.messages import FULL, read_message, write_messages, write_row
from tellback.kernel.errors import Invalid

WORKSPACE = UUID(int=7)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def row(text: str = "Rows are missing.") -> dict[str, Any]:
    return {"id": uuid4(), "content": {"text": text}, "now": NOW}


@given(st.lists(st.integers(0, 2 * FULL), max_size=8))
def test_rows_come_out_as_they_went_in_whatever_their_sizes(sizes: list[int]) -> None:
    rows = [row("x" * size) for size in sizes]
    messages = list(write_messages(WORKSPACE, [write_row(one) for one in rows]))
    read = [read_message(body) for body in messages]
    assert {message.workspace_id for message in read} <= {WORKSPACE}
    back = [one for message in read for one in message.rows]
    assert [one["id"] for one in back] == [str(one["id"]) for one in rows]
    assert [one["content"] for one in back] == [one["content"] for one in rows]
    assert all(len(message.rows) == 1 or len(body) < FULL + 1_000 for message, body in zip(read, messages, strict=True))


def test_ids_are_read_in_one_form() -> None:
    id = uuid4()
    (body,) = write_messages(WORKSPACE, [write_row({"id": id.hex.upper()})])
    assert read_message(body).rows[0]["id"] == str(id)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"7",
        b'{"version": 1}',
        b'{"version": 1, "workspace": "nobody", "rows": []}',
        b'{"version": 1, "workspace": "00000000-0000-0000-0000-000000000007", "rows": 3}',
        b'{"version": 1, "workspace": "00000000-0000-0000-0000-000000000007", "rows": ["row"]}',
        b'{"version": 1, "workspace": "00000000-0000-0000-0000-000000000007", "rows": [{"id": "x"}]}',
        b'{"version": 1, "workspace": "00000000-0000-0000-0000-000000000007", "rows": [{}]}',
        b"[" * 100_000,
    ],
)
def test_what_tellback_did_not_write_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid, match="none that Tellback wrote"):
        read_message(body)


def test_another_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(Invalid, match=r"version 2.*same version of Tellback"):
        read_message(b'{"version": 2, "workspace": "x", "rows": []}')
