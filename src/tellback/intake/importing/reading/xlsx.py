"""Workbooks (XLSX), read with the standard library: sheets as tables, dates as dates, formulas as their results.

Source: ECMA-376, part 1, SpreadsheetML. Nothing of a workbook is run or followed, and XML with a document type is
refused, which keeps entities out.
"""

import re
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from tellback.intake.importing.limits import MAX_CELL, MAX_COLUMNS, MAX_ROW, MAX_SHARED, MAX_TABLES
from tellback.intake.importing.reading.packed import check_members
from tellback.intake.importing.reading.table import Row, Table
from tellback.intake.importing.reading.text import name_columns
from tellback.kernel.errors import Invalid

BLOCK = 1 << 16
#: Built-in number formats that show dates or times.
DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_COLUMN = re.compile(r"[A-Z]+")
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
SHEETS, SHARED, STYLES = "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"

Start = Callable[[str, dict[str, str]], None]


def read_workbook(path: Path, *, name: str) -> list[Table]:
    """The sheets that have a header, each a table. Raises `Invalid` for what is no workbook or would harm."""
    try:
        with zipfile.ZipFile(path) as book:
            check_members(book, name=name)
            names = set(book.namelist())
            if SHEETS not in names:
                raise Invalid(f"{name} is not an Excel workbook (.xlsx). Save it as one, or as CSV.")
            sheets, is_1904 = _sheets(book)
            styles = _date_styles(book) if STYLES in names else frozenset()
    except (zipfile.BadZipFile, expat.ExpatError, OSError, RuntimeError) as error:
        raise Invalid(f"{name} is broken and cannot be read as a workbook.") from error
    tables = []
    for title, member in [one for one in sheets if one[1] in names][:MAX_TABLES]:
        sheet = _Sheet(path, member, styles, EPOCH_1904 if is_1904 else EPOCH)
        header = next((cells for _, cells, _ in sheet.raw() if any(cells)), None)
        if header:
            while header and not header[-1].strip():
                header.pop()
            columns = name_columns(header, of=name)
            tables.append(Table(title, "xlsx", columns, _Rows(sheet, columns).rows))
    return tables


class _Rows:
    def __init__(self, sheet: "_Sheet", columns: tuple[str, ...]) -> None:
        self._sheet, self._columns = sheet, columns

    def rows(self) -> Iterator[Row]:
        """Every row but the header, blank ones left out."""
        number, width = -1, len(self._columns)
        for problem, cells, at in self._sheet.raw():
            if not problem and not any(cell.strip() for cell in cells):
                continue
            number += 1
            if number:
                surplus = tuple(cells[width:]) if any(cell.strip() for cell in cells[width:]) else ()
                yield Row(number, dict(zip(self._columns, cells, strict=False)), at, surplus, problem=problem)


