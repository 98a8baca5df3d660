"""Times as files write them, and which way round a column writes days and months. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from tellback.kernel.errors import Invalid


class DayOrder(StrEnum):
    """What 3/4/2026 means in a column; `UNKNOWN` when its values do not tell, `MIXED` when they contradict."""

    DAY_FIRST = "day"
    MONTH_FIRST = "month"
    UNKNOWN = "unknown"
    MIXED = "mixed"
    NOT_NEEDED = ""

    @property
    def is_open(self) -> bool:
        """Whether a person has to say it."""
        return self in {DayOrder.UNKNOWN, DayOrder.MIXED}


NUMBERED = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})"
    r"(?:,?[ T]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*"
    r"([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)
YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
WRITTEN = (
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y %H:%M", "%B %d, %Y %H:%M", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p", "%b %d, %Y, %I:%M %p",
    "%b %d, %Y %I:%M:%S %p", "%b %d, %Y, %I:%M:%S %p", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%d %B %Y %H:%M",
    "%Y-%m-%d %I:%M %p", "%Y-%m-%d %H.%M", "%a %b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y",
)  # fmt: skip
ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$")
#: Days since 1899-12-30, as spreadsheets count: 1954 to 2173.
SERIAL = range(20_000, 100_000)
SERIAL_START = datetime(1899, 12, 30, tzinfo=UTC)


@dataclass(slots=True)
class OrderEvidence:
    """What the values of one column say about the order of days and months."""

    dotted: int = 0
    day_first: int = 0
    month_first: int = 0
    open: int = 0
    example: str = ""

    def see(self, text: str) -> None:
        """Take one value into account."""
        match = NUMBERED.match(text.strip())
        if match is None:
            return
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            self.day_first += 1
        elif second > 12 >= first:
            self.month_first += 1
        elif "." in text[: match.end(3)] and "/" not in text[: match.end(3)]:
            self.dotted += 1
        elif first != second:
            self.open += 1
            self.example = self.example or text.strip()[:20]

    @property
    def order(self) -> DayOrder:
        """The order that all values of the column together allow."""
        if self.day_first and self.month_first:
            return DayOrder.MIXED
        if self.day_first or self.month_first:
            return DayOrder.DAY_FIRST if self.day_first else DayOrder.MONTH_FIRST
        if self.open:
            return DayOrder.UNKNOWN
        # With dots the day comes first wherever dates are written so.
        return DayOrder.DAY_FIRST if self.dotted else DayOrder.NOT_NEEDED


def order_of(values: Iterable[str]) -> DayOrder:
    """Which way round these values of one column write days and months."""
    evidence = OrderEvidence()
    for value in values:
        evidence.see(value)
    return evidence.order


def parse_time(text: str, *, order: DayOrder) -> datetime:
    """The moment that a cell names, UTC where it names no zone. `order` decides what 3/4/2026 means.

    Understands RFC 3339 and ISO 8601, RFC 5322, Unix seconds, milliseconds and microseconds, days as spreadsheets count
    them, and the forms in which people write dates. Raises `Invalid` for anything else, and for a day and month that
    `order` leaves open.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _other_form(text, order)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _other_form(text: str, order: DayOrder) -> datetime:
    for reader in (_with_named_zone, _counted, _year_first, _written, parsedate_to_datetime):
        try:
            return reader(text)
        except (ValueError, TypeError, OverflowError, OSError, IndexError):
            continue
    numbered = _numbered(text, order)
    if numbered is None:
        raise Invalid(f"has a date that cannot be read: “{text[:40]}”")
    return numbered


def _with_named_zone(text: str) -> datetime:
    return datetime.fromisoformat(ZONE.sub("", text))


def _counted(text: str) -> datetime:
    number = float(text)
    if int(number) in SERIAL:
        return SERIAL_START + timedelta(seconds=round(number * 86_400))
    if number < 10**8:
        raise ValueError(text)
    for unit in (10**14, 10**11):
        if number > unit:
            return datetime.fromtimestamp(number / (unit / 10**8), UTC)
    return datetime.fromtimestamp(number, UTC)


def _year_first(text: str) -> datetime:
    match = YEAR_FIRST.match(text)
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _written(text: str) -> datetime:
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", ZONE.sub("", text))
    for form in WRITTEN:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(text)


def _numbered(text: str, order: DayOrder) -> datetime | None:
    match = NUMBERED.match(text)
    if not match:
        return None
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    if order.is_open and first <= 12 and second <= 12 and first != second:
        raise Invalid(f"has a date that can be read two ways: “{text[:40]}”")
    day, month = (first, second) if _is_day_first(first, second, order) else (second, first)
    hour, minute, seconds = (int(part or 0) for part in match.group(4, 5, 6))
    if match[7]:
        hour = hour % 12 + (12 if match[7][0] in "pP" else 0)
    year = year if year > 99 else 2000 + year if year < 70 else 1900 + year
    try:
        return datetime(year, month, day, hour, minute, seconds, tzinfo=UTC) - _offset(match[8] or "")
    except (ValueError, OverflowError):
        return None


def _is_day_first(first: int, second: int, order: DayOrder) -> bool:
    return second <= 12 and (first > 12 or order != DayOrder.MONTH_FIRST)


def _offset(zone: str) -> timedelta:
    if zone[:1] not in {"+", "-"}:
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset
