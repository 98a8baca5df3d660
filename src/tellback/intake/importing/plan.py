"""What is to be done with a file: what its tables are and what their columns mean. Kept as JSON with its import."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from tellback.intake.importing.dates import DayOrder
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.formats import Skip

CHANNELS = frozenset({"in-app", "support", "review", "community", "api"})


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table of a file: what its rows are, from which column each field comes, and how its dates are written.

    `html`, `skips`, `id_parts`, `id_in_link` and `scale_in` are those of the format's layout.
    """

    name: str
    kind: Kind
    columns: Mapping[str, str]
    orders: Mapping[str, DayOrder] = field(default_factory=dict)
    html: bool = False
    skips: tuple[Skip, ...] = ()
    id_parts: tuple[str, ...] = ()
    id_in_link: str = ""
    scale_in: str = ""
    rows: int = 0
    examples: Mapping[str, str] = field(default_factory=dict)

    def order_of(self, field: str) -> DayOrder:
        """How the column of this field writes days and months."""
        return self.orders.get(field, DayOrder.NOT_NEEDED)

    @property
    def open_dates(self) -> list[str]:
        """The fields whose column can be read two ways."""
        return [field for field, order in self.orders.items() if order.is_open]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A whole file. `channel` and `board` hold where a row does not say; `format` is the key of the format found."""

    format: str
    source_name: str
    channel: str
    board: str
    tables: tuple[TablePlan, ...]

    @property
    def open_dates(self) -> list[tuple[TablePlan, str]]:
        """Tables and fields that somebody must decide before anything is imported."""
        return [(table, field) for table in self.tables for field in table.open_dates]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)

    def decided(self, order: DayOrder) -> "ImportPlan":
        """The plan with every open column read this way round."""
        tables = tuple(
            replace(table, orders={one: order if now.is_open else now for one, now in table.orders.items()})
            for table in self.tables
        )
        return replace(self, tables=tables)

    def as_json(self) -> dict[str, Any]:
        """The plan in JSON's types."""
        dumped: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return dumped


_ADAPTER = TypeAdapter(ImportPlan)


def plan_from_json(stored: Mapping[str, Any]) -> ImportPlan:
    """A plan as `as_json` gave it."""
    return _ADAPTER.validate_python(stored)
