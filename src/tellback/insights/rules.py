"""Decisions of the search: how a query widens, how lists of results become one, what is marked in a text. Pure."""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

#: A word of fewer letters is not taken for the beginning of others.
SHORTEST_BEGINNING = 3
#: What a place in a list is worth: 1 / (60 + place), as in Cormack, Clarke and Büttcher 2009.
DAMPING = 60
#: Around what is marked so much of a long text is shown, and this much of one in which nothing is.
CONTEXT, LENGTH = 160, 320
#: Between what PostgreSQL marks in a text: characters that no text means anything by.
START, STOP = "\ue000", "\ue001"

_LEXEME = re.compile(r"'(?:[^']|'')*'")


def widened(query: str) -> str:
    """A query in PostgreSQL's form (tsquery) that takes each of its words also as the beginning of another.

    Words that are left out (minus), words of a phrase and short words stay as they are.
    """
    parts, last = [], 0
    for found in _LEXEME.finditer(query):
        before, after = query[: found.start()].rstrip(), query[found.end() :].lstrip()
        is_exact = before.endswith(("!", ">")) or after.startswith("<")
        is_short = len(found.group()) - 2 < SHORTEST_BEGINNING
        parts += [query[last : found.end()], "" if is_exact or is_short else ":*"]
        last = found.end()
    return "".join([*parts, query[last:]])


def fused(lists: Iterable[Sequence[Key]]) -> list[tuple[Key, float]]:
    """Several ranked lists as one, best first (reciprocal rank fusion); of what is twice in one the first counts."""
    scores: dict[Key, float] = {}
    for ranked in lists:
        for place, key in enumerate(dict.fromkeys(ranked), start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (DAMPING + place)
    # Sorting keeps the order of those that are worth the same.
    return sorted(scores.items(), key=lambda pair: -pair[1])


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a text that is marked, and why, in words."""

    start: int
    end: int
    label: str


def marks_in(shown: str, text: str, *, label: str) -> list[Mark]:
    """Where PostgreSQL marked the text; nothing where what it shows is not the text, letter by letter."""
    if shown.replace(START, "").replace(STOP, "") != text:
        return []
    return _placed(shown, label)


def _placed(shown: str, label: str) -> list[Mark]:
    marks, place, begun = [], 0, 0
    for character in shown:
        if character == START:
            begun = place
        elif character == STOP:
            marks.append(Mark(begun, place, label))
        else:
            place += 1
    return marks


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text, verbatim, with marks that count its characters; and whether something was cut off."""

    text: str
    marks: tuple[Mark, ...]
    cut_before: bool
    cut_after: bool


def excerpt(text: str, marks: Sequence[Mark]) -> Excerpt:
    """What is shown of a text: all of a short one, of a long one what is around the first mark."""
    first = marks[0] if marks else Mark(0, 0, "")
    begin = max(first.start - CONTEXT, 0)
    finish = min(max(begin + LENGTH, min(first.end, first.start + LENGTH) + CONTEXT), len(text))
    shown = tuple(
        Mark(mark.start - begin, min(mark.end, finish) - begin, mark.label) for mark in marks if mark.start < finish
    )
    return Excerpt(text[begin:finish], shown, begin > 0, finish < len(text))
