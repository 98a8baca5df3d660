"""The widget in a real page of another company: strict, hostile, offline, in two tabs, and with somebody known."""

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.host_site import HOSTILE_CSS, POLLUTED, HostSite, serve_host_site

pytestmark = pytest.mark.browser

AXE_TAGS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def white_png(width: int, height: int) -> bytes:
    """A white picture."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + b"\xff" * 3 * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.fixture(scope="module")
def host() -> Iterator[HostSite]:
    with serve_host_site() as running:
        yield running


@pytest.fixture(scope="module")
def key(site: Site, host: HostSite) -> str:
    made = site.installation.run("key", "create", "--widget", "--origin", host.address, "Shop", "--json")
    assert made.returncode == 0, made.stderr
    return str(json.loads(made.stdout)["key"])


def in_database(site: Site, code: str, *arguments: str) -> Any:
    """What `code` assigns to `answer`, run inside the workspace of the installation."""
    body = "\n".join(f"        {line}" for line in code.strip().splitlines())
    program = f"""
import json, sys
from tellback.cli.environment import ready
with ready():
    from tellback.platform.tenancy import in_workspace, list_workspace_ids
    with in_workspace(list_workspace_ids()[0]):
        given = sys.argv[1:]
{body}
print(json.dumps(answer))
"""
    done = site.installation.run_python(program, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def stored(site: Site, text: str) -> list[dict[str, Any]]:
    """The raw items with exactly this text."""
    code = """
from tellback.intake.models import RawItem
rows = RawItem.objects.filter(content__text=given[0]).select_related("principal")
answer = [{"author": row.author, "category": row.category, "context": row.context_envelope, "source": row.source_type,
           "person": str(row.principal.email) if row.principal else None} for row in rows]
"""
    found: list[dict[str, Any]] = in_database(site, code, text)
    return found


class Visit:
    """A browser's tab on the other company's page, with what it asked Tellback for."""

    def __init__(self, context: BrowserContext, host: HostSite, site: Site, path: str = "/") -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda one: (
                self.asked.append(f"{one.method} {one.url.removeprefix(site.address)}")
                if one.url.startswith(site.address)
                else None
            ),
        )
        self.page.goto(host.address + path)

    @property
    def launcher(self) -> Any:
        return self.page.locator("tellback-widget button.launch")

    @property
    def panel(self) -> Any:
        return self.page.locator("tellback-widget").get_by_role("dialog")

    def write(self, text: str, **more: str) -> None:
        if not self.panel.is_visible():
            self.launcher.click()
        self.panel.get_by_label("Your message").fill(text)
        for label, value in more.items():
            self.panel.get_by_label(label).fill(value)

    def send(self) -> None:
        self.panel.get_by_role("button", name="Send", exact=True).click()

    def sent(self) -> list[str]:
        return [one for one in self.asked if one == "POST /v2/feedback"]


def plain_page(site: Site, key: str, *, head: str = "", body: str = "<h1>Shop</h1>") -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>{head}'
        f'<script async src="{site.address}/widget.js?key={key}"></script></head>'
        f"<body><main>{body}</main></body></html>"
    )


@pytest.fixture
def shop(host: HostSite, site: Site, key: str) -> HostSite:
    """The company's page as an ordinary one."""
    host.policy, host.files = "", {}
    host.put("/", plain_page(site, key))
    host.put("/favicon.ico", "x", "image/x-icon")
    return host


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1100, "height": 860}, locale="en-GB")
    yield made
    made.close()


def make_strict_and_hostile(shop: HostSite, site: Site, key: str) -> None:
    """The company's page with a strict policy, style that hides everything, and a language that is not what it was."""
    shop.policy = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self' {site.address}; "
        f"connect-src {site.address}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    head = '<link rel="stylesheet" href="/hostile.css"><script src="/polluted.js"></script>'
    shop.put("/", plain_page(site, key, head=head))
    shop.put("/hostile.css", HOSTILE_CSS, "text/css")
    shop.put("/polluted.js", POLLUTED, "text/javascript")


