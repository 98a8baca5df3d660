"""Nothing that anybody writes runs in anybody's browser, on any page (trust.md, INP-01).

Every text of every table that pages show is replaced by two hundred attempts, tables that come later included; then a
real Chromium opens every page that links lead to. It is answered by the product within this process.
"""

import itertools
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.utils import Error
from django.template import Engine
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route

from tellback.boards.models import Comment, Post, PostTag, Tag
from tellback.effects.models import KeptMail
from tellback.intake.models import Attachment, RawItem
from tellback.loop.changelog import publish_entry, save_entry
from tellback.workspaces.models import Principal
from tests.harness.payloads import CANARY, PAYLOADS
from tests.test_loop import NOW

pytestmark = pytest.mark.browser

HERE = "http://localhost:8000"
ALL = "\n\n".join(PAYLOADS)
#: Columns that hold no words of anybody: names of ours, secrets, addresses that a door checks, what code compares.
NOT_WORDS = {
    "slug", "email", "receipt_token", "external_id", "dedupe_key", "external_url", "url", "digest", "key", "kind",
    "state", "type", "engine", "model", "source_type", "channel", "category", "severity", "because", "password",
    "material", "prefix", "file_key", "media_type", "secrets", "html",
}  # fmt: skip
OUR_WORDS = ("_version", "_model", "_digest", "_by")
#: What has to be among the columns that were found, so that the search for them is one.
SURELY = {
    "raw_feedback_items.content", "raw_feedback_items.author", "raw_feedback_items.context_envelope",
    "feedback_themes.title", "feedback_signals.summary", "post.title", "post.body", "comment.body", "tag.name",
    "changelog_entry.title", "changelog_entry.body", "principal.display_name", "principal.company",
    "kept_mail.subject", "import_run.file_name", "feedback_sources.name",
    "in_app_notifications.title", "attachment.name", "workspace.name",
}  # fmt: skip
NOT_ROOMS = {"auth", "contenttypes", "sessions", "account", "procrastinate"}
#: JSON columns in which senders choose words.
JSON_WORDS = {"content", "author", "context_envelope", "evidence", "details", "tags", "attributes"}


