"""What a file is to the importer: named tables, read row by row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number (1 is the first after the header), its cells by column, and how many bytes in it ends.

    `surplus` are the cells beyond the header's. `lists` holds what was a list in JSON. `problem` says why the row
    cannot be read; its cells are then empty.
    """

    number: int
    cells: dict[str, str]
    at: int
    surplus: tuple[str, ...] = ()
    lists: dict[str, list[str]] = field(default_factory=dict)
    problem: str = ""


#: Opens the bytes of a file, or of a member of a zip, at their start.
Opener = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind in a file: a text, a sheet, a list in JSON.

    `kind` is csv, xlsx, json or jsonl. `is_refused` tells a file of refused rows, which is read as those rows were.
    `read` gives the rows from the first, holding one at a time.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    read: Callable[[], Iterator[Row]]
    encoding: str = ""
    delimiter: str = ""
    is_refused: bool = False

    def rows(self, *, after: int = 0) -> Iterator[Row]:
        """The rows behind the first `after`, in order."""
        return (row for row in self.read() if row.number > after)


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file that was looked at: its tables with rows, its SHA-256 (hex) and its size in bytes.

    `name` is the file's own; `left_out` names parts that are no tables.
    """

    path: Path
    name: str
    digest: str
    size: int
    tables: tuple[Table, ...]
    left_out: tuple[str, ...] = ()
