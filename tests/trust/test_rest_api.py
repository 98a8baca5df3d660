"""The REST API as programs use it: the commands that are printed, and many programs at once."""

import json
import os
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.harness.processes import ROOT, Installation, Queues
from tests.trust.test_intake import Door, add_workspace, open_door

pytestmark = pytest.mark.trust

PAGE = ROOT / "docs/how-to/rest-api.md"
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S)
#: Document 2's examples, as they are printed there but for the host.
SUBMIT = """
curl -X POST http://localhost:8000/api/v1/feedback/ \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "feedback_type": "bug",
    "summary": "Login fails with SAML SSO",
    "description": "When attempting to login with our SAML provider...",
    "priority": "high",
    "source": "web_app",
    "context": {
      "browser": "Chrome 120",
      "os": "macOS 14.2"
    }
  }'
"""
SUBMIT_ANONYMOUSLY = """
curl -X POST http://localhost:8000/api/v1/feedback/ \\
  -H "Content-Type: application/json" \\
  -d '{
    "feedback_type": "feature",
    "summary": "Add dark mode support",
    "description": "Please add a dark mode option...",
    "submitter_email": "user@example.com",
    "submitter_name": "John Doe"
  }'
"""
FIGURES = """
curl http://localhost:8000/api/v1/feedback/stats/ \\
  -H "Authorization: Bearer $TOKEN"
"""
DOCUMENT_2_FIGURES = (
    "total", "by_type", "by_status", "avg_response_time_hours", "open_count", "resolved_count"
)  # fmt: skip
AT_ONCE = 12


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "harbour", 1)
    made = open_door(migrated, queues, key=key)
    yield made
    made.process.terminate()
    made.process.wait(30)


