"""What `tellback eval workspace` says of the workspace's own judgements."""

from dataclasses import replace
from datetime import date

from tellback.cli.eval import figures_of
from tellback.understanding.learning.selectors import FieldReport, Line

NONE = Line("", 0, 0, 0, 0, 0)
REPORT = FieldReport(
    name="signal_type",
    label="Type",
    checked=Line("", 8, 10, 80, 49, 94),
    everything=Line("", 9, 12, 75, 47, 91),
    lines=[Line("Bug report", 6, 8, 75, 41, 93)],
    disagreement=NONE,
    weeks=[(date(2026, 11, 16), NONE), (date(2026, 11, 23), Line("", 8, 10, 80, 49, 94))],
    has_drifted=False,
)


def test_each_figure_that_is_known_is_a_row_with_its_interval() -> None:
    rows = figures_of(REPORT)
    assert [row["figure"] for row in rows] == [
        "Type: drawn at random",
        "Type: everything judged",
        "Type: said to be bug report",
        "Type: week of 2026-11-23",
    ]
    assert rows[0] == {
        "field": "signal_type",
        "figure": "Type: drawn at random",
        "share": 80,
        "low": 49,
        "high": 94,
        "hits": 8,
        "of": 10,
    }


def test_a_drift_is_said_beside_the_figure() -> None:
    assert "worse than before" in figures_of(replace(REPORT, has_drifted=True))[0]["figure"]


def test_nothing_is_said_before_anybody_judged() -> None:
    silent = replace(REPORT, checked=NONE, everything=NONE, lines=[], weeks=[])
    assert figures_of(silent) == []
