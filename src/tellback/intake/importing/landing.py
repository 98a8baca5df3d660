"""Where rows land: the registry of rooms that take them, and what they answer.

Feedback lands in intake itself; posts, votes and comments in the room above, which declares itself here at the start,
so that nothing points up the house.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from tellback.intake.importing.fields import Kind
from tellback.intake.importing.plan import ImportPlan, TablePlan
from tellback.intake.importing.reading import Row


class RowOutcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    UPDATED = "updated"
    KNOWN = "known"
    LEFT_OUT = "left_out"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row, and why it did not come in."""

    outcome: RowOutcome
    reason: str = ""


ADDED, UPDATED, KNOWN = (Result(one) for one in (RowOutcome.ADDED, RowOutcome.UPDATED, RowOutcome.KNOWN))


NOTHING_TO_JOIN = Result(RowOutcome.REFUSED, "belongs to a post that is not here; import the posts first")


def in_general(reason: str) -> str:
    """What reasons of one kind have in common: without what stands behind a colon, and without numbers."""
    return re.sub(r"\d[\d,]*", "…", reason.partition(":")[0])


def other_words_under_one_id(first: int) -> str:
    """Why a row is refused whose id an earlier row of the same file has."""
    return f"has the id of row {first:,} and says something else"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the rows of one batch have in common."""

    workspace_id: UUID
    source_id: UUID
    run_id: UUID
    plan: ImportPlan
    now: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that can be stored: its number, what it says in the room's own form, and what of it to show.

    Rows that are different things although they say the same have the same `repeats`; `nth` then counts them.
    """

    number: int
    content: Any
    shown: Mapping[str, str]
    repeats: str = ""
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What storing a draft would do, as far as what is stored tells.

    Drafts with the same `key` are one thing, which says `digest`. `makes` is what others may need, `needs` what must be
    made before because it is not stored.
    """

    key: str
    result: Result
    digest: str = ""
    makes: str = ""
    needs: str = ""


class Lander(Protocol):
    """A room that takes rows of these kinds.

    `read` is pure and raises `Invalid` for a row that cannot be taken and `LeftOut` for one that should not. `store`
    answers for each draft, in order, within the caller's transaction, and repeats nothing; `foresee` says what it would
    answer and stores nothing. `remove` takes back up to `limit` things of a run, within the caller's transaction, and
    counts them by kind; nothing left is an empty count. `list_places` names where rows may be put.
    """

    kinds: frozenset[Kind]

    def read(self, row: Row, table: TablePlan, delivery: Delivery) -> Draft:
        """The row as something to store."""

    def store(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
        """Store them."""

    def foresee(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Foreseen]:
        """What storing them would do."""

    def list_places(self) -> list[str]:
        """Boards, for posts; nothing where there is no choice."""

    def remove(self, *, run_id: UUID, limit: int, now: datetime) -> Mapping[str, int]:
        """Take back what a run brought."""


_landers: dict[Kind, Lander] = {}


def lands(lander: Lander) -> None:
    """Declare a room that takes rows. Called once, when its module `landing` is loaded at the start."""
    for kind in lander.kinds:
        _landers[kind] = lander


def lander_of(kind: Kind) -> Lander:
    """The room that takes rows of this kind."""
    return _landers[kind]


def list_landers() -> list[Lander]:
    """Every room that takes rows, the upper ones first: what refers to other things is removed before them."""
    found: list[Lander] = []
    for lander in reversed(_landers.values()):
        if not any(lander is one for one in found):
            found.append(lander)
    return found
