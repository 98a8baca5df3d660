"""Pages of a full workspace keep nobody out and fit a phone, in both themes."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.browser.conftest import Site
from tests.harness.processes import wait_until

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]

PAGES = [
    "/admin/feedback/insights", "/admin/feedback/stream", "/admin/roadmap", "/admin/changelog", "/admin/changelog/new",
    "/admin/users", "/admin/mailbox", "/admin/account", "/admin/settings", "/admin/settings/widget",
    "/admin/settings/sources", "/admin/settings/imports", "/admin/settings/privacy", "/admin/settings/loop",
    "/admin/settings/ai", "/admin/settings/answers", "/admin/settings/connections", "/admin/settings/connections/new",
    "/admin/settings/connections/new/imap", "/admin/feedback/proposals", "/demo/widget", "/", "/roadmap", "/changelog",
]  # fmt: skip
#: Pages of one thing: where the first link to one stands, and what it looks like.
ONE_OF = {
    "/admin/feedback/insights": "[data-row]",
    "/admin/roadmap": ".card a",
    "/admin/changelog": "main a[href*='/admin/changelog/']:not([href$=new])",
    "/admin/users": "td a",
    "/": ".post-row h2 a",
    "/changelog": "main a[href^='/changelog/']",
    "/admin/feedback/stream": ".journey a.muted",
}


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: Site) -> StorageState:
    """The owner's session in a workspace that holds the sample."""
    done = site.installation.run("demo", "load")
    assert done.returncode == 0, done.stderr
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.entry)
    page.get_by_role("button", name="Enter").click()
    page.wait_for_url("**/insights*")

    def has_themes() -> bool:
        page.reload()
        return page.locator("[data-row]").count() > 9

    wait_until(has_themes, seconds=60, what="the sample's themes")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def addresses(browser: Browser, site: Site, signed_in: StorageState) -> list[str]:
    """Every page that is looked at, one of each kind among them."""
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    found = [site.address + path for path in PAGES]
    for path, link in ONE_OF.items():
        page.goto(site.address + path)
        page.locator(link).first.wait_for(state="attached")
        found.append(page.locator(link).first.evaluate("link => link.href"))
    page.goto(next(address for address in found if "theme=" in address))
    found.append(page.get_by_role("link", name="Promote to post").evaluate("link => link.href"))
    page.goto(next(address for address in found if "/stream/" in address))
    found.append(page.get_by_role("link", name="Open the author’s receipt").evaluate("link => link.href"))
    page.goto(f"{site.address}/admin/settings/connections/new/mailgun")
    page.get_by_label("Address that people write to").fill("feedback@harbour.example")
    page.get_by_role("button", name="Connect").click()
    page.get_by_text("Tell Mailgun where to deliver").wait_for()
    found.append(page.url)
    context.close()
    return found


def visits(browser: Browser, state: StorageState, addresses: list[str], width: int, scheme: Scheme) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(
        storage_state=state,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    for address in addresses:
        assert (answer := page.goto(address)) is not None
        assert answer.status == 200, address
        yield page
    context.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]


def sticks_out(page: Page) -> list[str]:
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{page.url} is {wider} px too wide"] if wider > 0 else []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_nothing_keeps_anybody_out(
    browser: Browser, signed_in: StorageState, addresses: list[str], width: int, scheme: Scheme
) -> None:
    pages = visits(browser, signed_in, addresses, width, scheme)
    assert [fault for page in pages for fault in [*violations(page), *sticks_out(page)]] == []


def test_a_card_is_dragged_to_another_status(browser: Browser, site: Site, signed_in: StorageState) -> None:
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{site.address}/admin/roadmap")
    title = page.locator("[data-drop=planned] .card a").first.inner_text()
    page.locator("[data-drop=planned] .card").first.drag_to(page.locator("[data-drop=in-progress]"))
    page.locator("[data-drop=in-progress] .card", has_text=title).wait_for()
    context.close()


def test_what_keeps_somebody_out_is_seen(browser: Browser) -> None:
    """The control: grey on grey, a picture without words, a field without a name, and wider than a phone."""
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.set_content(
        "<html lang=en><title>x</title><main><h1 style='color:#aaa'>Pale</h1><img src='data:,'><input>"
        "<div style='width:400px'>w</div></main>"
    )
    names = {fault.split()[1].rstrip(":") for fault in violations(page)}
    assert {"color-contrast", "image-alt", "label"} <= names
    assert sticks_out(page)
    page.close()
