"""What the signals of themes add up to, counted by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

TOTALS = """
    SELECT s.theme_id, count(*), count(*) FILTER (WHERE s.needs_review),
        count(DISTINCT coalesce(r.principal_id, r.id)), min(r.source_created_at), max(r.source_created_at)
    FROM feedback_signals s JOIN raw_feedback_items r ON r.id = s.raw_feedback_item_id
    WHERE s.theme_id = ANY(%s) GROUP BY s.theme_id
"""
KINDS = """
    SELECT s.theme_id, s.signal_type, s.sentiment, s.urgency, r.source_type, count(*)
    FROM feedback_signals s JOIN raw_feedback_items r ON r.id = s.raw_feedback_item_id
    WHERE s.theme_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""


@dataclass(slots=True)
class Figures:
    """Of one theme. `people` are distinct; an item without an author counts as one of its own."""

    signals: int = 0
    to_review: int = 0
    people: int = 0
    first: datetime | None = None
    last: datetime | None = None
    types: dict[str, int] = field(default_factory=dict)
    sentiments: dict[str, int] = field(default_factory=dict)
    urgencies: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)


def read_figures(theme_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of these themes, without those that have no signal. Two queries, however many themes."""
    figures: dict[UUID, Figures] = {}
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, [list(theme_ids)])
        for theme_id, *totals in cursor.fetchall():
            figures[theme_id] = Figures(*totals)
        cursor.execute(KINDS, [list(theme_ids)])
        for theme_id, kind, sentiment, urgency, source, count in cursor.fetchall():
            found = figures[theme_id]
            for distribution, name in (
                (found.types, kind),
                (found.sentiments, sentiment),
                (found.urgencies, urgency),
                (found.sources, source),
            ):
                distribution[name] = distribution.get(name, 0) + count
    return figures