@pytest.fixture
def type_in(door: Door, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Runs commands in a shell; each must succeed. Gives the JSON that they print, one after the other."""
    (tmp_path / ".curlrc").write_text('fail-with-body\nsilent\nshow-error\nnoproxy = "*"\nwrite-out = "\\n\\n"\n')
    environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(tmp_path), "TOKEN": door.key}

    def run(commands: str, **variables: str) -> list[dict[str, Any]]:
        here = commands.replace("http://localhost:8000", f"http://127.0.0.1:{door.port}")
        done = subprocess.run(
            ["bash", "-e", "-c", here],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return [json.loads(answer) for answer in done.stdout.split("\n\n") if answer.strip()]

    return run


class Api:
    """Programs that call the API under /api/v1/feedback/, one or many at the same moment."""

    def __init__(self, door: Door) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{door.port}/api/v1/feedback/",
            headers={"authorization": f"Bearer {door.key}"},
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(max_connections=AT_ONCE),
        )

    def __call__(self, method: str, path: str = "", body: object = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, path, json=body, headers=named)

    def submit(self, **fields: object) -> str:
        report = {"feedback_type": "bug", "summary": "It stays empty", "description": "The list of invoices."}
        return str(self("POST", "", {**report, **fields}).json()["id"])

    def at_once(self, *acts: Callable[[], httpx.Response]) -> list[httpx.Response]:
        """The answers to requests that set off together."""
        barrier = threading.Barrier(len(acts))

        def run(act: Callable[[], httpx.Response]) -> httpx.Response:
            barrier.wait()
            return act()

        with ThreadPoolExecutor(len(acts)) as threads:
            return list(threads.map(run, acts))

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def api(door: Door) -> Iterator[Api]:
    made = Api(door)
    yield made
    made.close()


def codes(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_the_examples_of_document_2_work_as_printed(type_in: Callable[..., list[dict[str, Any]]]) -> None:
    (before,), (made,), (wish,), (figures,) = map(type_in, (FIGURES, SUBMIT, SUBMIT_ANONYMOUSLY, FIGURES))
    assert (made["feedback_type"], made["priority"], made["source"]) == ("bug", "high", "web_app")
    assert made["context"] == {"browser": "Chrome 120", "os": "macOS 14.2"}
    assert (wish["submitter_email"], wish["submitter_name"]) == ("user@example.com", "John Doe")
    assert set(DOCUMENT_2_FIGURES) <= set(figures)
    for name, more in (("total", 2), ("open_count", 2), ("resolved_count", 0)):
        assert figures[name] == before[name] + more
    for name, value in (("by_type", "bug"), ("by_type", "feature")):
        assert figures[name][value] == before[name].get(value, 0) + 1
    assert figures["by_status"]["new"] == before["by_status"].get("new", 0) + 2


def test_every_command_of_the_page_about_the_api_works_as_printed(
    type_in: Callable[..., list[dict[str, Any]]], api: Api
) -> None:
    [first] = type_in(COMMANDS[0])
    answers = [type_in(commands, ID=first["id"]) for commands in COMMANDS[1:]]
    assert sum(len(some) for some in answers) == sum(commands.count("curl ") for commands in COMMANDS[1:]) - 1
    shown = api("GET", first["id"]).json()
    assert shown["status"] == "completed"
    assert [step["status"] for step in shown["history"]] == ["new", "acknowledged", "planned", "completed"]
    assert shown["public_response"].startswith("Thank you")
    assert (shown["priority"], shown["vote_count"], shown["tags"]) == ("urgent", 0, ["export", "invoices"])


def test_a_command_that_is_refused_fails_the_tests_above(type_in: Callable[..., list[dict[str, Any]]]) -> None:
    """Their control."""
    with pytest.raises(AssertionError, match="401"):
        type_in(FIGURES, TOKEN="tb_unknown")


def test_votes_at_once_count_each_person_once_and_lose_nobody(api: Api) -> None:
    path = f"{api.submit()}/vote/"
    people = [f"voter{n}@example.com" for n in range(AT_ONCE // 2)]
    acts = [lambda who=who: api("POST", path, {"voter_email": who}) for who in people for _ in range(2)]
    answers = api.at_once(*acts)
    assert codes(answers) == {201: len(people), 200: len(people)}
    gone = [lambda who=who: api("DELETE", f"{path}?voter_email={who}") for who in people[:3] for _ in range(2)]
    assert codes(api.at_once(*gone, *acts[-4:])) == {204: 6, 200: 4}
    assert api("GET", path.removesuffix("vote/")).json()["vote_count"] == len(people) - 3


def test_one_of_many_changes_to_the_same_state_is_made_and_the_others_are_told(api: Api) -> None:
    id = api.submit()
    seen = api("GET", id).headers["etag"]
    acts = [lambda n=n: api("PATCH", id, {"tags": [f"t{n}"]}, if_match=seen) for n in range(AT_ONCE)]
    answers = api.at_once(*acts)
    assert codes(answers) == {200: 1, 412: AT_ONCE - 1}
    (made,) = [answer for answer in answers if answer.status_code == 200]
    assert api("GET", id).json()["tags"] == made.json()["tags"]


def test_moves_at_once_leave_one_history_in_which_each_step_may_follow_the_one_before(api: Api) -> None:
    id = api.submit()
    verbs = ["acknowledge", "review", "plan", "start", "complete", "decline"] * 2
    answers = api.at_once(*(lambda verb=verb: api("POST", f"{id}/{verb}/") for verb in verbs))
    assert set(codes(answers)) <= {200, 409}
    shown = api("GET", id).json()
    steps = shown["history"]
    assert [step["previous"] for step in steps[1:]] == [step["status"] for step in steps[:-1]]
    assert steps[-1]["status"] == shown["status"]
    assert (shown["completed_at"] is not None) == (shown["status"] == "completed")


def test_two_that_are_said_to_repeat_each_other_at_once_do_not_both_become_duplicates(api: Api) -> None:
    for _ in range(4):
        one, other = api.submit(), api.submit()
        answers = api.at_once(
            partial(api, "POST", f"{one}/duplicate/", {"duplicate_of": other}),
            partial(api, "POST", f"{other}/duplicate/", {"duplicate_of": one}),
        )
        assert codes(answers) == {200: 1, 422: 1}


def test_one_request_sent_many_times_at_once_is_taken_once(api: Api) -> None:
    key = str(uuid4())
    report = {"feedback_type": "bug", "summary": "Sent at once", "description": "By many connections."}
    answers = api.at_once(*[lambda: api("POST", "", report, idempotency_key=key)] * AT_ONCE)
    assert codes(answers) == {201: 1, 200: AT_ONCE - 1}
    assert len({answer.json()["id"] for answer in answers}) == 1
    id = answers[0].json()["id"]
    again = api.at_once(*[lambda: api("POST", f"{id}/vote/", {"voter_id": "u_1"}, idempotency_key=key + "v")] * AT_ONCE)
    assert codes(again) == {201: 1, 200: AT_ONCE - 1}
