"""What one row says, field by field. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tellback.intake.importing.dates import parse_time
from tellback.intake.importing.plan import TablePlan
from tellback.intake.importing.reading import Row
from tellback.intake.importing.values import plain_text, rating_of, rating_on_scale, tags_of
from tellback.kernel.errors import Invalid

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BRACKETED = re.compile(r"(.*)<([^<>@\s]+@[^<>\s]+)>\s*$", re.DOTALL)
MAX_METADATA, MAX_VALUES = 2_000, 100


class LeftOut(Exception):
    """A row that is left out on purpose; says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who a row names; each part may be empty."""

    name: str = ""
    email: str = ""
    user_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.shown)

    @property
    def shown(self) -> str:
        """What to call them."""
        return self.name or self.email or self.user_id


class Said:
    """A row by what its columns mean; empty where it says nothing."""

    def __init__(self, row: Row, table: TablePlan) -> None:
        self._row, self._table = row, table

    def __call__(self, field: str) -> str:
        return self._row.cells.get(self._table.columns.get(field, ""), "").strip()

    def text(self, field: str) -> str:
        """The field as plain text, where the format writes HTML."""
        said = self(field)
        return plain_text(said) if self._table.html and ("<" in said or "&" in said) else said

    def tags(self) -> list[str]:
        """The row's tags."""
        return tags_of(self("tags"), self._row.lists.get(self._table.columns.get("tags", ""), ()))

    def rating(self) -> int | None:
        """The stars that the row gives, counted on its own scale where its format has several."""
        scale = self._row.cells.get(self._table.scale_in, "") if self._table.scale_in else ""
        return rating_on_scale(self("rating"), scale) if scale else rating_of(self("rating"))

    def time(self, field: str) -> datetime | None:
        """The moment that the field names. Raises `Invalid` when it cannot be read."""
        said = self(field)
        return parse_time(said, order=self._table.order_of(field)) if said else None

    def identity(self) -> str:
        """The row's own id, with the parts that its format joins to it, or the one in its link."""
        said = self("id")
        if not said and self._table.id_in_link:
            said = next(iter(parse_qs(urlsplit(self("url")).query).get(self._table.id_in_link, [])), "")
        parts = [said, *(self._row.cells.get(one, "").strip() for one in self._table.id_parts)] if said else []
        return "/".join(part for part in parts if part)[:400]

    def person(self, before: str = "") -> Person:
        """Who said it; `before` is put before the fields' names. “Ada <ada@example.com>” is both name and address."""
        name, email = self(f"{before}name"), self(f"{before}email").lower()
        if match := _BRACKETED.match(email or name):
            name, email = name if email else match[1].strip(" \"'"), match[2].lower()
        if not email and _EMAIL.fullmatch(name):
            name, email = "", name.lower()
        if not _EMAIL.fullmatch(email) or len(email) > 254:
            email = ""
        return Person(name[:200], email, self(f"{before}user_id")[:200])

    def metadata(self, known: set[str]) -> dict[str, Any]:
        """The cells of the columns that mean no field, so that nothing of a row is lost."""
        kept = {
            name[:200]: cell.strip()[:MAX_METADATA]
            for name, cell in self._row.cells.items()
            if name not in known and cell.strip()
        }
        return dict(list(kept.items())[:MAX_VALUES])


def shown_time(at: datetime | None) -> str:
    """A moment as `Draft.shown` holds it; empty for none."""
    return at.isoformat() if at else ""


def check_row(row: Row, table: TablePlan) -> None:
    """Raise `Invalid` for a row that cannot be taken whatever it says, `LeftOut` for one that is not meant to be."""
    if row.problem:
        raise Invalid(row.problem)
    if row.surplus:
        more = "a cell" if len(row.surplus) == 1 else f"{len(row.surplus)} cells"
        raise Invalid(f"has {more} more than the header; a quote or a delimiter may be missing")
    if any("\x00" in cell for cell in row.cells.values()):
        raise Invalid("contains the character NUL")
    for skip in table.skips:
        said = next((cell for name, cell in row.cells.items() if _plain(name) == skip.column), "")
        if said.strip().casefold() in skip.values:
            raise LeftOut(skip.reason)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
