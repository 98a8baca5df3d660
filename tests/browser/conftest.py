"""A real browser, and a whole Tellback to drive with it."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.harness.processes import Installation, free_port, wait_until

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


#: Milliseconds that a step may take: a limit, not a promise of the product, for a machine that does much beside.
PATIENCE = 30_000

#: The widget stands beside a page's body.
SEEN = "body, tellback-widget"

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a failing test's pages show goes into its report, for whoever was not there to look."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and browser is not None:
        for page in [one for context in browser.contexts for one in context.pages]:
            try:
                shown = "\n".join(part.aria_snapshot(timeout=5_000) for part in page.locator(SEEN).all())
            except PlaywrightError as error:
                shown = str(error)
            report.sections.append((f"shown at {page.url}", shown[:4_000]))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it these tests are skipped, but never in CI."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            raise RuntimeError("CI needs Chromium: .ci/run installs it")
        pytest.skip("no Chromium here; install the package chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        running.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield running
        running.close()


@dataclass
class Site:
    """A running Tellback."""

    installation: Installation
    address: str
    entry: str


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """`tellback up` with an empty workspace, from nothing, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tellback-site-"))
    port = free_port()
    installation = Installation(
        environment={"TELLBACK_DATA_DIR": str(folder / "var"), "TELLBACK_PORT": str(port)}, log=folder / "log"
    )
    process = installation.start("up")
    wait_until(lambda: "Ctrl-C" in installation.log.read_text(), seconds=90, what="the block of addresses")
    found = re.search(r"http://\S+/admin/enter/\S+", installation.log.read_text())
    assert found
    yield Site(installation, f"http://127.0.0.1:{port}", found.group())
    process.terminate()
    process.wait(30)
    said = installation.log.read_text()
    if "Traceback" in said:
        sys.stdout.write(said[-20_000:])
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when the browser complains about anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []
