"""The door answers as its description says, whatever is sent to it (trust.md, INP-07)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace

pytestmark = pytest.mark.trust

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOORS = ["/v1/feedback", "/v2/feedback", "/v2/feedback/batch"]


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "harbour", 1)
    port = free_port()
    made = Door(migrated, queues, port, key, "", "", migrated.start("web", "--port", str(port)))
    wait_until(made.is_open, seconds=40, what="the web process listens")
    yield made
    made.process.terminate()
    made.process.wait(30)


@pytest.fixture(scope="module")
def description(door: Door) -> Any:
    document = httpx.get(f"http://127.0.0.1:{door.port}/api/openapi.json", trust_env=False).json()
    return schemathesis.openapi.from_dict(document)


def answers_to(door: Door, description: Any, path: str, mode: GenerationMode) -> Counter[int]:
    """Send what the description makes up, check each answer, and count them by status."""
    found: Counter[int] = Counter()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=description[path]["POST"].as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        if isinstance(case.body, dict) and "idempotencyKey" in case.body and mode == GenerationMode.POSITIVE:
            case.body["idempotencyKey"] = str(uuid4())
        headers = {"authorization": f"Bearer {door.key}", "idempotency-key": str(uuid4())}
        if path == "/v1/feedback" or (isinstance(case.body, dict) and case.body.get("idempotencyKey")):
            del headers["idempotency-key"]
        case.headers = {}
        response = case.call(base_url=f"http://127.0.0.1:{door.port}", headers=headers)
        case.validate_response(response, checks=CHECKS)
        found[response.status_code] += 1

    attempt()
    return found


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_described_and_none_is_an_error_of_ours(
    door: Door, description: Any, path: str, mode: GenerationMode
) -> None:
    found = answers_to(door, description, path, mode)
    assert found.total() >= 20, "the description made up too little to say anything"
    taken = {200, 202, 207}
    assert (set(found) & taken) if mode == GenerationMode.POSITIVE else (set(found) - taken), found


def test_an_answer_that_is_not_described_is_noticed(door: Door, description: Any) -> None:
    """The control of the test above: a description that knows no refusals is found to be wrong."""
    document = httpx.get(f"http://127.0.0.1:{door.port}/api/openapi.json", trust_env=False).json()
    responses = document["paths"]["/v2/feedback"]["post"]["responses"]
    document["paths"]["/v2/feedback"]["post"]["responses"] = {"202": responses["202"]}
    with pytest.raises(BaseException, match="status code"):
        answers_to(door, schemathesis.openapi.from_dict(document), "/v2/feedback", GenerationMode.NEGATIVE)
