"""What the API's tests speak with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tellback.intake.services import ensure_default_sources
from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.services import issue_key


class Speaker:
    """A program that calls the API under /api/v1/feedback/ with one key, or with none."""

    def __init__(self, secret: str = "", **headers: str) -> None:
        self.headers = {**({"authorization": f"Bearer {secret}"} if secret else {}), **headers}
        self._client = Client()

    def __call__(self, method: str, path: str = "", body: object = None, **headers: str) -> Any:
        """The answer to a request; names of headers are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(
            method,
            f"/api/v1/feedback/{path}",
            b"" if body is None else self._client._encode_json(body, "application/json"),  # type: ignore[attr-defined]
            content_type="application/json",
            headers={**self.headers, **named},
        )


REPORT = {
    "feedback_type": "bug",
    "summary": "The invoice list stays empty",
    "description": "Since this morning it shows nothing, though there are twelve.",
    "priority": "high",
    "source": "web_app",
    "context": {"browser": "Firefox 145", "os": "Debian 13"},
    "submitter_email": "ada@example.com",
    "submitter_name": "Ada",
}


@pytest.fixture
def house(workspace: Workspace) -> Workspace:
    """A workspace with its sources."""
    ensure_default_sources(workspace=workspace)
    return workspace


@pytest.fixture
def team(house: Workspace) -> Speaker:
    """A server with an API key."""
    return Speaker(issue_key(workspace=house, kind=KeyKind.SECRET, name="Desk", rate_limit=10_000).secret)


@pytest.fixture
def page(house: Workspace) -> Speaker:
    """A page with a widget key."""
    return Speaker(issue_key(workspace=house, kind=KeyKind.WIDGET, name="Shop", rate_limit=10_000).secret)


@pytest.fixture
def stranger(house: Workspace) -> Speaker:
    """Somebody without a key."""
    return Speaker()


@pytest.fixture
def sent(team: Speaker) -> Callable[..., dict[str, Any]]:
    """Sends a report, with these fields different, and gives it as it was taken."""

    def send(**fields: object) -> dict[str, Any]:
        answer = team("POST", "", {**REPORT, **fields})
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    return send
