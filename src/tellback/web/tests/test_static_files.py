"""Static files: named by their content, kept for good by caches, compressed, and there after an upgrade too."""

import gzip
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from tellback.web.static_files import KEPT, HashedStaticFiles, hashed_names, keep_static_files, sources

STYLE = "tellback/tellback.css"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.KEPT_STATIC_FILES = tmp_path / "static"
    return tmp_path / "static"


@dataclass(frozen=True)
class Served:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def serve(address: str, encoding: str = "") -> Served:
    """What a process that starts now answers."""

    def nothing(_: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404)

    answer: Any = HashedStaticFiles(nothing)(RequestFactory().get(address, HTTP_ACCEPT_ENCODING=encoding))
    served = Served(answer.status_code, dict(answer.items()), b"".join(answer))
    for closer in answer._resource_closers:
        closer()
    return served


def test_an_address_carries_the_digest_and_is_kept_for_good() -> None:
    address = staticfiles_storage.url(STYLE)
    assert re.fullmatch(r"/static/tellback/tellback\.[0-9a-f]{12}\.css", address)
    answer = serve(address)
    assert answer.body == sources()[STYLE].read_bytes()
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Content-Type"].startswith("text/css")


def test_a_file_is_sent_as_a_whole_or_in_the_part_that_is_asked_for(client: Client) -> None:
    """A stream made the first page print a warning on the terminal of whoever had started the product."""
    address = staticfiles_storage.url(STYLE)
    whole, part, head = client.get(address), client.get(address, headers={"range": "bytes=0-9"}), client.head(address)
    assert not whole.streaming
    assert (part.status_code, part.content) == (206, whole.content[:10])
    assert (head.content, head["Content-Length"]) == (b"", str(len(whole.content)))


def test_the_plain_name_works_and_is_asked_again_soon() -> None:
    assert serve(f"/static/{STYLE}").headers["Cache-Control"] == "max-age=60, public"
    assert serve("/static/django_htmx/htmx-2.min.js").headers["Cache-Control"] == "max-age=60, public"


def test_a_digest_that_nothing_has_is_not_found() -> None:
    assert serve("/static/tellback/tellback.000000000000.css").status == 404


def test_every_address_in_a_page_carries_a_digest_and_answers(as_role: Callable[[str], Client]) -> None:
    page = as_role("admin").get("/admin/feedback/insights").content.decode()
    found = re.findall(r"/static/[^\"\s]+", page)
    assert len(found) >= 6
    for address in found:
        answer = serve(address)
        assert answer.status == 200, address
        assert "immutable" in answer.headers["Cache-Control"], address
        assert answer.body


def test_kept_files_are_served_compressed_to_those_who_take_it(folder: Path) -> None:
    assert keep_static_files(folder) == len(sources())
    assert keep_static_files(folder) == 0
    address = staticfiles_storage.url(STYLE)
    zipped = serve(address, "gzip, br")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["Vary"] == "Accept-Encoding"
    assert zipped.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    packed = zipped.body
    assert gzip.decompress(packed) == sources()[STYLE].read_bytes()
    assert len(packed) < 0.4 * sources()[STYLE].stat().st_size
    assert "Content-Encoding" not in serve(address).headers


def test_what_a_former_version_had_is_served_for_ninety_days(folder: Path) -> None:
    keep_static_files(folder)
    former = folder / "tellback/tellback.0123456789ab.css"
    former.write_text("body { color: red }")
    former.with_name(f"{former.name}.gz").write_bytes(gzip.compress(b"body { color: red }"))
    answer = serve(f"/static/tellback/{former.name}")
    assert (answer.body, "immutable" in answer.headers["Cache-Control"]) == (b"body { color: red }", True)
    old = former.stat().st_mtime - KEPT - 1
    os.utime(former, (old, old))
    keep_static_files(folder)
    assert list(folder.rglob("tellback.0123456789ab*")) == []
    assert len([path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz"]) == len(sources())


def test_other_content_gets_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = set()
    for content in ("a", "b", "a"):
        (tmp_path / "x.css").write_text(content)
        monkeypatch.setattr("tellback.web.static_files.sources", lambda: {"x.css": tmp_path / "x.css"})
        names.add(hashed_names.__wrapped__()["x.css"])
    assert len(names) == 2


def test_a_folder_that_cannot_be_written_costs_no_file(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "static").write_text("in the way")
    settings.KEPT_STATIC_FILES = tmp_path / "static"
    assert keep_static_files(tmp_path / "static") == 0
    assert "uncompressed" in caplog.text
    assert serve(staticfiles_storage.url(STYLE)).status == 200


def test_no_file_of_ours_names_another_which_would_miss_its_digest() -> None:
    names = re.compile(
        rb"url\(\s*['\"]?(?!data:|#)|@import|sourceMappingURL|\bfrom\s*['\"][./]|\bimport\s*\(?\s*['\"][./]"
    )
    for name, path in sources().items():
        if name.startswith("django_htmx/"):
            continue
        assert not names.search(path.read_bytes()), f"{name} names another file: give it a hashed address"
