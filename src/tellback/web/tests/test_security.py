"""Every answer tells the browser to keep the page to itself."""

from django.http import HttpRequest, HttpResponse
from django.test import Client

from tellback.web.security import SecurityHeaders


def answer(given: HttpResponse) -> HttpResponse:
    return SecurityHeaders(lambda _request: given)(HttpRequest())  # type: ignore[return-value]


def test_nothing_inline_and_nothing_from_elsewhere_is_allowed() -> None:
    policy = answer(HttpResponse()).headers["Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_a_real_answer_carries_all_of_them(client: Client) -> None:
    headers = client.get("/livez").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_view_that_needs_a_policy_of_its_own_keeps_it() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
    assert answer(own).headers["Content-Security-Policy"] == "sandbox"
