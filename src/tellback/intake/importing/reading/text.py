"""Tables as text: their encoding, their delimiter, their rows, whatever one row holds."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from tellback.intake.importing.limits import MAX_CELL, MAX_COLUMNS, MAX_ROW, MAX_UNREADABLE
from tellback.intake.importing.reading.table import Opener, Row, Table
from tellback.intake.importing.refused import is_refused_file, original
from tellback.kernel.errors import Invalid

DELIMITERS = ",;\t|"
#: What no name of a column holds.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
BLOCK = 1 << 20
HEAD = 64 * 1024
ENDS = ("\n", "\r")
TOO_LARGE = f"is larger than {MAX_ROW >> 20} MB; look for a quote that never closes"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def find_encoding(opener: Opener) -> str:
    """UTF-8 or UTF-16 by its mark or its zeros, else UTF-8 when all of it is, else Windows-1252, which Excel writes."""
    with opener() as file:
        block = file.read(BLOCK)
        marked = next((name for mark, name in _BOMS if block.startswith(mark)), "") or _unmarked_utf16(block[:4096])
        if marked:
            return marked
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block:
                decoder.decode(block)
                block = file.read(BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte of Latin text."""
    if len(head) < 8 or head.count(0) < len(head) // 4:
        return ""
    return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"


def read_text_table(*, name: str, opener: Opener) -> Table | None:
    """The table in a text; None when it has no header. Raises `Invalid` for columns that cannot be told apart."""
    encoding = find_encoding(opener)
    with _text(opener(), encoding) as file:
        head = file.read(HEAD)
    if not head.strip():
        return None
    head, announced = _separator_line(head)
    delimiter = announced or _find_delimiter(head)
    header = _first_rows(head, delimiter, 1)[0]
    if _CONTROL.search("".join(header)):
        raise Invalid(f"{name} is not a table. Import CSV, XLSX, JSON, JSON lines, or a zip of these.")
    is_refused = is_refused_file(header)
    if is_refused:
        header = [original(one) for one in header[:-2]]
    columns = name_columns(header, of=name)
    form = _Form(encoding, delimiter, columns, is_refused, int(bool(announced)))
    source = _Source(opener, form)
    return Table(name, "csv", columns, source.rows, encoding, delimiter, is_refused)


def name_columns(header: list[str], *, of: str) -> tuple[str, ...]:
    """The names of columns, each one told apart from the others. Raises `Invalid` when there are too many."""
    if len(header) > MAX_COLUMNS:
        raise Invalid(f"{of} has {len(header):,} columns; {MAX_COLUMNS} is the most.")
    names: list[str] = []
    for number, said in enumerate(header, 1):
        base = name = " ".join(said.split()) or f"column {number}"
        again = 2
        while name in names:
            name, again = f"{base} ({again})", again + 1
        names.append(name)
    return tuple(names)


def _separator_line(head: str) -> tuple[str, str]:
    """Excel's first line `sep=;`, which is no row."""
    first, _, rest = head.partition("\n")
    said = first.strip()
    return (rest, said[4:]) if len(said) == 5 and said.lower().startswith("sep=") else (head, "")


def _find_delimiter(head: str) -> str:
    """The sign that cuts the first rows into most columns of the same number."""

    def score(delimiter: str) -> tuple[int, int]:
        found = [row for row in _first_rows(head, delimiter, 12) if any(row)]
        width = len(found[0]) if found else 1
        return sum(len(row) == width for row in found) if width > 1 else 0, width

    return max(DELIMITERS, key=score)


def _first_rows(head: str, delimiter: str, count: int) -> list[list[str]]:
    csv.field_size_limit(MAX_CELL)
    found: list[list[str]] = []
    # A row that is too large is told when the rows are read.
    with suppress(csv.Error):
        for row in csv.reader(head.splitlines(keepends=True), delimiter=delimiter):
            if any(cell.strip() for cell in row):
                found.append(row)
            if len(found) == count:
                break
    return found or [[""]]


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


class _TooLarge(Exception):
    """A row went on and on."""


class _Unclosed(Exception):
    """The text ended within a quote."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a text is written; `skip` lines come before its header."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    is_refused: bool
    skip: int


class _Source:
    """A text that can be read from its start again and again."""

    def __init__(self, opener: Opener, form: _Form) -> None:
        self._opener, self._form = opener, form

    def rows(self) -> Iterator[Row]:
        """Every row but the header, blank lines left out."""
        csv.field_size_limit(MAX_CELL)
        number, line = -1, self._form.skip
        for _ in range(MAX_UNREADABLE):
            with _Lines(self._opener(), self._form.encoding, skip=line) as lines:
                reader = csv.reader(lines, delimiter=self._form.delimiter)
                try:
                    while True:
                        lines.begin()
                        cells = next(reader, None)
                        if cells is None:
                            return
                        if lines.has_ended:
                            raise _Unclosed
                        if any(cell.strip() for cell in cells):
                            number += 1
                            if number:
                                yield self._row(number, cells, lines.at)
                except (_TooLarge, csv.Error):
                    number += 1
                    yield Row(number, {}, lines.at, problem=TOO_LARGE)
                    line = lines.after_large_row(self._form.delimiter)
                except _Unclosed:
                    number += 1
                    yield Row(number, {}, lines.at, problem="has a quote that never closes")
                    line = lines.started + 1
        raise Invalid(f"More than {MAX_UNREADABLE} rows cannot be read. Is this a table with these delimiters?")

    def _row(self, number: int, cells: list[str], at: int) -> Row:
        width = len(self._form.columns)
        if self._form.is_refused:
            cells = [original(cell) for cell in cells[:width] + cells[width + 2 :]]
        surplus = tuple(cells[width:]) if any(cell.strip() for cell in cells[width:]) else ()
        return Row(number, dict(zip(self._form.columns, cells, strict=False)), at, surplus)


class _Lines:
    """The lines of a text for the csv module, which never holds more than one row's worth."""

    def __init__(self, file: BinaryIO, encoding: str, *, skip: int) -> None:
        self._raw, self._text = file, _text(file, encoding)
        self.started = self.line = 0
        self.has_ended = False
        self._size, self._last = 0, ""
        for _ in range(skip):
            self._whole_line()

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    @property
    def at(self) -> int:
        """How many bytes were read, give or take a buffer."""
        return self._raw.tell()

    def begin(self) -> None:
        """The next line is the first of a row."""
        self.started, self._size = self.line, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._last = self._text.readline(MAX_ROW + 1)
        if not line:
            self.has_ended = self.line > self.started
            raise StopIteration
        self._size += len(line)
        self.line += 1
        if self._size > MAX_ROW:
            raise _TooLarge
        return line

    def after_large_row(self, delimiter: str) -> int:
        """The line behind a row that was too large: behind its closing quote when that comes within a few rows' size,
        else the line after its first, since then a quote was never closed.
        """
        quotes = self._last.count('"')
        while not self._last.endswith(ENDS) and (rest := self._text.readline(BLOCK)):
            self._last = rest
            quotes += rest.count('"')
        if self.started == self.line - 1 and quotes % 2 == 0:
            return self.line
        closing = (f'"{delimiter}', '"\n', '"\r')
        read = self._size
        while self._last and read < 4 * MAX_ROW:
            if any(sign in self._last.replace('""', "") for sign in closing):
                return self.line
            self._last = self._text.readline(BLOCK)
            self.line += self._last.endswith(ENDS)
            read += len(self._last)
        return self.started + 1

    def _whole_line(self) -> None:
        while (piece := self._text.readline(BLOCK)) and not piece.endswith(ENDS):
            pass
        self.line += 1
