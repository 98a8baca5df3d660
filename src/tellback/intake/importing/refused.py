"""The file of refused rows: safe to open in a spreadsheet, and the same rows again when it is imported."""

import csv
import re
from collections.abc import Mapping, Sequence
from typing import TextIO

WHY, NUMBER = "why refused", "row"
#: What a spreadsheet may run as a formula, behind quotes, blanks and NULs; full-width signs count in some of them.
FORMULA = re.compile(r"'*(?:[\t\r\n]|[\s\x00]*[=+\-@＝＋－＠])")


def neutral(cell: str) -> str:
    """The cell as text for every spreadsheet: an apostrophe before what could run. `original` takes it away again.

    Source: OWASP, CSV injection.
    """
    return f"'{cell}" if FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """What `neutral` was given, exactly, for every text."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def is_refused_file(columns: Sequence[str]) -> bool:
    """Whether a header is that of a file which `RefusedFile` wrote."""
    return tuple(columns[-2:]) == (WHY, NUMBER)


class RefusedFile:
    """Writes refused rows to an open file, neutralised, header included."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._columns = columns

    def write_header(self) -> None:
        """The columns of the table and two more: why a row was refused, and which it was."""
        self._writer.writerow([*map(neutral, self._columns), WHY, NUMBER])

    def write(self, cells: Mapping[str, str], *, reason: str, number: int, surplus: Sequence[str] = ()) -> None:
        """One row; a column that the row does not reach is left empty, and cells beyond the header's come last."""
        said = (neutral(cells.get(column, "")) for column in self._columns)
        self._writer.writerow([*said, neutral(reason), number, *map(neutral, surplus)])
