"""When an answer is due, whatever the clock does."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.triage.response_times import Answered, BusinessHours, answered, response_due

BERLIN = BusinessHours(zone=ZoneInfo("Europe/Berlin"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("arrived", "priority", "due"),
    [
        ("2026-11-18T10:00", "urgent", "2026-11-18T14:00"),
        ("2026-11-18T15:00", "urgent", "2026-11-19T11:00"),
        ("2026-11-20T16:00", "high", "2026-11-23T16:00"),
        ("2026-11-21T12:00", "high", "2026-11-23T17:00"),
        ("2026-11-18T07:00", "high", "2026-11-18T17:00"),
        ("2026-11-18T10:00", "medium", "2026-11-23T10:00"),
        ("2026-11-18T09:00", "low", "2026-11-24T17:00"),
    ],
)
def test_an_answer_is_due_in_business_hours(arrived: str, priority: str, due: str) -> None:
    assert response_due(at(arrived), priority=priority, hours=BusinessHours()) == at(due)


def test_the_hours_are_those_of_the_workspaces_own_clock() -> None:
    # 15:30 in Berlin; an hour and a half remains of the day, the rest is the next morning's.
    assert response_due(at("2026-11-18T14:30"), priority="urgent", hours=BERLIN) == at("2026-11-19T10:30")


def test_a_clock_that_is_put_back_over_the_weekend_moves_nothing() -> None:
    # Friday 16:00 in summer time; Monday 16:00 in winter time is an hour later in UTC.
    assert response_due(at("2026-10-23T14:00"), priority="high", hours=BERLIN) == at("2026-10-26T15:00")


def test_holidays_and_days_off_are_not_counted() -> None:
    hours = BusinessHours(days=frozenset({0, 1, 2, 3}), holidays=frozenset({date(2026, 11, 23)}))
    assert response_due(at("2026-11-19T16:00"), priority="high", hours=hours) == at("2026-11-24T16:00")


def test_four_hours_are_four_hours_however_long_the_day_is() -> None:
    long = BusinessHours(start=time(8), end=time(20))
    assert response_due(at("2026-11-18T09:00"), priority="urgent", hours=long) == at("2026-11-18T13:00")
    assert response_due(at("2026-11-18T09:00"), priority="high", hours=long) == at("2026-11-19T09:00")


def test_a_team_that_works_round_the_clock_counts_whole_days() -> None:
    always = BusinessHours(days=frozenset(range(7)), start=time(0), end=time(0))
    assert always.day == timedelta(hours=24)
    assert response_due(at("2026-11-21T22:00"), priority="urgent", hours=always) == at("2026-11-22T02:00")
    assert response_due(at("2026-11-21T22:00"), priority="low", hours=always) == at("2026-11-26T22:00")


@given(
    arrived=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    later=st.timedeltas(timedelta(0), timedelta(days=9)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]),
)
def test_a_due_time_lies_in_open_hours_and_never_before_that_of_what_came_earlier(
    arrived: datetime, later: timedelta, zone: str
) -> None:
    hours = BusinessHours(zone=ZoneInfo(zone))
    first = arrived.replace(tzinfo=UTC)
    dues = [response_due(first, priority=priority, hours=hours) for priority in ("urgent", "high", "medium", "low")]
    assert dues == sorted(dues)
    local = dues[0].astimezone(hours.zone)
    opened = hours.open_on(local.date())
    assert opened is not None
    assert opened[0] < dues[0] <= opened[1]
    assert response_due(first + later, priority="urgent", hours=hours) >= dues[0]


@pytest.mark.parametrize(
    ("due", "responded", "is_open", "expected"),
    [
        (None, None, True, Answered.NOT_OWED),
        ("2026-11-18T14:00", None, True, Answered.OVERDUE),
        ("2026-11-18T16:00", None, True, Answered.WAITING),
        ("2026-11-18T14:00", None, False, Answered.NOT_OWED),
        ("2026-11-18T14:00", "2026-11-18T14:00", True, Answered.IN_TIME),
        ("2026-11-18T14:00", "2026-11-18T14:01", False, Answered.LATE),
    ],
)
def test_an_answer_is_in_time_late_or_overdue(
    due: str | None, responded: str | None, is_open: bool, expected: Answered
) -> None:
    assert (
        answered(
            due_at=at(due) if due else None,
            responded_at=at(responded) if responded else None,
            is_open=is_open,
            now=at("2026-11-18T15:00"),
        )
        == expected
    )