def test_in_a_strict_and_hostile_page_it_is_seen_and_sends_exactly_once(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    make_strict_and_hostile(shop, site, key)
    visit = Visit(context, shop, site)
    expect(visit.launcher).to_be_visible()
    box = visit.launcher.bounding_box()
    assert box["height"] >= 44
    assert box["x"] + box["width"] == pytest.approx(1080, abs=1)
    assert visit.asked == [f"GET /widget.js?key={key}"], "nothing else is asked for before somebody acts"
    visit.write("Strict pages can speak too.", **{"E-mail": "ada@example.com"})
    assert visit.panel.bounding_box()["width"] == 380
    visit.panel.get_by_label("4 of 5").check(force=True)
    visit.panel.get_by_label("An idea").check(force=True)
    send = visit.panel.get_by_role("button", name="Send", exact=True)
    send.dblclick()
    link = visit.panel.get_by_role("link", name="Follow what happens")
    expect(link).to_be_visible()
    assert link.get_attribute("href").startswith(f"{site.address}/r/")
    assert len(visit.sent()) == 1
    items = stored(site, "Strict pages can speak too.")
    assert len(items) == 1
    assert (items[0]["category"], items[0]["source"]) == ("feature", "widget")
    assert items[0]["author"]["email"] == "ada@example.com"
    assert items[0]["context"]["pageContext"]["url"] == f"{shop.address}/"
    assert visit.complaints == []


def test_it_leaves_one_name_in_the_page_and_none_when_it_is_taken_out(
    context: BrowserContext, shop: HostSite, site: Site
) -> None:
    shop.put("/empty", "<!doctype html><title>Empty</title>")
    bare = set(Visit(context, shop, site, "/empty").page.evaluate("Object.getOwnPropertyNames(window)"))
    visit = Visit(context, shop, site)
    visit.write("x")
    names = "Object.getOwnPropertyNames(window)"
    assert set(visit.page.evaluate(names)) - bare == {"Tellback"}
    visit.page.evaluate("Tellback('destroy')")
    assert set(visit.page.evaluate(names)) - bare == set()
    assert visit.page.locator("tellback-widget").count() == 0


def test_offline_for_ten_minutes_in_two_tabs_everything_arrives_once(
    context: BrowserContext, shop: HostSite, site: Site
) -> None:
    context.clock.install()
    tabs = [Visit(context, shop, site) for _ in range(2)]
    for tab in tabs:
        tab.launcher.click()
        expect(tab.panel).to_be_visible()
    context.set_offline(True)
    texts = [f"Written in tab {number} under ground." for number in range(2)]
    for tab, text in zip(tabs, texts, strict=True):
        tab.write(text)
        tab.send()
        expect(tab.panel.get_by_role("heading", name="Kept. It will be sent.")).to_be_visible()
    for _ in range(10):
        for tab in tabs:
            tab.page.clock.fast_forward("01:00")
    assert [tab.sent() for tab in tabs] == [[], []]
    waiting = "Object.entries(localStorage).filter(([name]) => name.startsWith('tellback:')).map(([, n]) => n)"
    assert tabs[0].page.evaluate(waiting) == ["2"]
    context.set_offline(False)
    tabs[0].page.wait_for_function(f"() => ({waiting}).length === 0")
    for tab in tabs:
        tab.page.clock.fast_forward("30:00")
    assert sum(len(tab.sent()) for tab in tabs) == 2
    assert [len(stored(site, text)) for text in texts] == [1, 1]


def test_in_two_strict_and_hostile_tabs_what_was_written_offline_arrives_once(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    make_strict_and_hostile(shop, site, key)
    tabs = [Visit(context, shop, site) for _ in range(2)]
    for tab in tabs:
        tab.launcher.click()
        expect(tab.panel).to_be_visible()
    context.set_offline(True)
    texts = [f"Written in hostile tab {number}." for number in range(2)]
    for tab, text in zip(tabs, texts, strict=True):
        tab.write(text)
        tab.send()
        expect(tab.panel.get_by_role("heading", name="Kept. It will be sent.")).to_be_visible()
    assert [tab.sent() for tab in tabs] == [[], []]
    context.set_offline(False)
    for _ in range(200):
        if all(stored(site, text) for text in texts):
            break
        tabs[0].page.wait_for_timeout(50)
    assert [len(stored(site, text)) for text in texts] == [1, 1]
    for tab in tabs:
        # What the tabs have asked for meanwhile is told with their next answer.
        expect(tab.launcher).to_be_attached()
    assert sum(len(tab.sent()) for tab in tabs) == 2


def test_what_was_kept_is_sent_by_the_next_page(context: BrowserContext, shop: HostSite, site: Site) -> None:
    visit = Visit(context, shop, site)
    visit.launcher.click()
    expect(visit.panel).to_be_visible()
    context.set_offline(True)
    visit.write("Kept over the closing of the tab.")
    visit.send()
    expect(visit.panel.get_by_role("heading", name="Kept. It will be sent.")).to_be_visible()
    visit.page.close()
    context.set_offline(False)
    later = context.new_page()
    with later.expect_response(lambda one: one.url.endswith("/v2/feedback") and one.request.method == "POST") as found:
        later.goto(shop.address)
    assert found.value.ok, "202, or 200 when the closing tab got it out with its last breath"
    assert len(stored(site, "Kept over the closing of the tab.")) == 1


def test_a_lost_answer_is_asked_for_again_and_counts_once(context: BrowserContext, shop: HostSite, site: Site) -> None:
    context.clock.install()
    visit = Visit(context, shop, site)
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    context.route("**/v2/feedback", lose_the_first)
    visit.write("The answer to this was lost.")
    visit.send()
    expect(visit.panel.get_by_role("heading", name="Kept. It will be sent.")).to_be_visible()
    with visit.page.expect_response(lambda one: one.url.endswith("/v2/feedback") and one.ok) as found:
        visit.page.clock.fast_forward("00:10")
    assert found.value.json()["status"] == "duplicate"
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(stored(site, "The answer to this was lost.")) == 1


def test_it_comes_back_when_the_server_says_and_not_before(context: BrowserContext, shop: HostSite, site: Site) -> None:
    context.clock.install()
    visit = Visit(context, shop, site)
    tried: list[str] = []

    def be_busy_once(route: Route) -> None:
        tried.append(route.request.url)
        if len(tried) > 1:
            route.continue_()
            return
        headers = {
            "Retry-After": "120",
            "Access-Control-Allow-Origin": shop.address,
            "Access-Control-Expose-Headers": "Retry-After",
        }
        route.fulfill(status=503, headers=headers, json={"code": "unavailable", "detail": "Busy."})

    context.route("**/v2/feedback", be_busy_once)
    visit.write("Come back in two minutes.")
    visit.send()
    expect(visit.panel.get_by_role("heading", name="Kept. It will be sent.")).to_be_visible()
    visit.page.clock.fast_forward("01:50")
    context.set_offline(True)
    context.set_offline(False)
    visit.page.wait_for_timeout(0)
    assert len(tried) == 1
    with visit.page.expect_response(lambda one: one.url.endswith("/v2/feedback") and one.ok):
        visit.page.clock.fast_forward("00:15")
    assert len(tried) == 2


KEEP_MANY = """async ([base, key, version]) => {
    const { newKey, submit } = await import(`${base}/widget/${version}/courier.js`);
    const app = { setup: { base }, options: { key }, emit() {}, paint() {} };
    const answers = [];
    for (let n = 0; n < 21; n++) answers.push(await submit(app, { idempotencyKey: newKey(), content: "n" }, []));
    return answers;
}"""


def test_twenty_wait_at_most_and_for_a_week_at_most(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    context.clock.install()
    visit = Visit(context, shop, site)
    visit.launcher.click()
    expect(visit.panel).to_be_visible()
    version = visit.page.evaluate("Tellback.version")
    context.set_offline(True)
    answers = visit.page.evaluate(KEEP_MANY, [site.address, key, version])
    assert answers == [{"kept": True}] * 20 + [{"full": True}]
    visit.write("One too many.")
    visit.send()
    expect(visit.panel.get_by_role("alert")).to_contain_text("Too much waits")
    visit.page.clock.fast_forward(7 * 86_400_000 + 1000)
    context.set_offline(False)
    visit.send()
    expect(visit.panel.get_by_role("link", name="Follow what happens")).to_be_visible()
    assert len(visit.sent()) == 1, "what waited longer than a week is not sent any more"
    assert len(stored(site, "One too many.")) == 1


def test_a_page_that_may_store_nothing_can_still_send(context: BrowserContext, shop: HostSite, site: Site) -> None:
    context.add_init_script("""
        const refuse = { get() { throw new DOMException("no", "SecurityError"); } };
        for (const name of ["indexedDB", "localStorage", "sessionStorage"]) Object.defineProperty(window, name, refuse);
    """)
    visit = Visit(context, shop, site)
    visit.write("Nothing may be stored here.")
    visit.send()
    expect(visit.panel.get_by_role("link", name="Follow what happens")).to_be_visible()
    assert len(stored(site, "Nothing may be stored here.")) == 1
    assert visit.complaints == []


def test_a_site_that_may_not_use_the_key_is_told_what_to_do(
    context: BrowserContext, shop: HostSite, site: Site
) -> None:
    made = site.installation.run("key", "create", "--widget", "--origin", "https://other.example", "Other", "--json")
    shop.put("/", plain_page(site, json.loads(made.stdout)["key"]))
    visit = Visit(context, shop, site)
    warned: list[str] = []
    visit.page.on("console", lambda said: warned.append(said.text) if said.type == "warning" else None)
    visit.write("Nobody will read this here.")
    visit.send()
    expect(visit.panel.get_by_role("alert")).to_contain_text("could not be sent")
    assert visit.panel.get_by_label("Your message").input_value() == "Nobody will read this here."
    assert any(shop.address in text and "Settings, Widget" in text for text in warned)
    assert stored(site, "Nobody will read this here.") == []


PERSON = """
from datetime import timedelta
import jwt
from django.utils import timezone
from tellback.loop.models import ChangelogEntry, Notification
from tellback.workspaces.models import Principal, WidgetKeyAlgorithm, WidgetSigningKey, Workspace
from tellback.workspaces.widget_identity.keys import issue_signing_key
workspace = Workspace.objects.get()
WidgetSigningKey.objects.all().delete()
issued = issue_signing_key(workspace=workspace, name="Shop", algorithm=WidgetKeyAlgorithm.HS256)
person, _ = Principal.objects.get_or_create(workspace=workspace, email="bea@example.com")
entry, _ = ChangelogEntry.objects.get_or_create(
    workspace=workspace, title="Offline mode", slug="offline", defaults={"published_at": timezone.now()})
Notification.objects.update_or_create(workspace=workspace, principal=person, key=f"changelog:{entry.id}", defaults={
    "type": "changelog_published", "title": "Shipped", "url": "/changelog/offline", "read_at": None})
claims = {"sub": "c-9", "aud": workspace.public_id, "exp": timezone.now() + timedelta(minutes=5),
          "email": "bea@example.com", "name": "Bea", "jti": given[0]}
answer = jwt.encode(claims, issued.secret, algorithm="HS256", headers={"kid": issued.signing_key.public_id})
"""


def test_somebody_known_is_greeted_with_what_shipped_and_writes_under_their_name(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    token = in_database(site, PERSON, "once")
    stub = (
        "window.Tellback ??= Object.assign(function f() { f.q[f.q.length] = arguments; }, { q: [] });"
        f"Tellback('on', 'identified', (who) => {{ window.known = who.id; }});"
        f"Tellback('identify', {{ token: '{token}' }}); Tellback('metadata', {{ plan: 'team' }});"
    )
    shop.put("/stub.js", stub, "text/javascript")
    shop.put("/", plain_page(site, key, head='<script src="/stub.js"></script>'))
    visit = Visit(context, shop, site)
    expect(visit.launcher).to_contain_text("1")
    assert visit.page.evaluate("window.known") == "c-9"
    visit.launcher.click()
    news = visit.panel.get_by_role("link", name="Offline mode")
    assert news.get_attribute("href") == f"{site.address}/changelog/offline"
    expect(visit.panel.get_by_text("You write as Bea")).to_be_visible()
    assert visit.panel.get_by_label("E-mail").count() == 0
    visit.write("I am known here.")
    visit.send()
    expect(visit.panel.get_by_role("link", name="Follow what happens")).to_be_visible()
    item = stored(site, "I am known here.")[0]
    assert item["author"].keys() == {"principalId"}
    assert item["context"]["metadata"]["plan"] == "team"
    visit.page.reload()
    visit.page.wait_for_function("window.known === 'c-9'")
    expect(visit.launcher).not_to_contain_text("1")
    assert len([one for one in visit.asked if one == "POST /widget/identity"]) == 1, "a session lasts over pages"
    visit.page.evaluate("Tellback('logout')")
    visit.launcher.click()
    expect(visit.panel.get_by_label("E-mail")).to_be_visible()


def test_a_session_that_ended_is_renewed_and_the_message_keeps_its_author(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    first, second = in_database(
        site,
        PERSON.replace("answer = ", "answer = [") + ', jwt.encode({**claims, "jti": '
        'given[1]}, issued.secret, algorithm="HS256", headers={"kid": issued.signing_key.public_id})]',
        "a-1",
        "a-2",
    )
    stub = (
        f"const tokens = ['{first}', '{second}'];"
        "window.Tellback ??= Object.assign(function f() { f.q[f.q.length] = arguments; }, { q: [] });"
        "Tellback('identify', { token: async () => tokens.shift() });"
    )
    shop.put("/stub.js", stub, "text/javascript")
    shop.put("/", plain_page(site, key, head='<script src="/stub.js"></script>'))
    sessions: list[str] = []

    def end_the_first(route: Route) -> None:
        sessions.append(route.request.headers.get("x-widget-session", ""))
        if len(sessions) > 1:
            route.continue_()
            return
        headers = {"Access-Control-Allow-Origin": shop.address}
        route.fulfill(status=401, headers=headers, json={"code": "widget-session-ended", "detail": "Ended."})

    context.route("**/v2/feedback", end_the_first)
    visit = Visit(context, shop, site)
    visit.write("I was here for more than an hour.")
    visit.send()
    expect(visit.panel.get_by_role("link", name="Follow what happens")).to_be_visible()
    assert len(sessions) == 2
    assert all(sessions)
    assert visit.asked.count("POST /widget/identity") == 2
    assert stored(site, "I was here for more than an hour.")[0]["author"].keys() == {"principalId"}


HOSTILE_TEXTS = [
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_what_is_written_stays_text(context: BrowserContext, shop: HostSite, site: Site, text: str) -> None:
    visit = Visit(context, shop, site)
    shown: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.dismiss()

    visit.page.on("dialog", dismiss)
    visit.page.evaluate("text => Tellback('init', { label: text, kinds: [text, 'bug'], accent: text })", text)
    visit.page.evaluate("text => Tellback('identify', { name: text, email: 'a@example.com' })", text)
    visit.page.evaluate("text => Tellback('open', { message: text, title: text })", text)
    expect(visit.panel.get_by_label("Your message")).to_have_value(text)
    expect(visit.panel.get_by_text(f"You write as {text}")).to_be_visible()
    visit.panel.get_by_label("A problem").check(force=True)
    visit.send()
    expect(visit.panel.locator(".said")).to_have_text(text)
    assert shown == []
    assert visit.complaints == []
    assert visit.page.locator("tellback-widget").locator("img, script, style, math, iframe").count() == 0


def test_the_keyboard_is_enough_and_the_pages_own_shortcuts_stay_quiet(
    context: BrowserContext, shop: HostSite, site: Site, key: str
) -> None:
    shop.put("/keys.js", "window.heard = []; addEventListener('keydown', (e) => heard.push(e.key));", "text/javascript")
    shop.put("/", plain_page(site, key, head='<script src="/keys.js"></script>'))
    visit = Visit(context, shop, site)
    visit.launcher.focus()
    visit.page.keyboard.press("Enter")
    expect(visit.panel.get_by_label("Your message")).to_be_focused()
    visit.page.keyboard.type("s j")
    assert visit.page.evaluate("heard") == ["Enter"]
    visit.page.keyboard.press("Escape")
    expect(visit.panel).to_have_count(0)
    expect(visit.launcher).to_be_focused()
    visit.page.keyboard.press("Enter")
    visit.panel.get_by_role("button", name="Send", exact=True).press("Enter")
    expect(visit.panel.get_by_role("alert")).to_have_text("Write a few words first.")
    expect(visit.panel.get_by_label("Your message")).to_be_focused()


ATTACHED = """
from tellback.intake.models import Attachment
rows = Attachment.objects.filter(raw_item__content__text=given[0])
answer = [[row.name, row.media_type, row.width] for row in rows]
"""
#: For points of a picture, as parts of its width and height: how light each is.
LIGHT = """(canvas, points) => points.map(([x, y]) =>
    canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data[0])"""


def around(box: Any, canvas: Any) -> tuple[list[list[float]], list[list[float]]]:
    """Points just inside and just outside of each edge of a box, as parts of the picture it lies on."""
    left, right = box["x"] - canvas["x"], box["x"] + box["width"] - canvas["x"]
    top, bottom = box["y"] - canvas["y"], box["y"] + box["height"] - canvas["y"]
    x, y = (left + right) / 2, (top + bottom) / 2
    edges = [((left, y), (1, 0)), ((right, y), (-1, 0)), ((x, top), (0, 1)), ((x, bottom), (0, -1))]

    def moved(step: int) -> list[list[float]]:
        return [
            [(at[0] + step * to[0]) / canvas["width"], (at[1] + step * to[1]) / canvas["height"]] for at, to in edges
        ]

    return moved(4), moved(-4)


@pytest.mark.parametrize("size", [(600, 400), (2400, 300), (300, 2400)])
def test_a_picture_goes_along_without_what_was_hidden_in_it(
    context: BrowserContext, shop: HostSite, site: Site, size: tuple[int, int]
) -> None:
    visit = Visit(context, shop, site)
    text = f"See the picture of {size[0]} by {size[1]} pixels."
    visit.write(text)
    assert not [one for one in visit.asked if "shot" in one], "pictures cost nothing before one is wanted"
    with visit.page.expect_file_chooser() as chooser:
        visit.panel.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files({"name": "screen.png", "mimeType": "image/png", "buffer": white_png(*size)})
    editor = visit.page.get_by_role("dialog", name="Picture")
    expect(editor).to_be_visible()
    assert violations(visit.page) == []
    editor.get_by_role("button", name="Hide something").click()
    box = editor.get_by_role("group", name="Hidden area 1")
    expect(box).to_be_focused()
    before = box.bounding_box()
    box.press("ArrowRight")
    box.press("Shift+ArrowDown")
    after = box.bounding_box()
    assert before
    assert after
    assert after["x"] > before["x"]
    assert after["height"] > before["height"]
    canvas = editor.locator("canvas").bounding_box()
    assert canvas
    visit.page.mouse.move(canvas["x"] + 5, canvas["y"] + 5)
    visit.page.mouse.down()
    visit.page.mouse.move(canvas["x"] + 20, canvas["y"] + 20)
    visit.page.mouse.up()
    expect(editor.get_by_role("group")).to_have_count(2)
    inside, outside = around(box.bounding_box(), canvas)
    editor.get_by_role("button", name="Done").click()
    picture = visit.panel.get_by_role("img", name="Picture 1")
    expect(picture).to_be_visible()
    assert picture.evaluate(LIGHT, inside) == [0] * 4, "black where the box was seen"
    assert picture.evaluate(LIGHT, outside) == [255] * 4, "and nowhere else"
    expect(visit.panel.get_by_label("Your message")).to_be_focused()
    visit.send()
    expect(visit.panel.get_by_role("link", name="Follow what happens")).to_be_visible()
    assert in_database(site, ATTACHED, text) == [["picture-1.jpg", "image/jpeg", size[0] * 1920 // max(1920, *size)]]


def add_picture(visit: Visit) -> Any:
    """Choose a picture; the editor that opens."""
    with visit.page.expect_file_chooser() as chooser:
        visit.panel.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files({"name": "screen.png", "mimeType": "image/png", "buffer": white_png(60, 40)})
    return visit.page.get_by_role("dialog", name="Picture")


def test_a_picture_that_cannot_be_packed_is_said_and_the_rest_is_kept(
    context: BrowserContext, shop: HostSite, site: Site
) -> None:
    context.add_init_script("HTMLCanvasElement.prototype.toBlob = (done) => done(null);")
    visit = Visit(context, shop, site)
    visit.write("The browser has no memory left for this one.")
    add_picture(visit).get_by_role("button", name="Done").click()
    expect(visit.panel.get_by_text("This picture could not be added.")).to_be_visible()
    expect(visit.panel.get_by_role("img", name="Picture 1")).to_have_count(0)
    expect(visit.panel.get_by_label("Your message")).to_have_value("The browser has no memory left for this one.")


def test_done_pressed_twice_adds_one_picture(context: BrowserContext, shop: HostSite, site: Site) -> None:
    context.add_init_script("""
        const pack = HTMLCanvasElement.prototype.toBlob;
        window.waiting = [];
        window.packAll = () => window.waiting.splice(0).forEach(([canvas, given]) => pack.apply(canvas, given));
        HTMLCanvasElement.prototype.toBlob = function (...given) { window.waiting.push([this, given]); };
    """)
    visit = Visit(context, shop, site)
    visit.write("My mouse clicks twice.")
    add_picture(visit).get_by_role("button", name="Done").dblclick()
    visit.page.wait_for_function("window.waiting.length === 2")
    visit.page.evaluate("window.packAll()")
    expect(visit.panel.get_by_role("img", name="Picture 1")).to_be_visible()
    expect(visit.panel.get_by_role("button", name="Remove")).to_have_count(1)


def test_the_screen_is_captured_only_when_somebody_says_so(context: BrowserContext, shop: HostSite, site: Site) -> None:
    context.add_init_script("""
        window.captures = 0;
        navigator.mediaDevices.getDisplayMedia = async () => {
          window.captures += 1;
          if (window.captures === 1) throw new DOMException("no", "NotAllowedError");
          const screen = document.createElement("canvas");
          screen.width = 640; screen.height = 360;
          const pen = screen.getContext("2d");
          setInterval(() => { pen.fillStyle = "#fff"; pen.fillRect(0, 0, 640, 360); }, 30);
          window.stream = screen.captureStream(30);
          return window.stream;
        };""")
    visit = Visit(context, shop, site)
    visit.write("Look here.")
    assert visit.page.evaluate("captures") == 0
    capture = visit.panel.get_by_role("button", name="Capture this screen")
    capture.click()
    expect(visit.panel).to_be_visible()
    expect(visit.panel.get_by_role("alert")).to_have_count(0)
    capture.click()
    editor = visit.page.get_by_role("dialog", name="Picture")
    expect(editor).to_be_visible()
    assert visit.page.evaluate("stream.getTracks().every((track) => track.readyState === 'ended')")
    editor.press("Escape")
    expect(visit.panel.get_by_label("Your message")).to_have_value("Look here.")
    assert visit.panel.get_by_role("img").count() == 0


def violations(page: Page) -> list[str]:
    found = Axe().run(page, context={"include": [["tellback-widget"]]}, options=AXE_TAGS).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_nothing_in_it_keeps_anybody_out(
    browser: Browser, shop: HostSite, site: Site, scheme: Any, width: int, locale: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale)
    visit = Visit(context, shop, site)
    visit.page.emulate_media(reduced_motion="reduce")
    expect(visit.launcher).to_be_visible()
    assert violations(visit.page) == []
    visit.launcher.click()
    expect(visit.panel).to_be_visible()
    assert visit.panel.evaluate("one => getComputedStyle(one).direction") == ("rtl" if locale == "ar" else "ltr")
    assert violations(visit.page) == []
    visit.panel.locator("button.main").click()
    expect(visit.panel.get_by_role("alert")).not_to_be_empty()
    assert violations(visit.page) == []
    context.close()


def test_the_probe_for_violations_sees_into_the_widget(context: BrowserContext, shop: HostSite, site: Site) -> None:
    visit = Visit(context, shop, site)
    visit.launcher.click()
    expect(visit.panel).to_be_visible()
    visit.panel.get_by_role("button", name="Close").evaluate("one => one.removeAttribute('aria-label')")
    assert [one.partition(":")[0] for one in violations(visit.page)] == ["button-name"]


WINDOW = """
from tellback.intake.models import IdempotencyKey
row = IdempotencyKey.objects.get(key=given[0])
answer = (row.expires_at - row.created_at).days
"""


def test_the_door_refuses_another_site_and_an_ended_session_and_knows_a_key_for_longer_than_a_week(
    site: Site, host: HostSite, key: str
) -> None:
    body = {"idempotencyKey": str(uuid4()), "content": "Straight to the door.", "channel": "in-app"}
    headers = {"X-Widget-Key": key, "Origin": host.address}
    with httpx.Client(base_url=site.address, trust_env=False) as client:
        asked = client.options("/v2/feedback", headers={"Origin": host.address})
        assert {"x-widget-key", "x-widget-session"} <= set(asked.headers["access-control-allow-headers"].split(", "))
        strange = client.post("/v2/feedback", json=body, headers={**headers, "Origin": "https://evil.example"})
        assert (strange.status_code, strange.json()["code"]) == (403, "origin-not-allowed")
        assert strange.headers["content-type"] == "application/problem+json"
        assert "https://evil.example" in strange.json()["detail"]
        ended = client.post("/v2/feedback", json=body, headers={**headers, "X-Widget-Session": "made:up:word"})
        assert (ended.status_code, ended.json()["code"]) == (401, "widget-session-ended")
        assert stored(site, "Straight to the door.") == []
        assert client.post("/v2/feedback", json=body, headers=headers).status_code == 202
        assert client.post("/v2/feedback", json=body, headers=headers).status_code == 200
    assert len(stored(site, "Straight to the door.")) == 1
    assert in_database(site, WINDOW, body["idempotencyKey"]) == 8


SAMPLE = """
from django.utils import timezone
from tellback.widget.sample import open_site
from tellback.workspaces.models import ExternalIdentity, Principal, WidgetSigningKey, Workspace
workspace = Workspace.objects.get()
WidgetSigningKey.objects.all().delete()
person, _ = Principal.objects.get_or_create(
    workspace=workspace, email="hana@example.com", defaults={"display_name": "Hana"})
ExternalIdentity.objects.get_or_create(
    workspace=workspace, source_type="api", external_user_id="tidemark:hana", defaults={"principal": person})
open_site(workspace=workspace, origin=given[0], now=timezone.now())
answer = None
"""


def test_the_samples_website_shows_it_all(site: Site, page: Page) -> None:
    in_database(site, SAMPLE, site.address)
    page.goto(f"{site.address}/demo/widget?as=hana")
    widget = page.locator("tellback-widget")
    expect(widget.locator(".launch")).to_contain_text("1")
    page.get_by_role("button", name="Report a problem").click()
    expect(widget.get_by_label("A problem")).to_be_checked()
    expect(widget.get_by_role("link", name="Start a job from a checklist")).to_be_visible()
    expect(widget.get_by_text("You write as Hana")).to_be_visible()
    widget.get_by_label("Your message").fill("From the sample's own website.")
    widget.get_by_role("button", name="Send", exact=True).click()
    with page.expect_popup() as opened:
        widget.get_by_role("link", name="Follow what happens").click()
    expect(opened.value.get_by_text("From the sample's own website.").first).to_be_visible()


def test_the_preview_follows_the_form_and_what_is_saved_reaches_pages(
    site: Site, page: Page, browser: Browser, context: BrowserContext, shop: HostSite
) -> None:
    page.goto(site.entry)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Widget").click()
    preview = page.frame_locator("iframe[title='Preview of the widget']")
    expect(preview.get_by_label("3 of 5")).to_be_attached()
    page.get_by_label("Ask for a rating of one to five stars").uncheck()
    expect(preview.get_by_label("3 of 5")).to_have_count(0)
    page.get_by_label("Words on the button").fill("Tell us")
    page.get_by_label("Billing", exact=True).check()
    expect(preview.get_by_label("Billing")).to_be_attached()
    preview.get_by_label("Your message").fill("Only a try.")
    preview.get_by_role("button", name="Send", exact=True).click()
    expect(preview.get_by_role("heading", name="Thank you. We have it.")).to_be_visible()
    assert stored(site, "Only a try.") == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Pages follow within five minutes.")).to_be_visible()
    visit = Visit(context, shop, site)
    expect(visit.launcher).to_contain_text("Tell us")
    # Taken back by the page, which also makes the web process forget what it remembered of the key.
    page.get_by_label("Ask for a rating of one to five stars").check()
    page.get_by_label("Words on the button").fill("")
    page.get_by_label("Billing", exact=True).uncheck()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Save", exact=True).click()
    somebody_else = browser.new_context(locale="en-GB")
    later = Visit(somebody_else, shop, site)
    expect(later.launcher).to_contain_text("Feedback")
    somebody_else.close()
