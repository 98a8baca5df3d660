"""Dates as files write them, read as the people meant who wrote them, or asked about."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.importing.dates import DayOrder, order_of, parse_time
from tellback.kernel.errors import Invalid

DAY, MONTH, OPEN = DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST, DayOrder.UNKNOWN


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-04-03", "2026-04-03T00:00:00+00:00"),
        ("2026-04-03 05:06:07", "2026-04-03T05:06:07+00:00"),
        ("2026-04-03T05:06:07Z", "2026-04-03T05:06:07+00:00"),
        ("2026-04-03T05:06:07.123+02:00", "2026-04-03T03:06:07.123000+00:00"),
        ("2026-04-03 05:06:07 UTC", "2026-04-03T05:06:07+00:00"),
        ("2026-04-03 05:06:07 +0200", "2026-04-03T03:06:07+00:00"),
        ("2026/4/3", "2026-04-03T00:00:00+00:00"),
        ("2026.04.03 05:06", "2026-04-03T05:06:00+00:00"),
        ("1775192767", "2026-04-03T05:06:07+00:00"),
        ("1775192767000", "2026-04-03T05:06:07+00:00"),
        ("1775192767000000", "2026-04-03T05:06:07+00:00"),
        ("46115", "2026-04-03T00:00:00+00:00"),
        ("46115.5", "2026-04-03T12:00:00+00:00"),
        ("Fri, 03 Apr 2026 05:06:07 +0000", "2026-04-03T05:06:07+00:00"),
        ("3 Apr 2026", "2026-04-03T00:00:00+00:00"),
        ("April 3, 2026", "2026-04-03T00:00:00+00:00"),
        ("Apr 3rd, 2026", "2026-04-03T00:00:00+00:00"),
        ("Apr 3, 2026, 5:06:07 PM", "2026-04-03T17:06:07+00:00"),
        ("3-Apr-26", "2026-04-03T00:00:00+00:00"),
        ("13/04/2026", "2026-04-13T00:00:00+00:00"),
        ("04/13/2026", "2026-04-13T00:00:00+00:00"),
        ("3/3/2026", "2026-03-03T00:00:00+00:00"),
    ],
)
def test_a_date_that_is_clear_is_read(text: str, wanted: str) -> None:
    assert parse_time(text, order=OPEN).astimezone(UTC) == datetime.fromisoformat(wanted)


@pytest.mark.parametrize(
    ("text", "order", "wanted"),
    [
        ("03/04/2026", DAY, "2026-04-03T00:00:00+00:00"),
        ("03/04/2026", MONTH, "2026-03-04T00:00:00+00:00"),
        ("3.4.26", DAY, "2026-04-03T00:00:00+00:00"),
        ("03-04-2026 17:06", DAY, "2026-04-03T17:06:00+00:00"),
        ("3/4/2026 5:06 PM", MONTH, "2026-03-04T17:06:00+00:00"),
        ("3/4/2026 12:06 AM", MONTH, "2026-03-04T00:06:00+00:00"),
        ("03/04/2026 05:06:07 +02:00", DAY, "2026-04-03T03:06:07+00:00"),
        ("03/04/99", DAY, "1999-04-03T00:00:00+00:00"),
    ],
)
def test_the_order_of_day_and_month_decides(text: str, order: DayOrder, wanted: str) -> None:
    assert parse_time(text, order=order) == datetime.fromisoformat(wanted)


@pytest.mark.parametrize(
    "text",
    ["some day", "31/02/2026", "2026-13-01", "0", "12", "99/99/9999", "1e400", "nan", "٣", "31/12/9999 23:59 -14:00"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        parse_time(text, order=DAY)


def test_a_date_that_can_be_read_two_ways_is_refused_while_nobody_has_said_which() -> None:
    with pytest.raises(Invalid, match="two ways"):
        parse_time("03/04/2026", order=OPEN)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["03/04/2026", "13/04/2026"], DAY),
        (["03/04/2026", "04/13/2026"], MONTH),
        (["03/04/2026", "05/06/2026"], OPEN),
        (["13/04/2026", "04/13/2026"], DayOrder.MIXED),
        (["03.04.2026"], DAY),
        (["03/03/2026"], DayOrder.NOT_NEEDED),
        (["2026-04-03", "3 Apr 2026", ""], DayOrder.NOT_NEEDED),
    ],
)
def test_a_whole_column_tells_the_order_or_that_it_does_not(values: list[str], wanted: DayOrder) -> None:
    assert order_of(values) == wanted


#: Nearly dates: what only texts that look like some trip over.
LOOKS_LIKE = st.from_regex(
    r"\A\d{1,4}[-/.]\d{1,2}[-/.]\d{1,5}([ T]\d{1,3}:\d\d(:\d\d)?)?( ?[APap][mM])?([+-]\d\d:?\d\d)?\Z"
)


@given(st.text(max_size=40) | st.text(alphabet="0123456789²٣/-.:TZ+ eE", max_size=30) | LOOKS_LIKE)
def test_any_text_is_a_date_or_is_refused(text: str) -> None:
    for order in DayOrder:
        try:
            assert parse_time(text, order=order).tzinfo
        except Invalid:
            continue


@given(st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1)), st.sampled_from([DAY, MONTH]))
def test_what_was_written_in_an_order_is_read_in_it(moment: datetime, order: DayOrder) -> None:
    form = "%d/%m/%Y %H:%M:%S" if order == DAY else "%m/%d/%Y %H:%M:%S"
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    if moment.day <= 12:
        assert parse_time(whole.strftime(form), order=order) == whole
