"""Tables as JSON: one list of objects, an object of such lists, or an object on each line, read as they come."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from tellback.intake.importing.limits import MAX_COLUMNS, MAX_DEPTH, MAX_ROW, MAX_TABLES, SAMPLE_ROWS
from tellback.intake.importing.reading.table import Opener, Row, Table
from tellback.intake.importing.reading.text import find_encoding
from tellback.kernel.errors import Invalid

BLOCK = 1 << 16
SPACE = " \t\r\n"
_HALF = re.compile("[\ud800-\udfff]")
#: Lists of objects become columns up to this many objects; the others are in the list's own column.
NUMBERED = 2
#: What an object around lists is called, and how deep they are looked for: {"response": {"data": {"items": […]}}}.
WRAPPERS = frozenset(["data", "response", "result", "results", "body", "payload", "hits", "export"])
WRAPPED = 4
#: What stands for an object in a list.
NAMED_BY = ("name", "title", "label", "tag", "text", "value", "body", "email", "id")


class Broken(Exception):
    """What stands here is no JSON."""


def read_json_tables(*, name: str, opener: Opener) -> list[Table]:
    """The lists of objects in a JSON text: the text itself, or the lists in its one object.

    Raises `Invalid` when it is no JSON or has none.
    """
    try:
        names = _list_names(opener)
    except (Broken, RecursionError) as error:
        raise Invalid(f"{name} is not JSON that can be read: {_said(error)}.") from error
    tables = []
    for key in names[:MAX_TABLES]:
        source = _JsonList(opener, key)
        columns = _columns(source.rows(), of=name)
        if columns:
            tables.append(Table(key or name, "json", columns, source.rows, "utf-8"))
    return tables


def read_lines_table(*, name: str, opener: Opener) -> Table | None:
    """The objects of a text that has one on each line; None when it has none."""
    source = _JsonLines(opener, find_encoding(opener))
    columns = _columns(source.rows(), of=name)
    return Table(name, "jsonl", columns, source.rows, "utf-8") if columns else None


def is_json_lines(opener: Opener) -> bool:
    """Whether the first line that is not blank is an object of its own, or one too large with another behind it."""
    with opener() as raw, io.TextIOWrapper(raw, encoding=find_encoding(opener), errors="replace") as file:
        line = _next_line(file)
        if len(line) == MAX_ROW and not line.endswith("\n"):
            while line and not line.endswith("\n"):
                line = file.readline(MAX_ROW)
            return _next_line(file).startswith("{")
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _next_line(file: io.TextIOWrapper) -> str:
    """The next line that is not blank, or its beginning; empty at the end."""
    while (line := file.readline(MAX_ROW)) and not line.strip():
        continue
    return line


def _columns(rows: Iterator[Row], *, of: str) -> tuple[str, ...]:
    """The columns of the first rows, in the order in which they come."""
    found: dict[str, None] = {}
    for row, _ in zip(rows, range(SAMPLE_ROWS), strict=False):
        found.update(dict.fromkeys(row.cells))
        if len(found) > MAX_COLUMNS:
            raise Invalid(f"{of} has more than {MAX_COLUMNS} columns.")
    return tuple(found)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, Broken) else "it is nested too deep"


class _JsonLines:
    def __init__(self, opener: Opener, encoding: str) -> None:
        self._opener, self._encoding = opener, encoding

    def rows(self) -> Iterator[Row]:
        number = 0
        with self._opener() as raw, io.TextIOWrapper(raw, encoding=self._encoding, errors="replace") as file:
            while line := file.readline(MAX_ROW + 1):
                if not line.strip():
                    continue
                number += 1
                if len(line) > MAX_ROW:
                    while line and not line.endswith("\n"):
                        line = file.readline(MAX_ROW)
                    yield Row(number, {}, raw.tell(), problem=f"is larger than {MAX_ROW >> 20} MB")
                    continue
                yield _row_of_line(number, line, raw.tell())


def _row_of_line(number: int, line: str, at: int) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Row(number, {}, at, problem="is no JSON object")
    return _row(number, value, at)


def _row(number: int, value: Any, at: int) -> Row:
    if not isinstance(value, dict):
        return Row(number, {}, at, problem="is no JSON object")
    cells: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    _flatten(value, "", cells, lists, 1)
    return Row(number, cells, at, lists=lists)


def _flatten(
    value: dict[str, Any], before: str, cells: dict[str, str], lists: dict[str, list[str]], depth: int
) -> None:
    """`{"a": {"b": 1}}` has a column `a.b`; lists have their own and those of their first objects (`a.0.b`)."""
    for key, inner in value.items():
        name = f"{before}{_whole(key)}"
        if isinstance(inner, dict) and depth < MAX_DEPTH:
            _flatten(inner, f"{name}.", cells, lists, depth + 1)
        elif isinstance(inner, list):
            lists[name] = [text for one in inner if (text := _named(one))]
            cells[name] = ", ".join(lists[name])
            for number, one in enumerate(inner[:NUMBERED]):
                if isinstance(one, dict) and depth < MAX_DEPTH:
                    _flatten(one, f"{name}.{number}.", cells, lists, depth + 1)
        else:
            cells[name] = _as_text(inner)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return _whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _whole(text: str) -> str:
    """The text without halves of characters, which JSON can escape and nothing can keep."""
    return _HALF.sub("\ufffd", text)


def _named(value: Any) -> str:
    if isinstance(value, dict):
        said = next((value[key] for key in NAMED_BY if value.get(key) not in (None, "", [], {})), None)
        return _as_text(said if said is not None else value)
    return _as_text(value)


class _JsonList:
    """One list of a JSON text: the text itself when `key` is empty, else the list of that name."""

    def __init__(self, opener: Opener, key: str) -> None:
        self._opener, self._key = opener, key

    def rows(self) -> Iterator[Row]:
        with _Cursor(self._opener) as cursor:
            cursor.skip_space()
            if cursor.peek() == "{" and self._key:
                for path in _list_paths(cursor):
                    if path == self._key:
                        yield from self._elements(cursor)
                        return
                    cursor.skip_value()
            elif cursor.peek() == "[":
                number = 0
                for row in self._elements(cursor):
                    number = row.number
                    yield row
                cursor.expect_end(behind=number)
            else:
                yield _row(1, cursor.value(), cursor.at)
                cursor.expect_end(behind=1)

    def _elements(self, cursor: "_Cursor") -> Iterator[Row]:
        number = 0
        try:
            for value in cursor.elements():
                number += 1
                yield _row(number, value, cursor.at)
        except (Broken, RecursionError) as error:
            raise Invalid(f"The file cannot be read behind object {number:,}: {_said(error)}.") from error


def _list_names(opener: Opener) -> list[str]:
    """The keys whose values are lists of objects; one empty name when the text itself is a list or one object."""
    with _Cursor(opener) as cursor:
        cursor.skip_space()
        if cursor.peek() == "[":
            return [""]
        if cursor.peek() != "{":
            raise Broken("it begins with neither a list nor an object")
        found = []
        for path in _list_paths(cursor):
            if cursor.next_is_list_of_objects():
                found.append(path)
            cursor.skip_value()
        cursor.expect_end(behind=1)
        return found or [""]


def _list_paths(cursor: "_Cursor", before: str = "", depth: int = 1) -> Iterator[str]:
    """The paths of the lists in the object here, each with the cursor at the list; the caller goes behind it."""
    for key in cursor.members():
        if cursor.peek() == "[":
            yield f"{before}{key}"
        elif cursor.peek() == "{" and depth < WRAPPED and (before or key in WRAPPERS):
            yield from _list_paths(cursor, f"{before}{key}.", depth + 1)
        else:
            cursor.skip_value()
    cursor.expect("}")


class _Cursor:
    """A place in a JSON text, of which only what is being read is held."""

    def __init__(self, opener: Opener) -> None:
        self._raw = opener()
        self._file = io.TextIOWrapper(self._raw, encoding=find_encoding(opener), errors="replace")
        self._decoder = json.JSONDecoder()
        self._text, self._place, self._ended = "", 0, False

    def __enter__(self) -> "_Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def at(self) -> int:
        return self._raw.tell()

    def _more(self, size: int = BLOCK) -> bool:
        """Read on; what lies behind is let go."""
        piece = self._file.read(size)
        self._ended = not piece
        self._text, self._place = self._text[self._place :] + piece, 0
        return not self._ended

    def peek(self) -> str:
        """The sign here, empty at the end."""
        while self._place >= len(self._text):
            if not self._more():
                return ""
        return self._text[self._place]

    def skip_space(self) -> None:
        while (sign := self.peek()) and sign in SPACE + "\ufeff":
            self._place += 1

    def expect(self, sign: str) -> None:
        """Go behind this sign. Raises `Broken` when another one is here."""
        self.skip_space()
        if self.peek() != sign:
            raise Broken(f"“{sign}” is missing")
        self._place += 1

    def expect_end(self, *, behind: int) -> None:
        """Raise `Invalid` when something follows that would be left out."""
        self.skip_space()
        if self.peek():
            raise Invalid(f"The file goes on behind object {behind:,} with something that is not read. Is it complete?")

    def value(self) -> Any:
        """The value here, whole. Raises `Broken` when it is none, does not end or is too large."""
        size = BLOCK
        while True:
            self.skip_space()
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
            except ValueError as error:
                if self._ended or len(self._text) - self._place > MAX_ROW:
                    raise Broken(str(error)) from error
            else:
                # A number may go on in what is not read yet.
                if end < len(self._text) or self._ended:
                    self._place = end
                    return value
            size *= 2
            self._more(size)

    def members(self) -> Iterator[str]:
        """The keys of the object here; the caller reads or skips each value."""
        self.expect("{")
        self.skip_space()
        while self.peek() != "}":
            key = self.value()
            self.expect(":")
            self.skip_space()
            yield str(key)
            self.skip_space()
            if self.peek() == ",":
                self._place += 1
                self.skip_space()
            elif self.peek() != "}":
                raise Broken("a comma is missing")

    def elements(self) -> Iterator[Any]:
        """The elements of the list here."""
        self.expect("[")
        self.skip_space()
        while self.peek() != "]":
            yield self.value()
            self.skip_space()
            if self.peek() == ",":
                self._place += 1
                self.skip_space()
            elif self.peek() != "]":
                raise Broken("a comma is missing, or the file ends too early")
        self._place += 1

    def skip_value(self) -> None:
        """Go behind the value here, element by element when it is a list."""
        self.skip_space()
        if self.peek() == "[":
            for _ in self.elements():
                pass
        else:
            self.value()

    def next_is_list_of_objects(self) -> bool:
        """Whether the list here begins with an object; the place stays."""
        place = self._place + 1
        while True:
            while place < len(self._text) and self._text[place] in SPACE:
                place += 1
            if place < len(self._text):
                return self._text[place] == "{"
            place -= self._place
            if not self._more():
                return False
