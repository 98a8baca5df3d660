"""What somebody wrote turns no text around it, whatever direction characters are in it (INP-06)."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.harness.processes import ROOT

pytestmark = pytest.mark.browser

STYLE = Path(ROOT / "src/tellback/web/static/tellback/tellback.css")
LINE = '<p><b>Eve {override}gnp.exe</b> <span id="after">API</span> <span id="last">now</span></p>'


def places(page: Page, style: str, override: str) -> list[float]:
    """Where the words behind a name stand, in pixels from the left."""
    page.set_content(f"<meta charset=utf-8><style>{style}</style>{LINE.format(override=override)}")
    found: list[float] = page.evaluate(
        "['after', 'last'].map(name => document.getElementById(name).getBoundingClientRect().x)"
    )
    return found


@pytest.mark.parametrize("override", ["\u202e", "\u2067", "\u202b", "\u05d0", "\u2066\u202e"])
def test_words_behind_a_name_stay_where_they_are(page: Page, override: str) -> None:
    after, last = places(page, STYLE.read_text(), override)
    assert after < last


def test_without_isolation_they_do_not(page: Page) -> None:
    """The control of the test above."""
    after, last = places(page, "", "\u202e")
    assert after > last
