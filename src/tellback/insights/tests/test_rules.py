"""How a query widens, how lists become one, and that what is marked is what was written."""

import pytest

from tellback.insights.languages import configuration_of
from tellback.insights.rules import START, STOP, Mark, excerpt, fused, marks_in, widened


@pytest.mark.parametrize(
    ("query", "wide"),
    [
        ("'export'", "'export':*"),
        ("'export' & 'pdf'", "'export':* & 'pdf':*"),
        ("'ux'", "'ux'"),
        ("'export' & !'slow'", "'export':* & !'slow'"),
        ("'dark' <-> 'mode' & 'phone'", "'dark' <-> 'mode' & 'phone':*"),
        ("!( 'dark' <2> 'mode' ) | 'it''s'", "!( 'dark' <2> 'mode' ) | 'it''s':*"),
        ("", ""),
    ],
)
def test_words_widen_to_beginnings_but_what_is_exact_stays(query: str, wide: str) -> None:
    assert widened(query) == wide


def test_what_is_in_both_lists_comes_first_and_twice_in_one_counts_once() -> None:
    assert [key for key, _ in fused([["a", "b"], ["b", "c"]])] == ["b", "a", "c"]
    assert dict(fused([["a", "a", "b"]]))["a"] == pytest.approx(1 / 61)


def test_marks_count_the_texts_own_characters() -> None:
    shown = f"An {START}export{STOP} 👍 of {START}exports{STOP}"
    assert marks_in(shown, "An export 👍 of exports", label="x") == [Mark(3, 9, "x"), Mark(15, 22, "x")]


def test_a_text_that_is_not_shown_letter_by_letter_is_not_marked() -> None:
    assert marks_in(f"An {START}export{STOP}", "An  export", label="x") == []
    assert marks_in(f"{START}a{STOP}{START}", f"a{START}", label="x") == []


def test_a_long_text_is_cut_around_its_first_mark_and_marks_move_along() -> None:
    text = "a" * 1_000 + "needle" + "b" * 1_000
    cut = excerpt(text, [Mark(1_000, 1_006, "x")])
    (mark,) = cut.marks
    assert cut.text[mark.start : mark.end] == "needle"
    assert cut.text in text
    assert cut.cut_before and cut.cut_after and len(cut.text) < 700
    assert excerpt("short", []).text == "short"
    assert not excerpt("short", []).cut_after


def test_a_language_is_stemmed_as_itself_and_one_that_is_not_known_by_whole_words() -> None:
    assert configuration_of("de", "en-GB") == "german"
    assert configuration_of(None, "fr_CA") == "french"
    assert configuration_of("ja", None) == "simple"
    assert configuration_of(None, None) == "mixed"
