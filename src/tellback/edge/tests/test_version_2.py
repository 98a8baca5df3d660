"""What version 2 takes, keeps and refuses."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.edge.body import check, parse_json, parse_v1
from tellback.edge.errors import BadJson
from tellback.edge.keys import OwnSource
from tellback.edge.payloads import Sender, agreed_key, submission_of_v1, submission_of_v2
from tellback.intake.accept import Submission, encode, prepare
from tellback.intake.schemas.v1 import Category, Channel, Severity
from tellback.intake.schemas.v2 import FeedbackV2
from tellback.kernel.errors import Invalid
from tellback.kernel.ids import to_public
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "550e8400-e29b-41d4-a716-446655440000"
V1: dict[str, Any] = {
    "idempotencyKey": KEY,
    "userId": "u_123",
    "sessionId": "s_9",
    "channel": "in-app",
    "category": "bug",
    "severity": "high",
    "content": "App crashes on checkout",
    "metadata": {"userAgent": "Firefox", "pageUrl": "https://shop.example/checkout", "appVersion": "2.1"},
    "timestamp": "2024-01-15T10:00:00Z",
}
FULL: dict[str, Any] = {
    "idempotencyKey": KEY,
    "content": "The export loses its last rows.",
    "subject": "Export",
    "language": "pt-BR",
    "rating": 2,
    "tags": ["export", "invoices", "export"],
    "externalUrl": "https://desk.example/tickets/7",
    "occurredAt": "2026-11-19T10:00:00+01:00",
    "author": {
        "name": "Ada Reis",
        "email": "ada@example.com",
        "externalUserId": "u_7",
        "attributes": {"team": "finance", "seats": 12},
    },
    "context": {
        "sourceChannel": {"id": "C1", "name": "#help", "permalink": "https://chat.example/C1"},
        "sourceTicket": {"id": "7", "status": "open", "tags": ["vip"], "customFields": {"area": {"code": 4}}},
        "sourceConversation": {"id": "9", "state": "open"},
        "thread": [{"id": "m1", "role": "agent", "sentAt": "2026-11-19T08:00:00Z", "text": "How can I help?"}],
        "customer": {"company": "Cais", "plan": "team", "mrr": 120.5},
        "pageContext": {"url": "https://app.example/export", "title": "Export"},
        "attachments": [{"name": "log.txt", "url": "https://files.example/log.txt", "sizeBytes": 10}],
        "metadata": {"featureFlags": ["new-export"]},
    },
}
API = OwnSource(UUID(int=1), "api", "API", enabled=True)
IOS = OwnSource(UUID(int=2), "api", "iOS app", enabled=True)
OLD = OwnSource(UUID(int=3), "api", "Old site", enabled=False)
WIDGET = OwnSource(UUID(int=4), "widget", "Widget", enabled=True)


def sender(kind: KeyKind = KeyKind.SECRET) -> Sender:
    holder = KeyHolder(uuid4(), uuid4(), kind, (), None)
    return Sender(holder, (API, IOS, OLD, WIDGET), timedelta(hours=24))


def read(body: dict[str, Any], *, kind: KeyKind = KeyKind.SECRET) -> Submission:
    payload = check(FeedbackV2, parse_json(json.dumps(body).encode()))
    return submission_of_v2(payload, sender(kind), key=KEY, now=NOW)


def pointers(body: dict[str, Any], *, kind: KeyKind = KeyKind.SECRET) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        read(body, kind=kind)
    return [error.pointer for error in refusal.value.errors]


def test_everything_that_version_2_knows_is_kept_where_document_3_has_it() -> None:
    row = prepare(read(FULL), now=NOW)
    assert row["author"] == FULL["author"]
    assert row["content"] == {"text": FULL["content"], "subject": "Export", "language": "pt-BR"}
    assert row["source_created_at"] == datetime.fromisoformat("2026-11-19T10:00:00+01:00")
    envelope = row["context_envelope"]
    assert envelope["tags"] == ["export", "invoices"]
    assert envelope["rating"] == 2
    assert {name: envelope[name] for name in FULL["context"]} == FULL["context"]


def test_a_body_of_version_1_says_the_same_to_version_2() -> None:
    first = submission_of_v1(parse_v1(json.dumps(V1).encode()), sender(), key=KEY)
    second = read(V1)
    for name in ("text", "channel", "category", "severity", "author", "context", "source_created_at", "source_id"):
        assert getattr(second, name) == getattr(first, name), name


SHORT = st.none() | st.text(max_size=50)
BODIES_OF_V1 = st.fixed_dictionaries(
    {
        "idempotencyKey": st.uuids().map(str),
        "channel": st.sampled_from(get_args(Channel)),
        "category": st.sampled_from(get_args(Category)),
        "content": st.text(min_size=1, max_size=2000),
        "timestamp": st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    },
    optional={
        "userId": SHORT,
        "sessionId": SHORT,
        "severity": st.sampled_from(get_args(Severity)),
        "metadata": st.none() | st.fixed_dictionaries({}, optional={"userAgent": SHORT, "screenshotBase64": SHORT}),
    },
)


@given(BODIES_OF_V1)
def test_whatever_version_1_takes_version_2_takes(body: dict[str, Any]) -> None:
    sent = json.dumps(body).encode()
    try:
        first = parse_v1(sent)
    except (Invalid, BadJson):
        return
    second = check(FeedbackV2, parse_json(sent))
    assert (second.content, second.timestamp) == (first.content, first.timestamp)


def test_a_text_alone_is_enough() -> None:
    submission = read({"content": "Lovely."})
    assert (submission.channel, submission.category, submission.severity) == ("api", "other", "medium")
    assert submission.source_created_at == NOW


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"content": "x" * 20_001}, "/content"),
        ({"content": " \n"}, "/content"),
        ({"content": "a\x00b"}, "/content"),
        ({"rating": 6}, "/rating"),
        ({"rating": "5"}, "/rating"),
        ({"rating": True}, "/rating"),
        ({"tags": ["ok", ""]}, "/tags/1"),
        ({"tags": ["x"] * 21}, "/tags"),
        ({"language": "a language"}, "/language"),
        ({"externalUrl": "javascript:alert(1)"}, "/externalUrl"),
        ({"author": {"email": "nobody"}}, "/author/email"),
        ({"author": {"principalId": "x"}}, "/author/principalId"),
        ({"author": {"attributes": {"a": "\x00"}}}, "/author/attributes"),
        ({"occurredAt": 1700000000}, "/occurredAt"),
        ({"occurredAt": "2026-11-19T10:00:00"}, "/occurredAt"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"context": {"thread": [{"id": "1", "text": "x"}]}}, "/context/thread/0/sentAt"),
        ({"context": {"customer": {"mrr": -1}}}, "/context/customer/mrr"),
        ({"context": {"customer": {"mrr": "12"}}}, "/context/customer/mrr"),
        ({"context": {"attachments": [{"name": "x", "url": "file:///etc/passwd"}]}}, "/context/attachments/0/url"),
        ({"context": {"sourceTicket": {"customFields": {"n": 2**70}}}}, "/context/sourceTicket/customFields"),
        ({"context": {"metadata": {"n": [0] * 501}}}, "/context/metadata"),
        ({"userId": "u_1", "author": {"externalUserId": "u_2"}}, "/userId"),
    ],
)
def test_what_version_2_does_not_know_is_refused_with_a_pointer(change: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers({"content": "Fine.", **change})


def test_every_wrong_field_is_named_at_once() -> None:
    assert set(pointers({"content": "", "rating": 9, "surprise": 1})) == {"/content", "/rating", "/surprise"}


def test_twenty_thousand_characters_are_taken() -> None:
    assert len(read({"content": "é" * 20_000}).text) == 20_000


def test_free_form_objects_may_be_nested_as_deep_as_is_kept_and_no_deeper() -> None:
    def nested(levels: int) -> dict[str, Any]:
        return {"in": nested(levels - 1)} if levels > 1 else {"end": "here"}

    kept = prepare(read({"content": "Fine.", "context": {"metadata": nested(8)}}), now=NOW)
    assert "here" in json.dumps(kept["context_envelope"])
    assert pointers({"content": "Fine.", "context": {"metadata": nested(9)}}) == ["/context/metadata"]


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null"])
def test_what_is_no_object_is_refused_as_a_whole(body: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(FeedbackV2, parse_json(body.encode()))
    assert [error.pointer for error in refusal.value.errors] == [""]


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "a", "content": "b"}',
        b'{"content": "a", "context": {"metadata": {"x": 1, "x": 2}}}',
        b'{"rating": NaN}',
        b'{"rating": Infinity}',
        b'{"rating": 1e400}',
        b'{"rating": ' + b"9" * 5000 + b"}",
        b'{"content": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[" * 200_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"",
        b"{} {}",
    ],
)
def test_what_is_no_json_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(BadJson, match="not valid JSON"):
        parse_json(body)


@given(st.text(min_size=1, max_size=3000))
def test_any_text_is_taken_or_refused_and_what_is_taken_can_be_stored(text: str) -> None:
    body = json.dumps({"content": text, "author": {"name": text}, "context": {"metadata": {text: text}}}).encode()
    try:
        payload = check(FeedbackV2, parse_json(body))
    except (Invalid, BadJson):
        return
    row = prepare(submission_of_v2(payload, sender(), key=KEY, now=NOW), now=NOW)
    assert "\\u0000" not in encode([row])


def test_a_leap_second_is_refused_or_kept_but_never_breaks() -> None:
    try:
        assert read({"content": "x", "occurredAt": "2016-12-31T23:59:60Z"}).source_created_at.year in {2016, 2017}
    except Invalid as refusal:
        assert refusal.errors[0].pointer == "/occurredAt"


@pytest.mark.parametrize("said_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2026-11-20T12:30:00Z"])
def test_a_time_that_cannot_be_is_replaced_by_ours_and_noted(said_at: str) -> None:
    row = prepare(read({"content": "x", "occurredAt": said_at}), now=NOW)
    assert row["source_created_at"] == NOW
    assert datetime.fromisoformat(row["context_envelope"]["metadata"]["claimedTimestamp"]) == (
        datetime.fromisoformat(said_at)
    )


@pytest.mark.parametrize("name", ["iOS app", "ios APP", str(IOS.id), to_public("fb_source", IOS.id)])
def test_a_servers_key_may_name_each_of_the_workspaces_own_sources(name: str) -> None:
    assert read({"content": "x", "source": name}).source_id == IOS.id


@pytest.mark.parametrize("name", ["Nowhere", "Old site", "5b6f5c0e-5f0e-4c43-9a39-0f3f7d9f6f11"])
def test_a_source_that_is_unknown_or_switched_off_is_refused(name: str) -> None:
    assert pointers({"content": "x", "source": name}) == ["/source"]


def test_a_widget_key_names_no_other_source_and_learns_of_none() -> None:
    assert read({"content": "x", "source": "Widget"}, kind=KeyKind.WIDGET).source_id == WIDGET.id
    with pytest.raises(Invalid) as refusal:
        read({"content": "x", "source": "iOS app"}, kind=KeyKind.WIDGET)
    assert "Old site" not in refusal.value.errors[0].detail


def test_private_data_is_gone_from_every_part_but_the_author() -> None:
    mail = "grace@example.com"
    context = {
        "thread": [{"id": "1", "sentAt": "2026-11-19T08:00:00Z", "text": f"I am {mail}", "authorEmail": mail}],
        "customer": {"email": mail},
        "metadata": {"deep": [{"er": f"mailto:{mail}"}]},
    }
    author = {"name": "Grace", "attributes": {"second": {"mail": mail}}}
    row = prepare(read({"content": f"Write to {mail}", "subject": mail, "context": context, "author": author}), now=NOW)
    assert mail not in encode([row])


@pytest.mark.parametrize(("body", "header", "agreed"), [(KEY, "", KEY), ("", KEY, KEY), (KEY, KEY.upper(), KEY)])
def test_the_key_may_stand_in_the_body_or_in_the_header(body: str, header: str, agreed: str) -> None:
    assert agreed_key(body, header) == agreed


@pytest.mark.parametrize(("body", "header"), [("", ""), (KEY, "another")])
def test_no_key_or_two_different_ones_are_refused(body: str, header: str) -> None:
    with pytest.raises(Invalid) as refusal:
        agreed_key(body, header)
    assert refusal.value.errors[0].pointer == "/idempotencyKey"


@pytest.mark.parametrize("written", ["2024-01-15T10:00:00+20:41", "2024-01-15T10:00:00-23:59", "2024-01-15T10:00:00Z"])
def test_a_zone_further_away_than_the_database_knows_is_the_same_moment_in_utc(written: str) -> None:
    moment = datetime.fromisoformat(written).astimezone(UTC)
    first = parse_v1(json.dumps({**V1, "timestamp": written}).encode())
    second = check(FeedbackV2, {"content": "x", "occurredAt": written})
    for stated in (first.timestamp, second.occurred_at):
        assert stated is not None
        assert (stated, stated.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_is_refused_where_it_stands(written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(FeedbackV2, {"content": "x", "occurredAt": written})
    assert [error.pointer for error in refusal.value.errors] == ["/occurredAt"]
