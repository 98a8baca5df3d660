"""What the search holds of a person: entries by the words of what they said. Nothing in them can be read as a text.

Themes and posts that lose their words lose their entries by a trigger, like everything that is worded anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tellback.insights.models import SearchEntry
from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.subject import Subject


def _list(_subject: Subject) -> Iterator[Record]:
    return iter(())


def _erase(subject: Subject, _now: datetime) -> Mapping[str, int]:
    return {"search entries": _expire(subject.item_ids)}


def _expire(item_ids: Sequence[UUID]) -> int:
    return SearchEntry.objects.filter(raw_item_id__in=item_ids).delete()[0]


holds(Holding("insights", _list, _erase, expire=_expire))
