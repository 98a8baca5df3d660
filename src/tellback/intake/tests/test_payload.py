"""What version 1 takes and refuses, and what happens to odd times and characters."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.edge.body import parse_v1
from tellback.edge.errors import BadJson
from tellback.intake.accept import CLOCK_LEEWAY, Submission, encode, prepare
from tellback.kernel.errors import Invalid
from tellback.kernel.ids import new_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "idempotencyKey": "550e8400-e29b-41d4-a716-446655440000",
    "userId": "u_123",
    "sessionId": None,
    "channel": "in-app",
    "category": "bug",
    "severity": "high",
    "content": "App crashes on checkout",
    "timestamp": "2024-01-15T10:00:00Z",
}


def parse(**changes: Any) -> Any:
    return parse_v1(json.dumps({**GOOD, **changes}).encode())


def pointer_of(**changes: Any) -> str:
    with pytest.raises(Invalid) as refusal:
        parse(**changes)
    return refusal.value.errors[0].pointer


def row_of(text: str = "Fine.", *, said_at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return prepare(
        Submission(source_id=uuid4(), source_type="api", channel="api", text=text, source_created_at=said_at, **more),
        now=NOW,
    )


def test_the_example_of_the_specification_is_taken() -> None:
    payload = parse()
    assert (payload.content, payload.severity) == ("App crashes on checkout", "high")


def test_severity_is_medium_when_nothing_is_said() -> None:
    without = {name: value for name, value in GOOD.items() if name != "severity"}
    assert parse_v1(json.dumps(without).encode()).severity == "medium"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"content": ""}, "/content"),
        ({"content": "   "}, "/content"),
        ({"content": "x" * 2001}, "/content"),
        ({"content": "a\x00b"}, "/content"),
        ({"content": 5}, "/content"),
        ({"channel": "fax"}, "/channel"),
        ({"severity": "urgent"}, "/severity"),
        ({"timestamp": "2024-01-15T10:00:00"}, "/timestamp"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"idempotencyKey": "7"}, "/idempotencyKey"),
        ({"surprise": 1}, "/surprise"),
        ({"metadata": {"surprise": 1}}, "/metadata/surprise"),
    ],
)
def test_what_the_schema_does_not_know_is_refused_with_a_pointer(changes: dict[str, Any], pointer: str) -> None:
    assert pointer_of(**changes) == pointer


def test_two_thousand_characters_are_taken() -> None:
    assert len(parse(content="é" * 2000).content) == 2000


@given(st.text(min_size=1, max_size=2000))
def test_any_text_is_taken_or_refused_and_what_is_taken_can_be_stored(text: str) -> None:
    try:
        payload = parse(content=text)
    except (Invalid, BadJson):
        return
    stored = json.loads(encode([row_of(payload.content)]))
    assert "\\u0000" not in json.dumps(stored)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises((Invalid, BadJson)):
        parse_v1(body)


def test_half_a_character_is_not_json() -> None:
    with pytest.raises(BadJson):
        parse_v1(json.dumps(GOOD).replace("App crashes", "\\ud800").encode())


@pytest.mark.parametrize(
    "said_at",
    [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC), NOW + timedelta(minutes=30)],
)
def test_a_time_that_cannot_be_is_replaced_by_ours_and_noted(said_at: datetime) -> None:
    row = row_of(said_at=said_at)
    assert row["source_created_at"] == NOW
    assert row["context_envelope"]["metadata"]["claimedTimestamp"] == said_at.isoformat()


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_no_time_lies_ahead_of_us(said_at: datetime) -> None:
    kept = row_of(said_at=said_at)["source_created_at"]
    assert kept <= NOW + CLOCK_LEEWAY
    assert kept in {said_at, NOW}


def test_private_data_is_gone_from_text_subject_and_metadata() -> None:
    row = row_of(
        "Write to ada@example.com",
        subject="Call ada@example.com",
        context={"metadata": {"pageUrl": "https://x.test/?mail=ada@example.com"}},
        external_url="https://x.test/ada@example.com",
        external_id=str(new_id()),
    )
    assert "ada@example.com" not in encode([row])
    assert "[email:1]" in row["content"]["text"]


def test_what_is_wrong_is_said_to_a_person() -> None:
    with pytest.raises(Invalid) as refusal:
        parse(colour="red")
    assert [(one.pointer, one.detail) for one in refusal.value.errors] == [("/colour", "There is no such field here")]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Dr. Ada Lovelace", "Dr. Ada Lovelace"),
        ("Ada (+49 30 901820)", "Ada ([phone:1])"),
        ("Ada bo@example.com", "Ada [email:1]"),
        ("ada@example.com", ""),
    ],
)
def test_what_is_private_in_an_authors_name_goes_and_the_name_stays(name: str, kept: str) -> None:
    row = row_of("It crashes", author={"name": name, "email": "ada@example.com"})
    assert row["author"] == {"name": kept, "email": "ada@example.com"}


def test_a_leap_second_is_refused_or_kept_but_never_breaks() -> None:
    try:
        assert parse(timestamp="2016-12-31T23:59:60Z").timestamp.year in {2016, 2017}
    except Invalid as refusal:
        assert refusal.errors[0].pointer == "/timestamp"
