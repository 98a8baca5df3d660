"""Every page keeps to itself: a strict policy, nothing inline, nothing from elsewhere (trust.md, INP-02).

The pages are found by following links, and the table of addresses says whether all were found.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve

from tests.test_access import ADDRESSES, OTHERS, ROLE_OF

SITE = "http://testserver"
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "form": "action", "source": "src",
           "video": "src", "audio": "src", "object": "data", "embed": "src", "use": "href"}  # fmt: skip
HX = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
#: Addresses that answer no plain GET with a page of their own, or are steps that a crawl cannot be in.
NOT_CRAWLED = {
    # Only POST.
    "vote", "comment", "theme-archive", "theme-rename", "theme-join", "theme-split", "theme-upkeep",
    "theme-upkeep-settings", "theme-change-accept", "theme-change-decline", "theme-change-undo",
    "stream-retry", "move-post", "publish-entry", "settings-keys", "new-source",
    "settings-key-revoke", "settings-members", "settings-member", "settings-name", "choose-workspace", "account-name",
    "account-password", "privacy-pattern-remove", "merge-person", "unmerge-person", "reveal-originals",
    "settings-widget-sites", "settings-signing-key-revoke", "move-signal", "change-signal", "dismiss-signal",
    "confirm-signal", "undo-correction", "connection-look", "connection-test", "connection-switch",
    "connection-remove", "settings-ai-again", "settings-replay-adopt", "settings-replay-discard", "quality-check",
    "duplicate-confirm", "duplicate-dismiss", "duplicate-undo",
    # Only with the sample loaded; tests/browser opens it.
    "demo-widget",
    # Files, not pages.
    "attachment", "signed-file", "refused-rows",
    # Links that work once, and steps of signing in.
    "enter", "account_confirm_login_code", "account_logout", "account_inactive", "account_email_verification_sent",
    "account_reauthenticate", "account_signup", "account_set_password", "account_reset_password", "account_email",
    "account_change_password", "account_login", "account_request_login_code",
}  # fmt: skip


@dataclass
class Page(HTMLParser):
    """What a page loads, runs and links to."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.wrong.append("an inline script")
        if tag == "style" or "style" in given:
            self.wrong.append(f"an inline style on <{tag}>")
        self.wrong += [f"an inline handler {name}" for name in given if name.startswith("on")]
        self.wrong += [f"a script address in {name}" for name, value in given.items() if _runs(value)]
        if tag in LOADING and given.get(LOADING[tag]):
            self.loads.append(given[LOADING[tag]])
        if given.get("data-url"):
            self.loads.append(given["data-url"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.links += [given["hx-get"]] if given.get("hx-get") else []
        self.loads += [given[name] for name in HX if given.get(name)]


def _runs(value: str) -> bool:
    return re.sub(r"[\s\x00-\x20]", "", value).lower().startswith(("javascript:", "vbscript:"))


def faults(answer: HttpResponse, *, address: str) -> list[str]:
    """What is not strict about an answer."""
    found = []
    # The preview of the widget names this installation as a website would.
    policy = answer.headers.get("Content-Security-Policy", "").replace(settings.BASE_URL, "'self'")
    rules = {part.split()[0] for part in policy.split(";") if part.strip()}
    # A mail is shown in a frame that runs nothing; it may bring its own styles, as mails do.
    is_mail = "sandbox" in rules and "script-src" not in rules
    if not is_mail and not {"default-src", "script-src", "base-uri", "frame-ancestors"} <= rules:
        found.append("no whole policy")
    if re.search(r"https?:|\*|unsafe", policy.replace("style-src 'unsafe-inline'", "") if is_mail else policy):
        found.append(f"a loose policy: {policy}")
    if "html" not in answer.headers.get("Content-Type", ""):
        return found
    page = Page()
    page.feed(answer.content.decode())
    wrong = [fault for fault in page.wrong if not (is_mail and "inline style" in fault)]
    elsewhere = [load for load in page.loads if not _is_here(load, address)]
    return [*found, *wrong, *(f"loads {load}" for load in elsewhere)]


def _is_here(load: str, address: str) -> bool:
    return load.startswith("data:image/") or urlsplit(urljoin(SITE + address, load)).netloc == "testserver"


def crawl(client: Client, *starts: str) -> Iterator[tuple[str, HttpResponse]]:
    """Every address that can be reached by links of this site, once for each path and set of query names."""
    waiting, seen = list(starts), set()
    while waiting:
        address = waiting.pop()
        parts = urlsplit(address)
        shape = (parts.path, tuple(sorted(re.findall(r"([\w-]+)=", parts.query))))
        if shape in seen or parts.path.startswith(("/static/", "/sign-in/logout")):
            continue
        seen.add(shape)
        answer = client.get(address)
        yield address, answer  # type: ignore[misc]
        if answer.status_code in {301, 302}:
            waiting.append(urljoin(address, answer["Location"]))
        elif "html" in answer.headers.get("Content-Type", ""):
            page = Page()
            page.feed(answer.content.decode())
            near = [urldefrag(urljoin(SITE + address, link))[0] for link in page.links + page.loads]
            waiting += [link.removeprefix(SITE) for link in near if link.startswith(SITE)]


@pytest.mark.parametrize("role", ["stranger", "owner"])
def test_every_page_that_can_be_reached_is_strict(
    as_role: Callable[[str], Client], starts: list[str], role: str
) -> None:
    client = as_role(role)
    named, nonces, count = set(), [], 0
    for address, answer in crawl(client, *starts):
        assert answer.status_code < 500, address
        assert faults(answer, address=address) == [], address
        nonces += re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        if role == "owner" and answer.status_code == 200 and address.startswith("/admin"):
            assert re.search("no-store|private", answer.headers.get("Cache-Control", "")), f"{address} may be cached"
        try:
            named.add(resolve(urlsplit(address).path).url_name)
        except Resolver404:
            assert answer.status_code == 404, address
        count += 1
    assert len(nonces) == len(set(nonces))
    assert count > 10
    if role == "owner":
        pages = {
            pattern.name for route, pattern in ADDRESSES if pattern.name in ROLE_OF and not route.startswith(OTHERS)
        }
        assert pages - named - NOT_CRAWLED == set(), "A page that no link leads to"


@pytest.mark.parametrize(
    ("content", "policy", "fault"),
    [
        ("<p onclick='x()'>", None, "an inline handler onclick"),
        ("<script>x()</script>", None, "an inline script"),
        ("<p style='color: red'>", None, "an inline style on <p>"),
        ("<style>p{}</style>", None, "an inline style on <style>"),
        ("<a href=' java\nscript:x()'>", None, "a script address in href"),
        ("<img src='https://elsewhere.example/pixel.gif'>", None, "loads https://elsewhere.example/pixel.gif"),
        ("<script src='//elsewhere.example/x.js'></script>", None, "loads //elsewhere.example/x.js"),
        ("<p hx-get='https://elsewhere.example/'>", None, "loads https://elsewhere.example/"),
        ("<p>", "", "no whole policy"),
        ("<p>", "default-src 'self' 'unsafe-inline'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'",
         "a loose policy: default-src 'self' 'unsafe-inline'; script-src 'self'; base-uri 'none'; "
         "frame-ancestors 'none'"),
    ],
)  # fmt: skip
def test_what_is_not_strict_is_found(content: str, policy: str | None, fault: str) -> None:
    sound = "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    answer = HttpResponse(content, headers={"Content-Security-Policy": sound if policy is None else policy})
    assert fault in faults(answer, address="/")
