"""What a workspace's language model has done and cost: today, and in the last thirty days."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tellback.engines.openai import REASONS, REJECTIONS, Pass
from tellback.engines.openai.breaker import BreakerState
from tellback.understanding.language_model.books import breaker_of
from tellback.understanding.language_model.choices import Choices
from tellback.understanding.models import ModelDay, ModelState
from tellback.understanding.services import count_unusable, count_waiting

DAYS = 30
PASSES: dict[str, str] = {
    Pass.EXTRACTION: "Finding needs",
    Pass.INTERPRETATION: "Sorting them",
    Pass.DESCRIPTION: "Naming themes",
    Pass.EMBEDDING: "Vectors",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One counter: what it counts, today and in the last thirty days."""

    label: str
    today: int
    lately: int


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of the settings page. `budget` and costs of passes are tokens; `share` is what is used of it, 0-100.

    `state` is that of the circuit breaker; `waiting` are items that will be read again by themselves, `unusable` are
    signals that are only asked for again when a person wants it.
    """

    tokens: int
    budget: int
    share: float
    cost: Decimal
    cost_lately: Decimal
    calls: int
    remembered: int
    passes: list[Line]
    stood_in: list[Line]
    rejected: list[Line]
    state: BreakerState
    open_until: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str
    waiting: int
    unusable: int


def read_report(*, choices: Choices, now: datetime) -> Report:
    """The figures of the present workspace. Four queries."""
    days = list(ModelDay.objects.filter(day__gt=now.date() - timedelta(days=DAYS)))
    today = next((day for day in days if day.day == now.date()), ModelDay(day=now.date()))
    state = ModelState.objects.first() or ModelState()
    return Report(
        tokens=today.tokens,
        budget=choices.daily_tokens,
        share=min(100.0, 100 * today.tokens / choices.daily_tokens) if choices.daily_tokens else 100.0,
        cost=Decimal(today.cost),
        cost_lately=sum((day.cost for day in days), Decimal(0)),
        calls=today.calls,
        remembered=today.remembered,
        passes=_lines(PASSES, _tokens([today]), _tokens(days)),
        stood_in=_lines(REASONS, Counter(today.stood_in), _sum(day.stood_in for day in days)),
        rejected=_lines(REJECTIONS, Counter(today.rejected), _sum(day.rejected for day in days)),
        state=breaker_of(state).state(now),
        open_until=state.open_until,
        last_success_at=state.last_success_at,
        last_failure_at=state.last_failure_at,
        last_error=state.last_error,
        waiting=count_waiting(),
        unusable=count_unusable(),
    )


def _tokens(days: Iterable[ModelDay]) -> Counter[str]:
    return _sum({name: sum(counts) for name, counts in day.passes.items()} for day in days)


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    return sum((Counter(one) for one in counts), Counter())


def _lines(labels: Mapping[str, str], today: Mapping[str, int], lately: Mapping[str, int]) -> list[Line]:
    """What was counted at all, in the order of the labels."""
    return [
        Line(label, today.get(kind, 0), lately.get(kind, 0)) for kind, label in labels.items() if lately.get(kind, 0)
    ]
