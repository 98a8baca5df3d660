"""The second version at a running door: what it keeps, what it refuses, and what cannot hurt it (trust.md, ING)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace, together

pytestmark = pytest.mark.trust


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    key, other_key = add_workspace(queues, "harbour", 2)
    (foreign_key,) = add_workspace(queues, "lantern", 1)
    port = free_port()
    made = Door(migrated, queues, port, key, other_key, foreign_key, migrated.start("web", "--port", str(port)))
    wait_until(made.is_open, seconds=40, what="the web process listens")
    yield made
    made.process.terminate()
    made.process.wait(30)


def send(door: Door, body: dict[str, Any], path: str = "/v2/feedback", **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30, base_url=f"http://127.0.0.1:{door.port}") as client:
        return client.post(path, json=body, headers={"authorization": f"Bearer {door.key}", **headers})


def test_a_text_with_a_key_in_the_header_is_stored_and_the_same_again_is_known(door: Door) -> None:
    body, key = {"content": "Rows are missing.", "author": {"email": "ada@example.com"}}, str(uuid4())
    answers = [send(door, body, **{"idempotency-key": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotency-replayed"] == "true"
    ((author, content),) = door.queues.rows(
        "SELECT author, content FROM raw_feedback_items WHERE external_id = %s", [key]
    )
    assert (author, content) == ({"email": "ada@example.com"}, {"text": "Rows are missing."})


def test_twenty_equal_requests_at_once_become_one_item(door: Door) -> None:
    body = {"content": "Once.", "idempotencyKey": str(uuid4())}
    answers = together(20, lambda: send(door, body))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len(door.items(body["idempotencyKey"])) == 1


def test_the_same_key_with_another_text_is_refused(door: Door) -> None:
    body = {"content": "One thing.", "idempotencyKey": str(uuid4())}
    assert send(door, body).status_code == 202
    refused = send(door, {**body, "content": "Another."})
    assert (refused.status_code, refused.json().get("code")) == (422, "idempotency-key-reused")


def test_a_refusal_points_to_each_field_and_does_not_use_up_the_key(door: Door) -> None:
    body = {"content": "Fine.", "idempotencyKey": str(uuid4())}
    refused = send(door, {**body, "surprise": 1, "rating": 9})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/surprise", "/rating"}
    assert send(door, body).status_code == 202


def test_twenty_thousand_characters_are_taken_and_three_hundred_thousand_bytes_are_not(door: Door) -> None:
    assert send(door, {"content": "é" * 20_000, "idempotencyKey": str(uuid4())}).status_code == 202
    assert send(door, {"content": "x" * 300_000, "idempotencyKey": str(uuid4())}).status_code == 413


def test_a_compressed_body_is_not_unpacked(door: Door) -> None:
    answer = send(door, {"content": "x"}, **{"content-encoding": "gzip"})
    assert answer.status_code == 415


def test_another_method_is_told_which_is_allowed(door: Door) -> None:
    answer = httpx.get(f"http://127.0.0.1:{door.port}/v2/feedback", trust_env=False)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def batch(door: Door, items: list[Any], **headers: str) -> httpx.Response:
    return send(door, {"items": items}, "/v2/feedback/batch", **headers)


def stored(door: Door, keys: list[str]) -> int:
    ((count,),) = door.queues.rows("SELECT count(*) FROM raw_feedback_items WHERE external_id = ANY(%s)", [keys])
    return int(count)


def test_of_a_hundred_items_with_seven_wrong_ones_ninety_three_are_stored_once(door: Door) -> None:
    items: list[Any] = [{"content": f"Item {n} of a batch.", "idempotencyKey": str(uuid4())} for n in range(100)]
    wrong: dict[int, Any] = {
        3: {**items[3], "content": ""},
        14: {**items[14], "surprise": 1},
        15: "a text",
        37: {**items[37], "rating": 0},
        58: {**items[58], "author": {"email": "nobody"}},
        71: {"content": "No key."},
        99: None,
    }
    keys = [item["idempotencyKey"] for item in items]
    sent = [wrong.get(index, item) for index, item in enumerate(items)]
    for outcome in ("accepted", "duplicate"):
        answer = batch(door, sent)
        assert answer.status_code == 207
        results = answer.json()["results"]
        assert [result["index"] for result in results] == list(range(100))
        assert {result["index"] for result in results if result["status"] == "refused"} == set(wrong)
        assert {result["status"] for result in results} == {"refused", outcome}
        assert (answer.json()["accepted"], answer.json()["refused"]) == (93, 7)
        assert stored(door, keys) == 93
    assert results[14]["problem"]["errors"][0]["pointer"] == "/items/14/surprise"
    assert results[15]["problem"]["errors"][0]["pointer"] == "/items/15"
    mended = batch(door, items)
    assert (mended.status_code, stored(door, keys)) == (202, 100)
    assert [result["id"] for result in mended.json()["results"][:3]] == [result["id"] for result in results[:3]]


def test_a_batch_may_be_a_bare_array_and_its_pointers_say_so(door: Door) -> None:
    answer = send(door, [{"content": "Fine.", "idempotencyKey": str(uuid4())}, {"content": 1}], "/v2/feedback/batch")  # type: ignore[arg-type]
    assert answer.status_code == 207
    assert "/1/content" in {error["pointer"] for error in answer.json()["results"][1]["problem"]["errors"]}


def test_items_without_keys_of_their_own_have_the_headers_with_their_place(door: Door) -> None:
    items = [{"content": f"Number {n}."} for n in range(3)]
    first, second = [batch(door, items, **{"idempotency-key": "nightly-7"}) for _ in range(2)]
    assert [result["status"] for result in first.json()["results"]] == ["accepted"] * 3
    assert [result["status"] for result in second.json()["results"]] == ["duplicate"] * 3
    assert stored(door, ["nightly-7/0", "nightly-7/1", "nightly-7/2"]) == 3


def test_the_same_key_twice_in_one_batch_counts_once_and_another_text_is_a_conflict(door: Door) -> None:
    item = {"content": "Twice.", "idempotencyKey": str(uuid4())}
    answer = batch(door, [item, item, {**item, "content": "Changed."}])
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "duplicate", "refused"]
    assert answer.json()["results"][2]["problem"]["code"] == "idempotency-key-reused"


def test_ten_equal_batches_at_once_store_each_item_once(door: Door) -> None:
    items = [{"content": f"Race {n}.", "idempotencyKey": str(uuid4())} for n in range(50)]
    answers = together(10, lambda: batch(door, items))
    assert {answer.status_code for answer in answers} == {202}
    fresh = [result for answer in answers for result in answer.json()["results"] if result["status"] == "accepted"]
    assert len(fresh) == stored(door, [item["idempotencyKey"] for item in items]) == 50


def test_batches_that_name_the_same_items_in_another_order_do_not_block_each_other(door: Door) -> None:
    items = [{"content": f"Crossing {n}.", "idempotencyKey": str(uuid4())} for n in range(60)]
    turns = iter([items, items[::-1]] * 10)
    answers = together(20, lambda: batch(door, next(turns)))
    assert {answer.status_code for answer in answers} == {202}
    assert stored(door, [item["idempotencyKey"] for item in items]) == 60


@pytest.mark.parametrize("items", [[], [{"content": "x"}] * 101, {"a": 1}, "x", None])
def test_what_is_no_batch_is_refused_as_a_whole(door: Door, items: Any) -> None:
    assert batch(door, items).status_code == 422


def test_a_batch_of_a_hundred_long_texts_holds_nobody_up(door: Door) -> None:
    """The control is the door's own speed; a text of this length takes its time to be searched for private data."""
    items = [{"content": "Rows are missing. " * 1000, "idempotencyKey": str(uuid4())} for _ in range(100)]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(batch, door, items)
        waits = []
        while not slow.done():
            began = time.monotonic()
            assert send(door, {"content": "Quick.", "idempotencyKey": str(uuid4())}).status_code == 202
            waits.append(time.monotonic() - began)
        assert slow.result().status_code == 202
    assert max(waits) < 1.5, waits


