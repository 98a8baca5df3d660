"""The published schemas say what the door takes."""

import jsonschema_rs
from django.test import Client

PAYLOAD = {
    "idempotencyKey": "550e8400-e29b-41d4-a716-446655440000",
    "userId": "u_123",
    "channel": "in-app",
    "category": "bug",
    "severity": "high",
    "content": "App crashes on checkout",
    "timestamp": "2024-01-15T10:00:00Z",
}


def test_document_1s_own_example_is_valid_and_an_unknown_field_is_not(client: Client) -> None:
    version, _ = client.get("/schemas/").json()["versions"]
    response = client.get("/schemas/feedback-v1.json")
    assert response["Content-Type"] == "application/schema+json"
    schema = response.json()
    assert schema["$id"] == version["schema"]
    assert jsonschema_rs.is_valid(schema, PAYLOAD)
    assert not jsonschema_rs.is_valid(schema, {**PAYLOAD, "tenantId": "x"})


def test_a_version_that_was_never_published_is_not_found(client: Client) -> None:
    assert client.get("/schemas/feedback-v9.json").status_code == 404


def test_document_1s_own_example_is_valid_as_version_2_too(client: Client) -> None:
    schema = client.get("/schemas/feedback-v2.json").json()
    assert jsonschema_rs.is_valid(schema, PAYLOAD)
    assert jsonschema_rs.is_valid(schema, {"content": "Fine.", "rating": 5, "author": {"email": "ada@example.com"}})
    assert not jsonschema_rs.is_valid(schema, {"content": "Fine.", "rating": 6})
    assert not jsonschema_rs.is_valid(schema, {"content": "Fine.", "author": {"principalId": "x"}})
