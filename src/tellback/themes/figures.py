"""What the signals of themes add up to, counted by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
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
#: Who spoke, by company (a person without one stands for themselves), plan and revenue.
CUSTOMERS = """
    SELECT spoke.theme_id, coalesce(nullif(lower(trim(p.company)), ''), p.id::text), p.plan, p.mrr, count(*)
    FROM (
        SELECT DISTINCT s.theme_id, r.principal_id
        FROM feedback_signals s JOIN raw_feedback_items r ON r.id = s.raw_feedback_item_id
        WHERE s.theme_id = ANY(%s) AND r.principal_id IS NOT NULL
    ) AS spoke JOIN principal p ON p.id = spoke.principal_id
    WHERE p.plan <> '' OR p.mrr IS NOT NULL
    GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Customers:
    """Some people of one company on one plan. What the company pays stands with each of its people."""

    account: str
    plan: str
    mrr: Decimal | None
    people: int


@dataclass(slots=True)
class Figures:
    """Of one theme. `people` are distinct; an item without an author counts as one of its own.

    `customers` are those of whom plan or revenue is known.
    """

    signals: int = 0
    to_review: int = 0
    people: int = 0
    first: datetime | None = None
    last: datetime | None = None
    types: dict[str, int] = field(default_factory=dict)
    sentiments: dict[str, int] = field(default_factory=dict)
    urgencies: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    customers: list[Customers] = field(default_factory=list)

    @property
    def revenue(self) -> Decimal | None:
        """What the companies pay a month, each counted once; None when nobody's is known."""
        paid: dict[str, Decimal] = {}
        for one in self.customers:
            if one.mrr is not None:
                paid[one.account] = max(one.mrr, paid.get(one.account, one.mrr))
        return sum(paid.values(), Decimal()) if paid else None


def read_figures(theme_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of these themes, without those that have no signal. Three queries, however many themes."""
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
        cursor.execute(CUSTOMERS, [list(theme_ids)])
        for theme_id, account, plan, mrr, people in cursor.fetchall():
            figures[theme_id].customers.append(Customers(account, plan, mrr, people))
    return figures
