"""The registry: what each room holds of a person, how it is listed and how it is erased."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tellback.intake.subjects.subject import Subject


@dataclass(frozen=True, slots=True)
class Record:
    """One thing held: its kind, its public id, and its content in JSON's types.

    `files` are its files: the name to give each, and the key under which `platform.files` keeps it.
    """

    kind: str
    id: str
    content: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one room holds of people.

    `list_records` gives everything of a subject and nothing of anybody else. `erase` empties it within the caller's
    transaction, safe to repeat, and counts what it emptied by kind. `expire` empties what belongs to single items whose
    time is over; what was understood from them stays. `forget` lets go of what was understood from items that are about
    to say something else, or to be removed because their import is undone.
    """

    room: str
    list_records: Callable[[Subject], Iterator[Record]]
    erase: Callable[[Subject, datetime], Mapping[str, int]]
    expire: Callable[[Sequence[UUID]], int] | None = None
    forget: Callable[[Sequence[UUID]], None] | None = None


_holdings: dict[str, Holding] = {}


def holds(holding: Holding) -> None:
    """Declare what a room holds. Called once, when its module `privacy` is loaded at the start."""
    _holdings[holding.room] = holding


def forget_understood(item_ids: Sequence[UUID]) -> None:
    """Have every room let go of what was understood from these items, upper rooms first."""
    for holding in reversed(list_holdings()):
        if holding.forget:
            holding.forget(item_ids)


def list_holdings() -> list[Holding]:
    """All of them, those of lower rooms first. Erasing goes the other way round."""
    return list(_holdings.values())