class Planter:
    """Puts the attempts into texts: one each into short ones, all into long ones."""

    def __init__(self) -> None:
        self._next = itertools.cycle(PAYLOADS)
        self.columns: set[str] = set()

    def plant(self) -> None:
        """Into every row of every table."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
        for model in apps.get_models():
            fields = [field for field in model._meta.concrete_fields if self._is_words(field)]
            if model._meta.app_label in NOT_ROOMS or not fields:
                continue
            for row in model._default_manager.all():
                for field in fields:
                    self._set(model, row, field)

    def _is_words(self, field: Any) -> bool:
        if isinstance(field, models.JSONField):
            return field.name in JSON_WORDS
        is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
        return (
            is_text
            and field.name not in NOT_WORDS
            and not field.name.endswith(("_version", "_model", "_digest", "_by"))
        )

    def _set(self, model: Any, row: Any, field: Any) -> None:
        before = getattr(row, field.name)
        if not before:
            return
        value = self._json(before) if isinstance(field, models.JSONField) else self._text(field.max_length)
        try:
            with transaction.atomic():
                model._default_manager.filter(pk=row.pk).update(**{field.name: value})
        except Error:
            return
        self.columns.add(f"{model._meta.db_table}.{field.name}")

    def _text(self, most: int | None) -> str:
        if most is None or most > len(ALL):
            return ALL
        return next(one for one in self._next if len(one) <= max(most, 20))[:most]

    def _json(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._json(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._json(inner, key) for inner in value]
        if not isinstance(value, str) or key in {"permalink", "email", "principalId"}:
            return value
        return ALL if key == "text" else next(self._next)


@pytest.fixture
def planted(starts: list[str], run_jobs: Callable[[], int]) -> Planter:
    """A workspace in which everything has happened, said by somebody who means harm."""
    item, post, person = (
        RawItem.objects.order_by("id")[0],
        Post.objects.get(),
        Principal.objects.get(display_name="Kim"),
    )
    workspace = item.workspace
    for number in range(3):
        Comment.objects.create(workspace=workspace, post=post, author=person, body=f"Comment {number}")
    tag = Tag.objects.create(workspace=workspace, name="t", slug="t")
    PostTag.objects.create(workspace=workspace, post=post, tag=tag)
    Principal.objects.update(company="c")
    file = {"name": "n", "media_type": "text/plain", "size_bytes": 1, "digest": "0" * 64, "file_key": "nowhere"}
    Attachment.objects.create(workspace=workspace, raw_item=item, position=0, **file)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
    RawItem.objects.filter(pk=item.pk).update(context_envelope=CONTEXT, content={**item.content, "subject": "s"})
    planter = Planter()
    planter.plant()
    _tell_everybody(workspace.id, post, person)
    run_jobs()
    return planter


def _tell_everybody(workspace_id: UUID, post: Post, author: Principal) -> None:
    """By mail and by notices, made of what was planted."""
    title = " ".join(PAYLOADS[-3:])[:200]
    entry = save_entry(
        workspace_id=workspace_id, entry=None, title=title, body=ALL, posts=[post], author=author, now=NOW
    )
    publish_entry(entry=entry, actor=author, now=NOW)


CONTEXT = {
    "metadata": {one: one for one in PAYLOADS},
    "tags": PAYLOADS[::12],
    "pageContext": {"url": "u", "title": "t", "userAgent": "u"},
    "customer": {"company": "c", "plan": "p"},
    "sourceChannel": {"name": "n", "purpose": "p"},
    "attachments": [{"name": "n", "mimeType": "m", "url": "https://files.example.com/a"}],
    "thread": [{"id": "1", "authorName": "a", "sentAt": "2026-11-20T10:00:00Z", "text": "t"}],
}


#: What a page that takes somebody's words for its own would have: things that act, and addresses that run.
FIND = """() => {
  const acting = /^(on|hx-|data-hx-|_$|x-|ng-|v-|ws-|sse-)/i;
  const loading = /^(src|srcset|href|xlink:href|action|poster|style|ping|background|data|content|(data-)?hx-.*)$/i;
  const running = /^[\\s\\x00-\\x20]*(javascript|vbscript|data:text)/i;
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      const loads = !(element.localName === "a" && name === "href") && value.includes("canary.test")
        && loading.test(name);
      const ours = /^hx-/.test(name) && !/canary|alert|js:/.test(value) && !/^hx-on/.test(name);
      const runs = running.test(value) && /^(href|xlink:href|src|action|formaction|data)$/i.test(name);
      if ((acting.test(name) && !ours) || runs || loads)
        found.push(`<${element.localName} ${name}=${value.slice(0, 60)}>`);
    }
    if (element.localName === "script" && !element.src && element.type !== "application/json") found.push("<script>");
    if (element.localName === "style" && /canary|alert/.test(element.textContent)) found.push("<style>");
    if (["iframe", "object", "embed", "base"].includes(element.localName) && !element.closest("[data-ours]")
        && !element.title && !element.src) found.push(`<${element.localName}>`);
  }
  return found;
}"""


class Watched:
    """A page of Chromium that notes whatever ran, was asked for elsewhere or was held back by the policy."""

    def __init__(self, page: Page, client: Client) -> None:
        self.page, self.client = page, client
        # Playwright calls back in a context of its own, which would have a connection of its own to the database.
        self._context = copy_context()
        self._static: dict[str, dict[str, Any]] = {}
        self.noted: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("request", self._see)
        page.on(
            "console", lambda said: self.noted.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.on("pageerror", lambda error: self.noted.append(str(error)))
        page.route("**/*", self._answer)

    def _dismiss(self, dialog: Any) -> None:
        self.noted.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _hear(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self.noted.append(said.text)

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).hostname == CANARY:
            self.noted.append(f"asked for {request.url}")

    def _answer(self, route: Route) -> None:
        asked = route.request
        if not asked.url.startswith(HERE):
            route.abort()
            return
        headers = {name: value for name, value in asked.headers.items() if name.startswith("hx-")}
        path = asked.url.removeprefix(HERE)
        answer = self._static.get(path) or self._context.run(self._get, path, headers)
        if path.startswith("/static/"):
            self._static[path] = answer
        route.fulfill(**answer)

    def _get(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        answer: Any = self.client.get(path, headers=headers, follow=True)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return {"status": answer.status_code, "headers": dict(answer.headers), "body": body}

    def open(self, path: str) -> list[str]:
        """What happened in a page, and what of somebody's words became part of it."""
        self.noted.clear()
        answer = self.page.goto(HERE + path, wait_until="load")
        assert answer is not None
        assert answer.status < 500, path
        return [*self.noted, *self.page.evaluate(FIND)]

    def links(self) -> list[str]:
        """The addresses of this site that the open page leads to."""
        found: list[str] = self.page.evaluate("[...document.querySelectorAll('a[href]')].map(one => one.href)")
        return [urldefrag(urljoin(HERE, link))[0].removeprefix(HERE) for link in found if link.startswith(HERE)]


@pytest.fixture
def watched(browser: Browser, as_role: Callable[[str], Client]) -> Iterator[Watched]:
    context = browser.new_context(service_workers="block")
    yield Watched(context.new_page(), as_role("owner"))
    context.close()


def walk(watched: Watched, starts: list[str], most: int) -> Iterator[tuple[str, list[str]]]:
    """Every page that can be reached, each kind of it a few times; and what happened there."""
    waiting, seen = list(starts), dict[tuple[str, ...], int]()
    while waiting:
        path = waiting.pop(0)
        parts = urlsplit(path)
        shape = tuple("·" if any(one.isdigit() for one in part) else part for part in parts.path.split("/"))
        kind = (*shape, *sorted(pair.partition("=")[0] for pair in parts.query.split("&")))
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] > most or parts.path.startswith(("/static", "/sign-in/logout", "/files")) or "/export" in path:
            continue
        yield path, watched.open(path)
        waiting += watched.links()


@pytest.mark.timeout(240)
def test_nothing_that_is_written_runs_on_any_page(watched: Watched, planted: Planter, starts: list[str]) -> None:
    assert planted.columns >= SURELY
    mail = KeptMail.objects.filter(html__contains="onslotchange").last()
    assert mail, "a mail that quotes what was planted"
    happened = dict(walk(watched, [*starts, f"/admin/mailbox/{mail.pk}/html"], most=1))
    assert {path: found for path, found in happened.items() if found} == {}
    assert len(happened) > 30


def test_a_build_that_takes_words_for_markup_is_caught(
    watched: Watched, planted: Planter, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: without escaping, every page that shows somebody's words is noticed."""
    monkeypatch.setattr(Engine.get_default(), "autoescape", False)
    for path in ["/", "/changelog", "/admin/feedback/stream", "/admin/users", "/admin/mailbox", starts[-2]]:
        assert watched.open(path), path
