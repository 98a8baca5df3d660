"""Both doors, intake's and the API's, answer as their description says, whatever is sent (trust.md, INP-07)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis

# Now, not when it is first needed: after a browser's test in the same process Python 3.11 cannot compile it any more.
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tellback.api.schema import describe
from tellback.api.v1 import api
from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace

pytestmark = pytest.mark.trust

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DONE = {200, 201, 202, 204, 207}
#: How often each operation is tried: the intake doors, which anybody may reach, most of all.
EXAMPLES = {True: 40, False: 12}
OPERATIONS = [(method.upper(), path) for path, methods in describe(api)["paths"].items() for method in methods]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


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
def document(door: Door) -> Any:
    return httpx.get(f"http://127.0.0.1:{door.port}/api/openapi.json", trust_env=False).json()


@pytest.fixture(scope="module")
def description(document: Any) -> Any:
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def answers_to(
    door: Door, operation: Any, mode: GenerationMode, session: requests.Session, *, examples: int
) -> Counter[int]:
    """Send what the description makes up, check each answer, and count them by status.

    Where something must be named, what is valid names something that there is.
    """
    found: Counter[int] = Counter()
    path = operation.path
    known = a_report(door, session) if "{feedback_id}" in path else ""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        headers = {"authorization": f"Bearer {door.key}"}
        if path in {"/v1/feedback", "/v2/feedback", "/v2/feedback/batch"}:
            headers |= with_key(case, path, mode)
            case.headers = {}
        elif known and mode == GenerationMode.POSITIVE:
            case.path_parameters["feedback_id"] = known
        response = case.call(base_url=f"http://127.0.0.1:{door.port}", headers=headers, session=session)
        case.validate_response(response, checks=CHECKS)
        found[response.status_code] += 1

    attempt()
    return found


def a_report(door: Door, session: requests.Session) -> str:
    """The id of a fresh piece of feedback."""
    report = {"feedback_type": "bug", "summary": "It stays empty", "description": "The list of invoices."}
    headers = {"authorization": f"Bearer {door.key}"}
    answer = session.post(f"http://127.0.0.1:{door.port}/api/v1/feedback/", json=report, headers=headers, timeout=15)
    return str(answer.json()["id"])


def with_key(case: Any, path: str, mode: GenerationMode) -> dict[str, str]:
    """The header with a fresh idempotency key, unless the body has one; what is valid has its own each time."""
    has_own = isinstance(case.body, dict) and bool(case.body.get("idempotencyKey"))
    if has_own and mode == GenerationMode.POSITIVE:
        case.body["idempotencyKey"] = str(uuid4())
    return {} if path == "/v1/feedback" or has_own else {"idempotency-key": str(uuid4())}


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(operation) for operation in OPERATIONS])
@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_as_described_and_none_is_an_error_of_ours(
    door: Door, description: Any, session: requests.Session, method: str, path: str, mode: GenerationMode
) -> None:
    examples = EXAMPLES[not path.startswith("/api/")]
    found = answers_to(door, description[path][method], mode, session, examples=examples)
    assert found.total() >= examples / 3, "the description made up too little to say anything"
    assert (set(found) & DONE) if mode == GenerationMode.POSITIVE else (set(found) - DONE), found


@pytest.mark.parametrize(("path", "kept"), [("/v2/feedback", "202"), ("/api/v1/feedback/", "201")])
def test_an_answer_that_is_not_described_is_noticed(
    door: Door, document: Any, session: requests.Session, path: str, kept: str
) -> None:
    """The control of the test above: a description that knows no refusals is found to be wrong."""
    operation = document["paths"][path]["post"]
    wrong = {**operation, "responses": {kept: operation["responses"][kept]}}
    paths = {**document["paths"], path: {**document["paths"][path], "post": wrong}}
    schema = schemathesis.openapi.from_dict({**document, "paths": paths})
    with pytest.raises(BaseException, match="status code"):
        answers_to(door, schema[path]["POST"], GenerationMode.NEGATIVE, session, examples=60)
