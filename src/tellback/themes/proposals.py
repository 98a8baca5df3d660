"""Reads of changes of themes: what upkeep proposes, with quotes to judge it by, and what was decided."""

from dataclasses import dataclass

from django.db.models import QuerySet

from tellback.themes.models import ChangeKind, ChangeState, ThemeChange
from tellback.themes.selectors import Quote, quote_of
from tellback.understanding.models import Signal


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change of themes with what a person needs to judge it: a few quotes of each side."""

    change: ThemeChange
    quotes: list[Quote]
    others: list[Quote]
    moved: int


#: Quotes of each side of a proposal.
SIDE = 3


def list_proposals(limit: int = 60) -> list[ShownChange]:
    """What upkeep proposes, those that concern most signals first."""
    proposed = ThemeChange.objects.filter(state=ChangeState.PROPOSED).select_related("theme", "into_theme")
    shown = [_shown(change) for change in proposed.order_by("id")]
    return sorted(shown, key=lambda one: (-one.moved, one.change.id))[:limit]


def list_changes(limit: int = 30) -> list[ThemeChange]:
    """What was decided, the latest first."""
    decided = ThemeChange.objects.exclude(state=ChangeState.PROPOSED).select_related("theme", "into_theme", "actor")
    return list(decided.order_by("-decided_at", "-id")[:limit])


def _shown(change: ThemeChange) -> ShownChange:
    leaving = Signal.objects.filter(id__in=list(change.moves))
    staying = Signal.objects.filter(theme_id=change.theme_id).exclude(id__in=list(change.moves))
    if change.kind == ChangeKind.MERGE:
        into = Signal.objects.filter(theme_id=change.into_theme_id)
        return ShownChange(change, _some(staying), _some(into), change.theme.signal_count)
    if change.kind in {ChangeKind.SPLIT, ChangeKind.GATHER}:
        return ShownChange(change, _some(leaving), _some(staying), len(change.moves))
    return ShownChange(change, _some(staying), [], change.theme.signal_count)


def _some(signals: QuerySet[Signal]) -> list[Quote]:
    """A few quotes, of different people where there are."""
    said = signals.exclude(summary="").select_related("raw_feedback_item__principal", "raw_feedback_item__source")
    by_person: dict[object, Signal] = {}
    for signal in said.order_by("-extraction_confidence", "id")[: SIDE * 4]:
        by_person.setdefault(signal.raw_feedback_item.principal_id or signal.id, signal)
    return [quote_of(signal) for signal in list(by_person.values())[:SIDE]]
