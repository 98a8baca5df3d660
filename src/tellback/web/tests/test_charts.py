"""Charts say in words what they show, and survive odd numbers."""

import re

import pytest

from tellback.web.charts import change_in_words, chart_table, distribution, sparkline, split, strength_bar


def test_a_sparkline_names_its_numbers_and_dots_the_last_point() -> None:
    drawn = sparkline([0, 2, 4], label="Signals a week")
    assert "<title>Signals a week</title><desc>0, 2, 4</desc>" in drawn
    assert 'points="3.0,21.0 48.0,12.0 93.0,3.0"' in drawn
    assert '<circle cx="93.0" cy="3.0"' in drawn


def test_a_sparkline_of_nothing_is_nothing_and_of_zeros_lies_flat() -> None:
    assert sparkline([], label="Signals") == ""
    assert 'points="3.0,21.0 93.0,21.0"' in sparkline([0, 0], label="Signals")
    assert 'points="3.0,3.0"' in sparkline([5], label="Signals")


def test_labels_are_escaped() -> None:
    for drawn in (
        sparkline([1], label="<b>"),
        distribution([("<b>", 1)]),
        split([("<b>", 1, "red")]),
        chart_table([("<b>", 1)], heading="<b>"),
    ):
        assert "<b>" not in drawn
        assert "&lt;b&gt;" in drawn


def test_bars_are_as_long_as_their_counts() -> None:
    drawn = distribution([("Slack", 24), ("Zendesk", 12), ("Widget", 0)])
    assert re.findall(r'<rect width="([\d.]+)"', drawn) == ["100.0", "50.0", "0.0"]
    assert re.findall(r'class="n">(\d+)<', drawn) == ["24", "12", "0"]


def test_shares_lie_beside_each_other_and_nothing_is_left_out() -> None:
    drawn = split([("Positive", 1, "green"), ("Neutral", 0, "plain"), ("Negative", 3, "amber")])
    assert re.findall(r'x="([\d.]+)" width="([\d.]+)"', drawn) == [("0.0", "25.0"), ("25.0", "75.0")]
    assert "Neutral" not in drawn
    assert split([("Positive", 0, "green")]) == ""
    with pytest.raises(ValueError, match="purple"):
        split([("Positive", 1, "purple")])


def test_strength_stays_between_nothing_and_all() -> None:
    assert 'width="0.0"' in strength_bar(-3)
    assert 'width="100.0"' in strength_bar(140)
    assert "Strength 49 of 100" in strength_bar(48.6)


def test_a_change_is_said_in_words() -> None:
    assert change_in_words(0, 0) == "quiet for two weeks"
    assert change_in_words(3, 3) == "as last week"
    assert change_in_words(5, 3) == "2 more than last week"
    assert change_in_words(1, 4) == "3 less than last week"


def test_a_chart_has_its_numbers_as_a_table() -> None:
    table = chart_table([("1 May", 3), ("8 May", 5)], heading="Signals a week")
    assert '<th scope="row">1 May</th><td>3</td>' in table
    assert "<caption" in table
