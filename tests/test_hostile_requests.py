"""Whatever is sent under whatever name a page asks for, it is no error of ours (trust.md, INP-06 and INP-08).

The names are found out by asking each page once and noting what it looks for, so a new page is tried as well.
"""

import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils.datastructures import MultiValueDict
from django.utils.http import urlencode
from pytest_django.fixtures import Settings

from tellback.boards.models import Board, Post
from tellback.effects.models import KeptMail
from tellback.intake.models import FeedbackSource, ImportRun, RawItem
from tellback.loop.models import ChangelogEntry
from tellback.themes.models import Theme
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal
from tests.test_access import ADDRESSES

HOSTILE: dict[str, str | bytes] = {
    "NUL": "a\x00b",
    "a number that is none": "²",
    "a number without end": "9" * 5000,
    "below nothing": "-1e9",
    "half a character, and none": b"\xed\xa0\x80\xff",
    "turned, hidden, joined, in two forms": "\u202egnp.exe\u2066\u200b\ufeff e\u0301\u00e9 \U0001f469\u200d\U0001f467",
    "SQL, wildcards and a JSON path": '\' OR 1=1; -- %_\\ $ ? (@.a like_regex "(a+)+$")',
    "a path of relations": "-workspace__api_keys__digest",
    "an id of nothing": "00000000-0000-0000-0000-000000000000",
    "another header, and up": "../../x\r\nSet-Cookie: stolen=1",
    "elsewhere": "//evil.example/\\@evil.example",
    "a template": "{{ 7|add:7 }}{% debug %}",
}
#: The end of a session would be the end of the test.
LEFT_OUT = {"account_logout", "account-sessions"}


@pytest.fixture
def owner(as_role: Callable[[str], Client], starts: list[str]) -> Client:
    """Somebody who may do everything, in a workspace that holds everything; faults are answers, as in production."""
    client = as_role("owner")
    client.raise_request_exception = False
    return client


@pytest.fixture
def ids(starts: list[str]) -> dict[str, object]:
    """What the names in addresses stand for: one thing of each kind that there is."""
    receipt = next(path for path in starts if path.startswith("/r/"))
    models = {
        "theme_id": Theme, "item_id": RawItem, "person_id": Principal, "post_id": Post, "signal_id": Signal,
        "source_id": FeedbackSource, "run_id": ImportRun, "entry_id": ChangelogEntry, "mail_id": KeptMail,
    }  # fmt: skip
    found: dict[str, object] = {name: model._default_manager.all()[0].pk for name, model in models.items()}
    return {**found, "slug": Board.objects.get().slug, "by": "postmark", "token": receipt.removeprefix("/r/")}


def address_of(route: str, ids: dict[str, object]) -> str:
    """The route with things that there are in it, and with what there is not where there is none."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda name: str(ids.get(name[1], uuid4())), route)


def ask(client: Client, method: str, path: str, fields: dict[str, str | bytes] | None = None) -> HttpResponse:
    """The answer, after which everything is as it was before."""
    known = SimpleCookie(client.cookies)
    form = urlencode(fields or {})
    try:
        with transaction.atomic():
            if method == "GET":
                answer = client.get(f"{path}?{form}")
            else:
                answer = client.post(path, form, content_type="application/x-www-form-urlencoded")
            if answer.streaming:
                answer.getvalue()
            transaction.set_rollback(True)
    finally:
        client.cookies = known
    return answer  # type: ignore[return-value]


@pytest.fixture
def names_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """The names that a page looks for in what it is sent."""
    asked: set[str] = set()

    def noting(method: str) -> None:
        plain = getattr(MultiValueDict, method)

        def note(self: object, key: object, *rest: object) -> object:
            if type(self).__name__ == "QueryDict" and isinstance(key, str):
                asked.add(key)
            return plain(self, key, *rest)

        monkeypatch.setattr(MultiValueDict, method, note)

    for method in ("get", "getlist", "__getitem__"):
        noting(method)

    def names(client: Client, method: str, path: str) -> set[str]:
        asked.clear()
        ask(client, method, path)
        return asked - {"csrfmiddlewaretoken"}

    return names


def faults(
    client: Client, pages: list[tuple[str, str, set[str]]], hostile: dict[str, str | bytes]
) -> Iterator[tuple[str, str, str]]:
    """Where one of these texts, under all names at once, makes an error of ours, a header or a way elsewhere."""
    for method, path, names in pages:
        for kind, text in hostile.items():
            answer = ask(client, method, path, dict.fromkeys(names, text))
            away = answer.headers.get("Location", "").startswith(("//", "http"))
            if answer.status_code >= 500 or "stolen" in answer.cookies or away:
                yield method, path, kind


def pages_of(
    client: Client, ids: dict[str, object], names_of: Callable[..., set[str]]
) -> list[tuple[str, str, set[str]]]:
    """Each address with the names that it looks for, as it is read and as it is sent a form."""
    wanted = [route for route, pattern in ADDRESSES if pattern.name not in LEFT_OUT]
    paths = [address_of(route.replace(r"(?P", "").replace(r"[-\w]+)/[-\w]+-", "x/x-"), ids) for route in wanted]
    asked = ((method, path, names_of(client, method, path)) for path in paths for method in ("GET", "POST"))
    return [page for page in asked if page[2]]


def test_no_page_fails_whatever_it_is_sent(
    owner: Client, ids: dict[str, object], names_of: Callable[..., set[str]]
) -> None:
    pages = pages_of(owner, ids, names_of)
    names = {name for _, _, names in pages for name in names}
    assert {"search", "page", "status", "theme", "before", "sort", "title", "body", "email", "next"} <= names
    assert len(pages) > 60
    assert list(faults(owner, pages, HOSTILE)) == []


def test_a_page_that_fails_is_found(owner: Client, ids: dict[str, object], settings: Settings) -> None:
    """The control of the test above: without what keeps NUL away, pages stumble over it."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith("NoNul")]
    pages = [("GET", "/", {"search"}), ("GET", "/admin/users", {"search"}), ("GET", f"/r/{ids['token']}", {"x"})]
    assert [path for _, path, _ in faults(owner, pages, {"NUL": HOSTILE["NUL"]})] == ["/", "/admin/users"]


@pytest.mark.parametrize("path", ["/r/%00", "/%00", "/b/%00", "/files/%00", "/unsubscribe/%00", "/static/%00", "/%ff"])
def test_no_address_is_an_error(client: Client, starts: list[str], path: str) -> None:
    client.raise_request_exception = False
    assert 400 <= client.get(path).status_code < 500


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "django_language", "messages"])
def test_no_cookie_is_an_error(client: Client, starts: list[str], name: str) -> None:
    client.raise_request_exception = False
    for value in (r'"\000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', r'"\355\240\200aaaaaaaaaaaaaa"', "a" * 4000):
        assert client.get("/admin/account", headers={"cookie": f"{name}={value}"}).status_code in {302, 422}


def test_a_page_number_is_followed_as_far_as_there_are_pages(client: Client, starts: list[str]) -> None:
    for page in ("0", "1", "400", "401", "99999999", "9" * 5000, "-3", "²", "1.5", ""):
        assert client.get("/", {"page": page}).status_code == 200, page


def test_an_id_stands_for_one_thing_however_it_is_written(owner: Client, ids: dict[str, object]) -> None:
    theme = ids["theme_id"]
    assert isinstance(theme, UUID)
    for written, status in ((str(theme), 200), (theme.hex, 200), (f"{{{theme}}}", 200), (f"{theme}'", 404)):
        assert owner.get("/admin/feedback/insights", {"theme": written}).status_code == status, written
