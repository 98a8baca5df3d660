"""Which signal of a new reading stands for which of the old one: those that share most of their words. No database."""

from collections.abc import Mapping, Sequence

from tellback.themes.rules import shares_words

Spans = Sequence[Mapping[str, int]]


def match(before: Sequence[Spans], after: Sequence[Spans]) -> list[int | None]:
    """For each signal of the new reading the place of its counterpart in the old one; None for one that is new.

    Each old signal is the counterpart of one new signal at the most. Pairs with more words in common come first, then
    those that stand earlier, so that the same input gives the same answer.
    """
    pairs = sorted(
        (-_common(old, new), row, place)
        for row, new in enumerate(after)
        for place, old in enumerate(before)
        if old and new and shares_words(old, new)
    )
    found: list[int | None] = [None] * len(after)
    taken: set[int] = set()
    for _common_words, row, place in pairs:
        if found[row] is None and place not in taken:
            found[row] = place
            taken.add(place)
    return found


def _common(spans: Spans, others: Spans) -> int:
    return sum(
        max(0, min(one["end"], other["end"]) - max(one["start"], other["start"])) for one in spans for other in others
    )