def _parse(file: IO[bytes], *, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> Iterator[int]:
    """Feed a part of the workbook to these; yields after each block how many bytes were read.

    Names come without their namespace. Raises `Invalid` for a document type.
    """
    parser = expat.ParserCreate(namespace_separator=" ")

    def local(name: str) -> str:
        return name.rpartition(" ")[2]

    def refuse(*_: Any) -> None:
        raise Invalid("The workbook holds a document type, which no spreadsheet writes. It is not read.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(
        local(name), {local(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    read = 0
    while block := file.read(BLOCK):
        parser.Parse(block, False)
        read += len(block)
        yield read
    parser.Parse(b"", True)
    yield read


def _ignore(_: str) -> None:
    """Says nothing to this."""


def _sheets(book: zipfile.ZipFile) -> tuple[list[tuple[str, str]], bool]:
    """The sheets' titles with the members that hold them, and whether days are counted from 1904."""
    targets: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    is_1904 = False

    def relation(tag: str, given: dict[str, str]) -> None:
        if tag == "Relationship":
            target = given.get("Target", "")
            targets[given.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def sheet(tag: str, given: dict[str, str]) -> None:
        nonlocal is_1904
        if tag == "sheet" and given.get("state", "visible") == "visible":
            found.append((given.get("name", "Sheet"), targets.get(given.get("id", ""), "")))
        elif tag == "workbookPr":
            is_1904 = given.get("date1904", "") in {"1", "true"}

    relations = "xl/_rels/workbook.xml.rels"
    for member, start in ((relations, relation), (SHEETS, sheet)):
        if member in book.namelist():
            with book.open(member) as file:
                for _ in _parse(file, start=start, end=_ignore, text=_ignore):
                    pass
    return found, is_1904


def _date_styles(book: zipfile.ZipFile) -> frozenset[int]:
    """The cell styles that show a date."""
    own: dict[int, str] = {}
    formats: list[int] = []
    inside: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "numFmt":
            own[_whole(given.get("numFmtId", "0"))] = given.get("formatCode", "")
        elif tag == "xf" and "cellXfs" in inside:
            formats.append(_whole(given.get("numFmtId", "0")))

    def end(_tag: str) -> None:
        inside.pop()

    with book.open(STYLES) as file:
        for _ in _parse(file, start=start, end=end, text=_ignore):
            pass
    own.pop(-1, None)
    dates = {number for number, code in own.items() if re.search(r"[dmyhs]", _LITERALS.sub("", code), re.IGNORECASE)}
    known = dates | (DATE_FORMATS - own.keys())
    return frozenset(place for place, number in enumerate(formats) if number in known)


class _Shared:
    """What cells share, in a file of its own; only where each text begins is held."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this
        self._starts = array("Q", [0])
        try:
            if SHARED in book.namelist():
                self._fill(book)
        except BaseException:
            self.close()
            raise

    def _fill(self, book: zipfile.ZipFile) -> None:
        pieces: list[str] = []
        inside: list[str] = []
        size = 0

        def start(tag: str, _given: dict[str, str]) -> None:
            inside.append(tag)
            if tag == "si":
                pieces.clear()

        def end(tag: str) -> None:
            nonlocal size
            inside.pop()
            if tag == "si":
                size += self._file.write("".join(pieces)[:MAX_CELL].encode("utf-8", "replace"))
                self._starts.append(size)

        def text(piece: str) -> None:
            if inside and inside[-1] == "t" and "rPh" not in inside:
                pieces.append(piece)

        with book.open(SHARED) as file:
            for _ in _parse(file, start=start, end=end, text=text):
                if size > MAX_SHARED:
                    raise Invalid("The workbook's texts are too large. Save the sheet as CSV.")

    def get(self, place: int) -> str:
        if not 0 <= place < len(self._starts) - 1:
            return ""
        self._file.seek(self._starts[place])
        return self._file.read(self._starts[place + 1] - self._starts[place]).decode("utf-8", "replace")

    def close(self) -> None:
        self._file.close()


class _Sheet:
    """A sheet of a workbook that can be read from its start again and again."""

    def __init__(self, path: Path, member: str, date_styles: frozenset[int], epoch: datetime) -> None:
        self._path, self._member, self._date_styles, self._epoch = path, member, date_styles, epoch

    def raw(self) -> Iterator[tuple[str, list[str], int]]:
        """Each row: what is wrong with it, its cells by place, and how many bytes were read."""
        try:
            with zipfile.ZipFile(self._path) as book:
                shared = _Shared(book)
                try:
                    with book.open(self._member) as file:
                        yield from self._read(file, shared)
                finally:
                    shared.close()
        except (zipfile.BadZipFile, expat.ExpatError, OSError, EOFError) as error:
            raise Invalid("The workbook is broken: it cannot be read to its end.") from error

    def _read(self, file: IO[bytes], shared: _Shared) -> Iterator[tuple[str, list[str], int]]:
        reading = _Reading(shared, self._date_styles, self._epoch)
        for read in _parse(file, start=reading.start, end=reading.end, text=reading.text):
            for problem, cells in reading.done:
                yield problem, cells, read
            reading.done.clear()


class _Reading:
    """Turns the elements of a sheet into rows."""

    def __init__(self, shared: _Shared, date_styles: frozenset[int], epoch: datetime) -> None:
        self.done: list[tuple[str, list[str]]] = []
        self._shared, self._date_styles, self._epoch = shared, date_styles, epoch
        self._cells: list[str] = []
        self._pieces: list[str] = []
        self._type = self._problem = ""
        self._style = self._place = self._size = 0
        self._takes = self._phonetic = False

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "row":
            self._cells, self._problem, self._place, self._size = [], "", 0, 0
        elif tag == "c":
            found = _COLUMN.match(given.get("r", ""))
            self._place = _place_of(found[0]) if found else len(self._cells)
            self._type, self._style = given.get("t", "n"), _whole(given.get("s", "0"))
            self._pieces = []
        elif tag in {"v", "t"}:
            self._takes = not self._phonetic
        elif tag == "rPh":
            self._phonetic = True

    def text(self, piece: str) -> None:
        if self._takes:
            self._size += len(piece)
            if self._size <= MAX_ROW:
                self._pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in {"v", "t"}:
            self._takes = False
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "c":
            self._keep("".join(self._pieces))
        elif tag == "row":
            if self._size > MAX_ROW:
                self._problem = f"is larger than {MAX_ROW >> 20} MB"
            self.done.append((self._problem, [] if self._problem else self._cells))

    def _keep(self, said: str) -> None:
        if self._place >= MAX_COLUMNS:
            self._problem = self._problem or (f"has a cell beyond column {MAX_COLUMNS}" if said else "")
            return
        self._cells += [""] * (self._place + 1 - len(self._cells))
        self._cells[self._place] = self._meaning(said)

    def _meaning(self, said: str) -> str:
        if self._type == "s":
            return self._shared.get(_whole(said))
        if self._type == "b":
            return {"1": "true", "0": "false"}.get(said, said)
        if self._type == "e":
            return ""
        if self._type == "n" and said:
            return self._number(said)
        return said

    def _number(self, said: str) -> str:
        try:
            number = float(said)
        except ValueError:
            return said
        if self._style in self._date_styles and 0 <= number < 2_958_466:
            # Excel counts in days; what floats add to a second is rounded away.
            moment = self._epoch + timedelta(seconds=round(number * 86_400))
            return moment.isoformat(sep=" ") if number % 1 else moment.date().isoformat()
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _whole(said: str) -> int:
    """The number of a style or of a shared text; -1, which nothing has, for what is none."""
    return int(said) if said.isdecimal() and len(said) <= 9 else -1


def _place_of(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1
