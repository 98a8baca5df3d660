"""Single cells mean what people meant by them."""

import pytest

from tellback.intake.importing.values import is_yes, number_of, plain_text, rating_of, rating_on_scale, tags_of


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("4", 4), ("4.0", 4), ("4,5", 5), ("★★★☆☆", 3), ("⭐⭐", 2), ("4/5", 4), ("8/10", 4), ("8 out of 10", 4),
        ("5 stars", 5), ("good", 5), ("Bad", 1), ("neutral", 3), ("", None), ("0", None), ("9", None),
        ("offered", None),
        ("-1", None), ("3/7", None), ("★" * 6, None),
    ],
)  # fmt: skip
def test_ratings(text: str, stars: int | None) -> None:
    assert rating_of(text) == stars


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("12", 12), ("1,204", 1204), ("1.204", 1204), ("1 204", 1204), ("1’204", 1204), ("+7", 7), ("3.0", 3),
        ("", None), ("many", None), ("-3", None), ("1.5", None),
    ],
)  # fmt: skip
def test_counts(text: str, count: int | None) -> None:
    assert number_of(text) == count


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a, b;c|d", ["a", "b", "c", "d"]), ('["x", "y"]', ["x", "y"]), ("a, a", ["a"]), ("", []),
        (" two words ,", ["two words"]),
    ],
)  # fmt: skip
def test_tags(text: str, tags: list[str]) -> None:
    assert tags_of(text) == tags


def test_yes() -> None:
    assert all(map(is_yes, ["true", "1", "YES", "t"]))
    assert not any(map(is_yes, ["", "false", "0", "no"]))


def test_html_becomes_its_words() -> None:
    html = "<p>One &amp; two</p><ul><li>first</li><li>second</li></ul><script>alert(1)</script>a<br>b"
    assert plain_text(html) == "One & two\n\n- first\n- second\na\nb"


@pytest.mark.parametrize(
    ("text", "scale", "stars"),
    [
        ("9", "nps", 5), ("7", "nps", 4), ("3", "nps", 2), ("0", "nps", 1), ("11", "nps", None),
        ("7", "ces", 5), ("4", "ces", 3), ("4", "csat", 4), ("4,5", "rating", 5),
        ("3", "number", None), ("", "nps", None), ("yes", "nps", None),
    ],
)  # fmt: skip
def test_a_rating_is_counted_on_its_own_scale(text: str, scale: str, stars: int | None) -> None:
    assert rating_on_scale(text, scale) == stars
