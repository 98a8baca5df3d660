"""What somebody reads where there is nothing to see."""

from collections.abc import Callable

import pytest
from django.test import Client

from tellback.web.security import POLICY


def test_an_address_that_only_takes_forms_says_so(as_role: Callable[[str], Client]) -> None:
    answer = as_role("admin").get("/admin/settings/sources/new")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "only takes what a form sends" in answer.content.decode()


@pytest.mark.parametrize("path", ["/admin/settings/sources/new", "/search?q=%00"])
def test_what_is_refused_early_keeps_to_itself_too(as_role: Callable[[str], Client], path: str) -> None:
    assert as_role("admin").get(path)["Content-Security-Policy"] == POLICY


def test_a_program_is_told_as_programs_are(as_role: Callable[[str], Client]) -> None:
    answer = as_role("admin").put("/api/v1/feedback/")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
