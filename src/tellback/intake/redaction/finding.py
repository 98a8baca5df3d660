"""What a find is, and the little that all detectors share."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Private data at `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    type: str


Detector = Callable[[str], Iterator[Found]]


def before(text: str, place: int, size: int = 40) -> str:
    """The `size` characters in front of a place."""
    return text[max(place - size, 0) : place]


_ACCOUNT_BEGUN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}[ -](?:[A-Za-z0-9]{4}[ -]){0,7}\Z")


def inside_account(text: str, place: int) -> bool:
    """Whether a place is amid what looks like a bank account, right or not: its groups are no number of their own."""
    return _ACCOUNT_BEGUN.search(before(text, place)) is not None
