"""Readiness, metrics and the API's description, over HTTP with a real database."""

import pytest
from django.test import Client

from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.services import issue_key

ADDRESS = "203.0.113.7"


@pytest.fixture
def stranger() -> Client:
    """A client on another machine."""
    return Client(REMOTE_ADDR=ADDRESS)


def test_readiness_tells_an_operator_what_it_looked_at(workspace: Workspace, client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert {check["name"] for check in answer.json()["checks"]} == {"database", "migrations", "queues"}


def test_readiness_tells_a_stranger_yes_or_no_and_nothing_else(workspace: Workspace, stranger: Client) -> None:
    assert stranger.get("/readyz").json() == {"status": "ok"}
    assert Client().get("/readyz", headers={"x-forwarded-for": ADDRESS}).json() == {"status": "ok"}


def test_an_api_key_opens_the_details_and_a_widget_key_does_not(workspace: Workspace, stranger: Client) -> None:
    secret = issue_key(workspace=workspace, kind=KeyKind.SECRET, name="ops").secret
    widget = issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="page").secret
    assert "checks" in stranger.get("/readyz", headers={"authorization": f"Bearer {secret}"}).json()
    assert "checks" not in stranger.get("/readyz", headers={"authorization": f"Bearer {widget}"}).json()
    assert stranger.get("/metrics", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert stranger.get("/metrics", headers={"authorization": f"Bearer {widget}"}).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "feedback_ingested_total",
        "feedback_triaged_total",
        "feedback_closed_loop_total",
        "queue_lag_seconds",
        "tellback_database_up 1.0",
    ],
)
def test_metrics_carry_the_names_of_the_specification(workspace: Workspace, client: Client, name: str) -> None:
    assert name in client.get("/metrics").text


def test_the_description_names_the_intake_door_and_every_endpoint(workspace: Workspace, client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    verbs = ["vote", "acknowledge", "review", "plan", "start", "complete", "decline", "duplicate", "respond"]
    assert set(document["paths"]) == {
        "/v1/feedback",
        "/v2/feedback",
        "/v2/feedback/batch",
        "/api/v1/feedback/",
        "/api/v1/feedback/stats/",
        "/api/v1/search/",
        "/api/v1/feedback/{feedback_id}/",
        *(f"/api/v1/feedback/{{feedback_id}}/{verb}/" for verb in verbs),
    }
    assert document["components"]["schemas"]["FeedbackV1"]["properties"]["content"]["maxLength"] == 2000


def test_the_api_answers_problems_for_no_key_a_wrong_id_and_an_unknown_one(
    workspace: Workspace, client: Client
) -> None:
    secret = issue_key(workspace=workspace, kind=KeyKind.SECRET, name="reader").secret
    key = {"authorization": f"Bearer {secret}"}
    unknown = "/api/v1/feedback/019aa000-0000-7000-8000-000000000000"
    for path, headers, status in (
        (unknown, {}, 401),
        ("/api/v1/feedback/nonsense", key, 422),
        (unknown, key, 404),
    ):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
