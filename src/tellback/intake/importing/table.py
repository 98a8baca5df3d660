"""Reading a table of text: its encoding, its delimiter, its rows, one at a time."""

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tellback.intake.importing.refused import is_refused_file, original
from tellback.kernel.errors import Invalid

DELIMITERS = ",;\t|"
BLOCK = 1 << 20
#: A cell larger than this means a quote that never closes.
MAX_CELL = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was looked at: how to read it, what its columns are called, and its SHA-256 (hex).

    `is_refused` tells a file of refused rows: its cells are read as they were before they were made safe, and its
    two own columns are left out.
    """

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    digest: str
    size: int
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number (1 is the first after the header), its cells by column, and how far into the file it ends.

    `surplus` counts cells beyond the header's. `at` is in characters, for a progress bar.
    """

    number: int
    cells: dict[str, str]
    surplus: int
    at: int


def inspect(path: Path) -> Table:
    """Find out how to read the file. Raises `Invalid` when it cannot be read or has no header and rows."""
    try:
        size = path.stat().st_size
        encoding, digest = _encoding_and_digest(path)
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            head = file.read(64 * 1024)
    except OSError as error:
        raise Invalid(f"Cannot read {path} ({error.strerror}).") from error
    if not head.strip():
        raise Invalid(f"{path} is empty.")
    delimiter = max(DELIMITERS, key=lambda one: len(_first_row(head, one)))
    header = _first_row(head, delimiter)
    is_refused = is_refused_file(header)
    if is_refused:
        header = [original(name) for name in header[:-2]]
    columns = tuple(name.strip() or f"column {number}" for number, name in enumerate(header, 1))
    if len(set(columns)) < len(columns):
        repeated = next(name for name in columns if columns.count(name) > 1)
        raise Invalid(f"{path} has two columns called “{repeated}”. Rename one of them.")
    return Table(path, encoding, delimiter, columns, digest, size, is_refused)


def rows(table: Table, *, after: int = 0) -> Iterator[Row]:
    """The rows behind the first `after`, in order, blank lines left out, holding one at a time in memory."""
    csv.field_size_limit(MAX_CELL)
    with table.path.open(encoding=table.encoding, errors="replace", newline="") as file:
        lines = _Counted(file)
        reader = csv.reader(lines, delimiter=table.delimiter)
        number = -1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Invalid(
                    f"Row {number + 1} of {table.path} cannot be read ({error}). Look for a quote that never closes."
                ) from error
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if table.is_refused:
                cells = [original(cell) for cell in _without_own_columns(cells, len(table.columns))]
            if number > after:
                yield Row(
                    number,
                    dict(zip(table.columns, cells, strict=False)),
                    max(0, len(cells) - len(table.columns)),
                    lines.characters,
                )


def _without_own_columns(cells: list[str], width: int) -> list[str]:
    """The cells less the two that tell the refusal; cells behind those stay, for the row to be refused for them."""
    return cells[:width] + cells[width + 2 :]


class _Counted:
    """The lines of a file, counting characters as they are read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.characters += len(line)
        return line


def _first_row(head: str, delimiter: str) -> list[str]:
    return next((row for row in csv.reader(head.splitlines(keepends=True), delimiter=delimiter) if any(row)), [])


def _encoding_and_digest(path: Path) -> tuple[str, str]:
    """UTF-8 or UTF-16 by its mark, else UTF-8 when all of it is, else Windows-1252, which Excel writes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = ""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            encoding = encoding or _marked(block) or "utf-8"
            digest.update(block)
            if encoding == "utf-8":
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    encoding = "cp1252"
    if encoding == "utf-8":
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "cp1252"
    return encoding or "utf-8", digest.hexdigest()


def _marked(block: bytes) -> str:
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if block.startswith(codecs.BOM_UTF8) else ""
