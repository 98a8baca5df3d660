"""Decisions of telling people: whom, when, and how often."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

#: When somebody has several reasons to hear, the first of these is given.
REASON_ORDER = ("feedback_author", "author", "vote", "comment", "manual")


@dataclass(frozen=True, slots=True)
class Pacing:
    """How long an acknowledgement waits, and how much one person is told in a day (document 1's `notifications`)."""

    delay: timedelta = timedelta(minutes=5)
    per_day: int = 3


def best_reason(reasons: Iterable[str]) -> str:
    """The reason that says most about why somebody is told."""
    return min(reasons, key=REASON_ORDER.index)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who will be told, and why."""

    principal_id: UUID
    reason: str


def one_each(pairs: Iterable[tuple[UUID, str]]) -> list[Recipient]:
    """Each person once, with the best of their reasons, in a stable order."""
    reasons: dict[UUID, list[str]] = {}
    for principal_id, reason in pairs:
        reasons.setdefault(principal_id, []).append(reason)
    return [Recipient(principal_id, best_reason(found)) for principal_id, found in sorted(reasons.items())]


def counts_by_reason(recipients: Iterable[Recipient]) -> dict[str, int]:
    """How many are told for each reason, in the order of the reasons."""
    counted = Counter(recipient.reason for recipient in recipients)
    return {reason: counted[reason] for reason in REASON_ORDER if counted[reason]}


def start_of_day(now: datetime) -> datetime:
    """Midnight UTC of this day, from which a person's notifications are counted."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
