"""The second version at a running door: what it keeps, what it refuses, and what cannot hurt it (trust.md, ING)."""

from collections.abc import Iterator
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
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")


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
