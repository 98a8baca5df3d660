"""Cells that hold what hardly is text cost their row at most, whatever the format (trust.md, INP-06)."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tellback.boards.models import Comment, Post
from tellback.boards.services import ensure_defaults
from tellback.intake.models import RawItem
from tellback.workspaces.models import Workspace
from tests.importing.conftest import Importer
from tests.importing.test_formats import EXPECTED, FILES

NUL, HALF = "\x00", "\ud800"
ODD = "\u202e\u200b\ufeffe\u0301\uffff\U0001f469\u200d\U0001f467\x1b[31m\u2028"
#: What only JSON can say is tried there.
ADDITIONS = {"odd": ODD, "NUL": NUL, "half a character": HALF}
NAMES = [name for name in EXPECTED if name.endswith((".csv", ".json"))]


@pytest.fixture(autouse=True)
def boards(workspace: Workspace) -> None:
    ensure_defaults(workspace=workspace)


def odd(value: Any, addition: str) -> Any:
    """The value, with something odd behind each text that is no date, number or address."""
    if isinstance(value, dict):
        return {name: odd(inner, addition) for name, inner in value.items()}
    if isinstance(value, list):
        return [odd(inner, addition) for inner in value]
    plain = isinstance(value, str) and value and not any(one.isdigit() or one in "@/" for one in value)
    return value + addition if plain else value


def changed(name: str, folder: Path, addition: str) -> Path:
    """A format's file with odd cells throughout; its header stays."""
    content, path = (FILES / name).read_bytes(), folder / name
    if name.endswith(".json"):
        documents = content.splitlines() if content.startswith(b'{"') and content.count(b"\n{") else [content]
        written = [json.dumps(odd(json.loads(document), addition)) for document in documents]
        path.write_text("\n".join(written), encoding="utf-8")
        return path
    text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *odd(rows, addition)])
    return path


CASES = [(name, kind) for name in NAMES for kind in ADDITIONS if kind != "half a character" or name.endswith(".json")]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_an_odd_cell_costs_its_row_at_most(import_file: Importer, tmp_path: Path, name: str, kind: str) -> None:
    path = changed(name, tmp_path, ADDITIONS[kind])
    report = import_file(path)
    assert report.read == report.added + report.left_out + report.refused
    assert report.read >= EXPECTED[name][1] - EXPECTED[name][3]
    assert report.refused or kind != "NUL", "it cannot be kept, and is told"
    assert report.added or kind == "NUL", "what can be kept is"
    again = import_file(path)
    assert (again.added, again.updated) == (0, 0), "what is odd is the same again"


def test_what_is_odd_is_kept_as_it_was(import_file: Importer, tmp_path: Path) -> None:
    """The control of the test above: the odd characters have gone all the way."""
    for name in ("canny.json", "generic.csv"):
        import_file(changed(name, tmp_path, ODD))
    said = [*RawItem.objects.values_list("content__text", flat=True)]
    shown = [text for row in Post.objects.values_list("title", "body") for text in row]
    shown += Comment.objects.values_list("body", flat=True)
    for texts in (said, shown):
        assert any(ODD.strip() in text for text in texts), texts
