"""What one row of a table says, as a submission. Pure: no database, no clock."""

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from tellback.intake.accept import Submission, fingerprint
from tellback.intake.importing.table import Row
from tellback.kernel.errors import Invalid

MAX_TEXT = 20_000
MAX_METADATA = 2_000
CHANNELS = frozenset({"in-app", "support", "review", "community", "api"})
SEVERITIES = {
    "critical": "critical", "blocker": "critical", "urgent": "critical", "p0": "critical",
    "high": "high", "major": "high", "p1": "high",
    "medium": "medium", "normal": "medium", "moderate": "medium", "p2": "medium",
    "low": "low", "minor": "low", "trivial": "low", "p3": "low", "p4": "low",
}  # fmt: skip
DATE_FORMS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%b %d, %Y")
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every row of a file: its source, and what a row does not say. `columns` maps field to column."""

    source_id: UUID
    columns: Mapping[str, str]
    channel: str
    now: datetime
    day_first: bool = False


def submission_of(row: Row, defaults: Defaults) -> Submission:
    """The row as a submission, silent: nobody is mailed about imported feedback.

    It is the same again when its id is, or, without an id, when its text, title, author and date are. Columns that
    mean nothing known are kept as metadata. Raises `Invalid` with one sentence about the row.
    """
    if row.surplus:
        raise Invalid(f"has {row.surplus} more cells than the header; a quote or a delimiter may be missing")
    if any("\x00" in cell for cell in row.cells.values()):
        raise Invalid("contains the character NUL")
    said = _Said(row.cells, defaults.columns)
    subject, text = said("subject"), said("text") or said("subject")
    _check_text(text)
    when = said("date")
    severity = SEVERITIES.get(said("severity").casefold(), "")
    channel = said("channel").casefold()
    return Submission(
        source_id=defaults.source_id,
        source_type="csv",
        channel=channel if channel in CHANNELS else defaults.channel,
        text=text,
        subject="" if subject == text else subject[:500],
        source_created_at=parse_time(when, day_first=defaults.day_first) if when else defaults.now,
        category=_category(said("category")),
        severity=severity or "medium",
        external_id=said("id")[:200],
        external_url=said("url")[:2000] or None,
        author=_author(said),
        context=_context(row, said, defaults.columns),
        language=said("language")[:20] or None,
        dedupe_key=_identity(said, text, subject, when),
        silent=True,
    )


class _Said:
    """A row by what its columns mean; empty where it says nothing."""

    def __init__(self, cells: Mapping[str, str], columns: Mapping[str, str]) -> None:
        self._cells, self._columns = cells, columns

    def __call__(self, field: str) -> str:
        return self._cells.get(self._columns.get(field, ""), "").strip()


def _check_text(text: str) -> None:
    if not text:
        raise Invalid("has no text")
    if len(text) > MAX_TEXT:
        raise Invalid(f"has a text of {len(text):,} characters; {MAX_TEXT:,} is the most")


def _identity(said: _Said, text: str, subject: str, when: str) -> str:
    """A keyed digest, so that nothing of the row can be read back from it."""
    if said("id"):
        return fingerprint(b"id\0" + said("id").encode("utf-8", "replace"))
    parts = (text, subject, said("email"), said("user_id"), said("name"), when)
    joined = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()
    return fingerprint(b"content\0" + joined)


def _author(said: _Said) -> dict[str, Any]:
    email = said("email").lower()
    author = {
        "name": said("name")[:200],
        "email": email if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email) and len(email) <= 254 else "",
        "externalUserId": said("user_id")[:200],
    }
    return {key: value for key, value in author.items() if value}


def _context(row: Row, said: _Said, columns: Mapping[str, str]) -> dict[str, Any]:
    known = {column for field, column in columns.items() if field not in {"severity", "category", "channel"}}
    metadata = {name: cell.strip()[:MAX_METADATA] for name, cell in row.cells.items() if name not in known and cell}
    extra = {"appVersion": said("app_version"), "tags": [tag for tag in re.split(r"[,;|]\s*", said("tags")) if tag]}
    customer = {"company": said("company")[:200], "plan": said("plan")[:40]}
    rating = _rating(said("rating"))
    context: dict[str, Any] = {
        "metadata": {**metadata, **{key: value for key, value in extra.items() if value}},
        "customer": {key: value for key, value in customer.items() if value},
    }
    return context if rating is None else {**context, "rating": rating}


def _rating(text: str) -> int | None:
    """1 to 5 stars, from a number or from drawn stars; None for another scale."""
    drawn = text.count("★") or text.count("⭐")
    match = re.match(r"([1-5])(?:[.,]\d+)?(?:\s*/\s*5)?$", text)
    return int(match[1]) if match else (drawn if 1 <= drawn <= 5 else None)


def _category(text: str) -> str:
    word = re.sub(r"[\s-]+", "_", text.strip().lower())
    return word if re.fullmatch(r"[a-z_]{1,20}", word) else "other"


def parse_time(text: str, *, day_first: bool) -> datetime:
    """The moment that a cell names, UTC where it names no zone. `day_first` decides what 3/4/2026 means.

    Understands RFC 3339 and ISO 8601, RFC 5322, Unix seconds and milliseconds, and the forms of spreadsheets.
    Raises `Invalid` for anything else.
    """
    readers: tuple[Callable[[str], datetime], ...] = (
        datetime.fromisoformat,
        _unix,
        lambda cell: _slashed(cell, day_first),
        _written,
        parsedate_to_datetime,
    )
    for reader in readers:
        try:
            moment = reader(text)
        except (ValueError, TypeError, OverflowError, OSError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise Invalid(f"has a date that cannot be read: “{text[:40]}”")


def _written(text: str) -> datetime:
    for form in DATE_FORMS:
        with contextlib.suppress(ValueError):
            return datetime.strptime(text, form)
    raise ValueError(text)


def _unix(text: str) -> datetime:
    number = float(text)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def _slashed(text: str, day_first: bool) -> datetime:
    match = SLASHED.match(text)
    if not match:
        raise ValueError(text)
    first, second, year, hour, minute, seconds = (int(part or 0) for part in match.groups())
    day, month = (first, second) if (day_first or first > 12) and second <= 12 else (second, first)
    return datetime(year, month, day, hour, minute, seconds, tzinfo=UTC)
