"""Looking a file through once: how many rows its tables have, what their columns hold, and its first rows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from tellback.intake.importing.dates import DayOrder, OrderEvidence
from tellback.intake.importing.reading import ImportFile, Row, Table

#: Rows of each table that are kept to be shown, and characters of their cells.
SAMPLE_ROWS, SAMPLE_CELL = 20, 500
#: No date that people write is longer.
LONGEST_DATE = 60


@dataclass(frozen=True, slots=True)
class Survey:
    """What a table holds: its rows, how many have a cell in each column, and its first rows, their cells cut.

    `orders` is how columns with dates such as 3/4/2026 write days and months, `examples` a date of each that leaves it
    open.
    """

    name: str
    columns: tuple[str, ...]
    rows: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, DayOrder] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    sample: tuple[Row, ...] = ()
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a whole file holds. `left_out` names parts that are no tables."""

    name: str
    tables: tuple[Survey, ...]
    left_out: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        """The look as JSON; it holds rows as they are, so it is private like the file."""
        return _ADAPTER.dump_json(self)


_ADAPTER = TypeAdapter(Look)


def look_from_json(stored: bytes) -> Look:
    """A look as `as_json` gave it."""
    return _ADAPTER.validate_json(stored)


def look_at(file: ImportFile) -> Look:
    """Read the whole file once, holding no more of it than its first rows. Raises `Invalid` when it is broken."""
    return Look(file.name, tuple(_survey(table) for table in file.tables), file.left_out)


def _survey(table: Table) -> Survey:
    evidence = {column: OrderEvidence() for column in table.columns}
    filled: Counter[str] = Counter()
    sample: list[Row] = []
    count = 0
    for row in table.rows():
        count += 1
        if count <= SAMPLE_ROWS:
            sample.append(_cut(row))
        for column, cell in row.cells.items():
            if not cell:
                continue
            filled[column] += 1
            if len(cell) < LONGEST_DATE and cell.lstrip()[:1].isdigit() and column in evidence:
                evidence[column].see(cell)
    return Survey(
        table.name,
        table.columns,
        count,
        filled=dict(filled),
        orders={column: one.order for column, one in evidence.items() if one.order != DayOrder.NOT_NEEDED},
        examples={column: one.example for column, one in evidence.items() if one.example},
        sample=tuple(sample),
        encoding=table.encoding,
        delimiter=table.delimiter,
    )


def _cut(row: Row) -> Row:
    cells: dict[str, Any] = {column: cell[:SAMPLE_CELL] for column, cell in row.cells.items()}
    return replace(row, cells=cells, surplus=tuple(cell[:SAMPLE_CELL] for cell in row.surplus))
