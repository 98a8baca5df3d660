"""Texts that are hardly any, in every field of every door, are taken as they are or refused (trust.md, INP-06)."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import Installation, Queues
from tests.trust.test_intake import Door, add_workspace, open_door, payload

pytestmark = pytest.mark.trust

WORD = 1_000_000 * "a"
ODD = {
    "NUL": "a\x00b",
    "half a character": "a\ud800b",
    "halves the wrong way round": "\udc00\ud800",
    "turned around": "\u202egnp.exe\u202c \u2066x\u2069",
    "nothing to be seen": "\u200b\u200d\ufeff\u2060",
    "one character in two": "e\u0301",
    "one character in one": "\u00e9",
    "a family": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "many accents": "z" + "\u0335\u0321\u033a" * 60,
    "no characters": "\uffff\ufdd0\U0010ffff",
    "tags": "".join(chr(0xE0000 + ord(one)) for one in "ignore all"),
    "lines": "a\u2028b\u2029c\x85d\r\ne\x0bf",
    "control": "\x01\x1b[31m\x7f\x9b",
    "private": "\ue000\U000f0000",
    "a word of a million letters": WORD,
    "capital İ": "İIıi ﬁ ß ẞ",
}
#: Doors: method, path, and what is sent there with one field of it made odd at a time.
DOORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "version 1": ("POST", "/v1/feedback", {
        **payload(), "sessionId": "s", "metadata": {"appVersion": "1", "pageUrl": "p", "userAgent": "u", "locale": "l"},
    }),
    "version 2": ("POST", "/v2/feedback", {
        "content": "c", "subject": "s", "language": "en", "source": "API", "externalUrl": "https://a.example/",
        "tags": ["t"],
        "author": {"name": "n", "externalUserId": "e", "email": "a@example.com", "attributes": {"a": "b"}},
        "context": {"metadata": {"k": "v", "deep": {"list": ["v"]}}, "customer": {"company": "c", "plan": "p"},
                    "pageContext": {"url": "u", "title": "t"}, "sourceTicket": {"id": "i", "customFields": {"f": "v"}},
                    "thread": [{"id": "1", "authorName": "a", "sentAt": "2026-11-20T10:00:00Z", "text": "t"}],
                    "attachments": [{"name": "n", "mimeType": "m", "url": "https://a.example/"}]},
        "attachments": [{"name": "n.txt", "data": "aGk="}],
    }),
    "a token": ("POST", "/v2/feedback", {"author": {"userToken": "t"}, "content": "c"}),
    "a batch": ("POST", "/v2/feedback/batch", {
        "content": "c", "author": {"name": "n"}, "context": {"metadata": {"k": "v"}},
    }),
    "the API": ("POST", "/api/v1/feedback/", {
        "feedback_type": "bug", "summary": "s", "description": "d", "source": "web_app", "tags": ["t"],
        "context": {"k": "v"}, "submitter_name": "n", "submitter_id": "i", "submitter_email": "a@example.com",
    }),
    "a change": ("PATCH", "/api/v1/feedback/{id}/", {
        "summary": "s", "tags": ["t"], "public_response": "p", "github_issue_url": "https://a.example/1",
    }),
    "who sees to it": ("PATCH", "/api/v1/feedback/{id}/", {"assignee": "a"}),
    "an answer": ("POST", "/api/v1/feedback/{id}/respond/", {"public_response": "r"}),
    "a move": ("POST", "/api/v1/feedback/{id}/acknowledge/", {"note": "n"}),
    "a vote": ("POST", "/api/v1/feedback/{id}/vote/", {
        "voter_name": "n", "voter_id": "i", "voter_email": "a@example.com",
    }),
}  # fmt: skip
#: What these hold must name something that there is.
REFUSED_ANYWAY = {"a token", "who sees to it"}
#: Bodies that are no text at all.
BROKEN = {
    "not UTF-8": b'{"content": "\xff"}',
    "half a character, encoded": b'{"content": "\xed\xa0\x80"}',
    "too long for what it is": b'{"content": "\xc0\xaf"}',
    "UTF-16": '{"content": "c"}'.encode("utf-16"),
    "UTF-32": '{"content": "c"}'.encode("utf-32-be"),
    "cut off": b'{"content": "\xf0\x9f\x98',
    "a lone backslash": b'{"content": "\\"}',
    "half an escape": b'{"content": "\\ud8"}',
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where texts stand in a body, the names of free fields included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
            if path and path[-1] in {"metadata", "attributes", "customFields"}:
                yield (*path, name, "its name")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, (*path, place))
    elif isinstance(value, str):
        yield path


def put(body: Any, path: tuple[Any, ...], odd: str) -> Any:
    """The body with this text at this place."""
    made = copy.deepcopy(body)
    inner = made
    names = path[:-2] if path[-1] == "its name" else path[:-1]
    for name in names:
        inner = inner[name]
    if path[-1] == "its name":
        inner[odd] = inner.pop(path[-2])
    else:
        inner[path[-1]] = odd
    return made


def client_of(door: Door) -> httpx.Client:
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    return httpx.Client(base_url=f"http://127.0.0.1:{door.port}", headers=headers, trust_env=False, timeout=30)


def a_report(client: httpx.Client) -> str:
    """The id of a fresh piece of feedback."""
    report = {"feedback_type": "bug", "summary": "It stays empty", "description": "The list of invoices."}
    answer = client.post("/api/v1/feedback/", json=report)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(client: httpx.Client, name: str, body: Any, *, id: str) -> httpx.Response:
    """What the door says to this body, in which half characters are escaped as JSON can."""
    method, path, _ = DOORS[name]
    key = str(uuid4())
    if name == "version 1" and body.get("idempotencyKey") == DOORS[name][2]["idempotencyKey"]:
        body = {**body, "idempotencyKey": key}
    sent = [{**body, "idempotencyKey": key}] if name == "a batch" else body
    headers = {} if name in {"version 1", "a batch"} else {"idempotency-key": key}
    return client.request(method, path.replace("{id}", id), content=json.dumps(sent), headers=headers)


def statuses(answer: httpx.Response) -> list[int]:
    """What was said of each piece of feedback; for a batch, of what is in it too."""
    found = [answer.status_code]
    if answer.status_code in {202, 207} and "results" in answer.json():
        found += [one["problem"]["status"] for one in answer.json()["results"] if "problem" in one]
    return found


def require_answers(door: Door, name: str) -> None:
    """Every odd text in every field is answered with 2xx or 4xx, and what is stored is what was sent."""
    with client_of(door) as client:
        id = a_report(client)
        body = DOORS[name][2]
        taken = send(client, name, body, id=id)
        assert taken.is_success is (name not in REFUSED_ANYWAY), taken.text
        for place, path in enumerate(places(body)):
            for kind, odd in ODD.items():
                if odd == WORD and place:
                    continue
                answer = send(client, name, put(body, path, odd), id=id)
                assert all(status < 500 for status in statuses(answer)), (name, path, kind, answer.text[:200])


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "odd", 1)
    made = open_door(migrated, queues, key=key)
    yield made
    made.process.terminate()
    made.process.wait(30)


@pytest.mark.parametrize("name", DOORS)
def test_no_odd_text_is_an_error_of_ours(door: Door, name: str) -> None:
    require_answers(door, name)


@pytest.mark.parametrize("path", ["/v1/feedback", "/v2/feedback", "/v2/feedback/batch", "/api/v1/feedback/"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_no_text_is_refused(door: Door, path: str, content: bytes) -> None:
    with client_of(door) as client:
        answer = client.post(path, content=content)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


TAKEN = [odd for odd in ODD.values() if (odd != WORD and odd.isprintable()) or "\u202e" in odd]


@pytest.mark.parametrize("odd", TAKEN)
def test_what_is_taken_is_kept_to_the_letter_and_is_the_same_again(door: Door, odd: str) -> None:
    """Nothing is normalised: whoever sends one form of a letter sends another thing than with the other form."""
    body = {"content": f"Before {odd} after", "idempotencyKey": str(uuid4())}
    with client_of(door) as client:
        answers = [client.post("/v2/feedback", content=json.dumps(body)) for _ in range(2)]
        other = client.post("/v2/feedback", json={**body, "content": body["content"] + "\u0301"})
    assert [answer.status_code for answer in (*answers, other)] == [202, 200, 422]
    kept = "SELECT content->>'text' FROM raw_feedback_items WHERE external_id = %s"
    assert door.queues.rows(kept, [body["idempotencyKey"]]) == [(body["content"],)]


@pytest.mark.parametrize("name", ["search", "tag", "assignee", "submitter_email", "cursor", "status", "min_score", "x"])
def test_no_question_is_an_error_of_ours(door: Door, name: str) -> None:
    with client_of(door) as client:
        for raw in (
            "%00",
            "%FF",
            "%ED%A0%80",
            "%E2%80%AE",
            "a" * 20_000,
            "%27",
            "%25_",
            "%C2%B2",
            "9" * 5000,
            "-1",
            "1e9",
        ):
            answer = client.get(f"/api/v1/feedback/?{name}={raw}")
            assert answer.status_code in {200, 400, 404, 422}, (name, raw[:10])
