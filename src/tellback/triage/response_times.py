"""When somebody is owed an answer: document 2's response times in a workspace's business hours. Pure decisions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)
WEEKDAYS = frozenset(range(5))
ANYWHERE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When a workspace works. Days count from Monday, 0; an `end` of midnight is the end of the day.

    Raises `ValueError` for hours in which nobody ever works.
    """

    zone: ZoneInfo = ANYWHERE
    days: frozenset[int] = WEEKDAYS
    start: time = time(9)
    end: time = time(17)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not self.days <= frozenset(range(7)):
            raise ValueError("choose at least one day of the week")
        if self.day <= timedelta(0):
            raise ValueError("the day must end after it begins")

    @property
    def day(self) -> timedelta:
        """Length of one business day."""
        return self._on_clock(self.end) - timedelta(hours=self.start.hour, minutes=self.start.minute)

    def open_on(self, day: date) -> tuple[datetime, datetime] | None:
        """When the workspace opens and closes on a day, in UTC; None when it stays closed."""
        if day.weekday() not in self.days or day in self.holidays:
            return None
        closes_on = day + timedelta(days=1) if self.end == MIDNIGHT else day
        opens = datetime.combine(day, self.start, tzinfo=self.zone)
        return opens.astimezone(UTC), datetime.combine(closes_on, self.end, tzinfo=self.zone).astimezone(UTC)

    @staticmethod
    def _on_clock(end: time) -> timedelta:
        return timedelta(hours=24) if end == MIDNIGHT else timedelta(hours=end.hour, minutes=end.minute)


#: Document 2's response times: business days, or hours within them.
RESPONSE_DAYS = {"high": 1, "medium": 3, "low": 5}
URGENT_RESPONSE = timedelta(hours=4)


def response_due(arrived: datetime, *, priority: str, hours: BusinessHours) -> datetime:
    """When a first answer is due, in UTC: the priority's response time, counted in business hours from arrival."""
    left = URGENT_RESPONSE if priority == "urgent" else RESPONSE_DAYS[priority] * hours.day
    day = arrived.astimezone(hours.zone).date()
    while True:
        opened = hours.open_on(day)
        if opened is not None:
            begins, closes = max(arrived, opened[0]), opened[1]
            if begins + left <= closes:
                return (begins + left).astimezone(UTC)
            left -= max(closes - begins, timedelta(0))
        day += timedelta(days=1)


class Answered(StrEnum):
    """How an answer stands against the time in which it is owed."""

    NOT_OWED = "not_owed"
    WAITING = "waiting"
    OVERDUE = "overdue"
    IN_TIME = "in_time"
    LATE = "late"


def answered(*, due_at: datetime | None, responded_at: datetime | None, is_open: bool, now: datetime) -> Answered:
    """How the answer to a piece of feedback stands. None is owed for an import, or once it was closed unanswered."""
    if due_at is None:
        return Answered.NOT_OWED
    if responded_at is not None:
        return Answered.LATE if responded_at > due_at else Answered.IN_TIME
    if not is_open:
        return Answered.NOT_OWED
    return Answered.OVERDUE if now > due_at else Answered.WAITING