ODD = {
    "NUL": "a\x00b",
    "half a character": "\ud83d",
    "right to left override": "invoice \u202egnp.exe",
    "unclosed isolates": "\u2066" * 500 + "text",
    "zero width": "pass\u200bword\u200d\ufeff",
    "family": "👨‍👩‍👧‍👦" * 300,
    "composed": "caf\u00e9",
    "decomposed": "cafe\u0301",
    "a thousand marks on one letter": "a" + "\u0301" * 1000,
    "beyond the basic plane": "\U0010fffd𝒳",
    "not a character": "\uffff\ufdd0",
    "line separators": "one\u2028two\u2029three\x0bfour\x85five",
    "tags": "hi\U000e0041\U000e0042",
    "a long word": "x" * 19_990,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_characters_are_stored_as_they_are_or_refused_and_never_break(door: Door, text: str) -> None:
    import json

    author = {"name": text[:200], "externalUserId": text[:200]}
    body = {
        "content": text, "subject": text[:500], "tags": [text[:60]], "author": author,
        "context": {"metadata": {text[:200]: text[:8000]}, "pageContext": {"title": text[:4000]}},
    }  # fmt: skip
    for path, sent in (("/v2/feedback", body), ("/v2/feedback/batch", [body])):
        key = str(uuid4())
        with httpx.Client(trust_env=False, timeout=30) as client:
            answers = [
                client.post(
                    f"http://127.0.0.1:{door.port}{path}",
                    content=json.dumps(sent).encode(),
                    headers={
                        "authorization": f"Bearer {door.key}",
                        "content-type": "application/json",
                        "idempotency-key": key,
                    },
                )
                for _ in range(2)
            ]
        taken = [answer.status_code in {200, 202} for answer in answers]
        assert taken in ([True, True], [False, False])
        assert all(answer.status_code < 500 for answer in answers)
        if all(taken):
            found = door.queues.rows(
                "SELECT content->>'text' FROM raw_feedback_items WHERE external_id LIKE %s", [f"{key}%"]
            )
            assert found == [(text,)], "stored once, and as it was sent"
