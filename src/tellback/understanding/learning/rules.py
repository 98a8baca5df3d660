"""What judgements of people say of understanding: how often it is right, whether people agree, how it drifts. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: The standard normal deviate of a two-sided interval of 95%.
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one person said about one field of some words. `about` names the words; `said` is what stood there."""

    about: str
    said: str
    truth: str
    person: str
    day: date
    asked: bool


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the interval that the true share lies in (95%, Wilson 1927). All within 0 and 1."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end; everything is possible when nothing is known."""
        if not self.of:
            return 0.0, 1.0
        z2 = Z95 * Z95
        middle = (self.hits + z2 / 2) / (self.of + z2)
        half = Z95 / (self.of + z2) * math.sqrt(self.hits * (self.of - self.hits) / self.of + z2 / 4)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What some words were said to be first, what they are by the last word, and who looked when first."""

    said: str
    truth: str
    day: date
    asked: bool

    @property
    def right(self) -> bool:
        """Whether the first answer stands."""
        return self.said == self.truth


def settle(judgements: Sequence[Judgement]) -> list[Verdict]:
    """One verdict for each wording, from judgements in the order in which they were made."""
    groups = _by_wording(judgements)
    return [
        Verdict(some[0].said, some[-1].truth, some[0].day, any(one.asked for one in some)) for some in groups.values()
    ]


def accuracy(verdicts: Iterable[Verdict]) -> Share:
    """How often the answer was right."""
    known = list(verdicts)
    return Share(sum(one.right for one in known), len(known))


def accuracy_by_answer(verdicts: Iterable[Verdict]) -> dict[str, Share]:
    """Of what was said to be each kind, how much is."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        groups[one.said].append(one)
    return {name: accuracy(some) for name, some in groups.items()}


def disagreement(judgements: Sequence[Judgement]) -> Share:
    """Of the wordings that two people or more judged, those where their last words differ."""
    shared = [last for some in _by_wording(judgements).values() if len(last := {o.person: o.truth for o in some}) > 1]
    return Share(sum(len(set(last.values())) > 1 for last in shared), len(shared))


def by_week(verdicts: Iterable[Verdict], *, until: date, weeks: int) -> list[tuple[date, Share]]:
    """Accuracy in each of the last weeks, named by their Monday, oldest first; also of weeks without a verdict."""
    groups: dict[date, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        groups[_monday(one.day)].append(one)
    mondays = [_monday(until) - timedelta(weeks=back) for back in reversed(range(weeks))]
    return [(monday, accuracy(groups[monday])) for monday in mondays]


def has_drifted(weeks: Sequence[tuple[date, Share]]) -> bool:
    """Whether the later half is worse than the earlier one by more than chance explains: their intervals are apart."""
    half = len(weeks) // 2
    earlier, later = (_sum(share for _, share in part) for part in (weeks[:half], weeks[half:]))
    return bool(earlier.of and later.of) and later.interval[1] < earlier.interval[0]


def _sum(shares: Iterable[Share]) -> Share:
    known = list(shares)
    return Share(sum(one.hits for one in known), sum(one.of for one in known))


def _by_wording(judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    groups: dict[str, list[Judgement]] = defaultdict(list)
    for one in judgements:
        groups[one.about].append(one)
    return groups


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
