"""A signed token says who somebody is, at the running door, and nothing else does with a key from a public page."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace

pytestmark = pytest.mark.trust

SIGNING_KEY = """
import sys, django
django.setup()
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.models import KeyKind, WidgetKeyAlgorithm, Workspace
from tellback.workspaces.services import issue_key
from tellback.workspaces.widget_identity.keys import issue_signing_key
with in_workspace(list_workspace_ids()[0]):
    workspace = Workspace.objects.get()
    made = issue_signing_key(workspace=workspace, algorithm=WidgetKeyAlgorithm.HS256, name="Test")
    widget = issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="Site", rate_limit=100000)
    print(made.signing_key.public_id, made.secret, workspace.public_id, widget.secret)
"""


class Company:
    """A customer's server that signs tokens, and a page with its widget key."""

    def __init__(self, door: Door, kid: str, secret: str, audience: str, widget_key: str) -> None:
        self.door, self.kid, self.secret, self.audience, self.widget_key = door, kid, secret, audience, widget_key

    def sign(self, **changes: Any) -> str:
        now = datetime.now(UTC)
        claims = {
            "sub": "u_7", "aud": self.audience, "iat": now.timestamp(),
            "exp": (now + timedelta(minutes=5)).timestamp(), "email": "ada@example.com", **changes,
        }  # fmt: skip
        return jwt.encode(claims, self.secret, algorithm="HS256", headers={"kid": self.kid})

    def send(self, *, key: str = "", **author: Any) -> httpx.Response:
        body = {"content": "Rows are missing.", "idempotencyKey": key or str(uuid4()), "author": author}
        with httpx.Client(trust_env=False, timeout=15) as client:
            return client.post(
                f"http://127.0.0.1:{self.door.port}/v2/feedback",
                json=body,
                headers={"authorization": f"Bearer {self.widget_key}"},
            )

    def author_of(self, answer: httpx.Response) -> dict[str, Any]:
        key = answer.json()["idempotencyKey"]
        ((author,),) = self.door.queues.rows("SELECT author FROM raw_feedback_items WHERE external_id = %s", [key])
        found: dict[str, Any] = author
        return found


@pytest.fixture(scope="module")
def company(migrated: Installation, queues: Queues) -> Iterator[Company]:
    (key,) = add_workspace(queues, "harbour", 1)
    queues.rows(
        "INSERT INTO feedback_sources (id, created_at, workspace_id, source_type, delivery_mode, name, enabled, "
        "config, error_count, updated_at) SELECT gen_random_uuid(), now(), id, 'widget', 'passive', 'Widget', true, "
        "'{}', 0, now() FROM workspace"
    )
    secret = hashlib.sha256(b"test").hexdigest()
    process = migrated.start("web", "--port", str(port := free_port()), TELLBACK_SECRET_KEY=secret)
    door = Door(migrated, queues, port, key, "", "", process)
    wait_until(door.is_open, seconds=40, what="the web process listens")
    migrated.environment["TELLBACK_SECRET_KEY"] = secret
    made = migrated.run_python(SIGNING_KEY)
    del migrated.environment["TELLBACK_SECRET_KEY"]
    assert made.returncode == 0, made.stderr
    yield Company(door, *made.stdout.split())
    process.terminate()
    process.wait(30)


def test_a_signed_person_is_one_person_and_the_token_is_not_kept(company: Company) -> None:
    first, second = [
        company.author_of(company.send(userToken=company.sign(), email="eve@example.com", attributes={"seats": 3}))
        for _ in range(2)
    ]
    assert first == second
    assert set(first) == {"principalId", "attributes"}
    rows = company.door.queues.rows("SELECT email FROM principal WHERE id = %s", [first["principalId"]])
    assert rows == [("ada@example.com",)]


def test_a_retry_may_carry_a_fresh_token(company: Company) -> None:
    key = str(uuid4())
    answers = [company.send(key=key, userToken=company.sign(jti=str(uuid4()))) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]


@pytest.mark.parametrize(
    "token",
    [
        lambda company: "no token",
        lambda company: company.sign()[:-3] + "abc",
        lambda company: company.sign(aud="another"),
        lambda company: company.sign(exp=datetime.now(UTC).timestamp() - 100),
        lambda company: jwt.encode({"sub": "u_7"}, "", algorithm="none"),
        lambda company: "a" * 8000,
    ],
)
def test_a_token_that_does_not_hold_is_refused_with_its_place(company: Company, token: Any) -> None:
    answer = company.send(userToken=token(company))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/author/userToken"]


def test_a_token_that_counts_once_is_refused_the_second_time(company: Company) -> None:
    token = company.sign(jti="once")
    assert company.send(userToken=token).status_code == 202
    again = company.send(userToken=token)
    assert (again.status_code, again.json()["code"]) == (422, "widget-token-reused")
