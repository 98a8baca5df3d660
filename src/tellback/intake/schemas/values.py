"""The values that payload versions are made of: strict texts, times and free-form objects."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, WithJsonSchema

#: A free-form object may be nested this deep, hold so many values in all, and texts of so many characters.
FREE_DEPTH, FREE_VALUES, FREE_TEXT, FREE_NAME = 8, 500, 8192, 200
#: What PostgreSQL's JSON and every client's numbers can hold without loss.
LARGEST_INTEGER = 2**63 - 1
_LINK = re.compile(r"https?://[^\s<>\"\\\x00-\x1f]+", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def storable(text: str) -> str:
    """The text, which the database can keep. Raises `ValueError` for the character NUL."""
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


def has_words(text: str) -> str:
    """The text, which says something. Raises `ValueError` for white space only."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _link(text: str) -> str:
    if not _LINK.fullmatch(text):
        raise ValueError("must be an http or https address")
    return text


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("must be a language tag, for instance en or pt-BR")
    return text


def _written(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("must be a text: RFC 3339 with a zone, for instance 2026-11-20T10:00:00Z")
    return value


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC: a zone may be further away than the database knows any, and a year beyond the calendar.

    Raises `ValueError` for a moment outside of the years 1 to 9999.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999") from None


def _free_form(value: dict[str, Any]) -> dict[str, Any]:
    _Walk().over(value, depth=1)
    return value


class _Walk:
    """Looks through a free-form object, counting what it holds."""

    def __init__(self) -> None:
        self.seen = 0

    def over(self, value: Any, *, depth: int) -> None:
        self.seen += 1
        if self.seen > FREE_VALUES:
            raise ValueError(f"must not hold more than {FREE_VALUES} values")
        if isinstance(value, str):
            _check_text(value, most=FREE_TEXT)
        elif isinstance(value, dict | list):
            self._inside(value, depth)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must hold finite numbers only")
        elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            raise ValueError("must not hold integers of more than 64 bits")

    def _inside(self, value: dict[str, Any] | list[Any], depth: int) -> None:
        if depth > FREE_DEPTH:
            raise ValueError(f"must not be nested deeper than {FREE_DEPTH} levels")
        if isinstance(value, dict):
            for name in value:
                _check_text(name, most=FREE_NAME)
        for inner in value.values() if isinstance(value, dict) else value:
            self.over(inner, depth=depth + 1)


def _check_text(text: str, *, most: int) -> None:
    storable(text)
    if len(text) > most:
        raise ValueError(f"must not hold texts of more than {most:,} characters")


Text = Annotated[str, AfterValidator(storable)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable), AfterValidator(has_words)]
Link = Annotated[str, Field(max_length=2048, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://"), AfterValidator(_link)]
Language = Annotated[str, Field(max_length=35), AfterValidator(_language)]
#: RFC 3339 with a zone, as a text: a bare number is no time.
Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(in_utc)]
#: Whatever the sender likes, within bounds.
FreeForm = Annotated[
    dict[str, Any],
    AfterValidator(_free_form),
    Field(max_length=100),
    WithJsonSchema({"type": "object", "maxProperties": 100, "additionalProperties": True}),
    PlainSerializer(lambda value: value),
]
