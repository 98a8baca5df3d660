"""The same text again, as told by its letters."""

from tellback.understanding.duplicates import SAME_TEXT, shingles, text_similarity


def alike(first: str, second: str) -> float:
    return text_similarity(shingles(first), shingles(second))


def test_case_accents_and_punctuation_do_not_make_another_text() -> None:
    assert alike("The café menu CRASHES, always!", "the cafe menu crashes always") == 1


def test_a_typo_leaves_it_the_same_text() -> None:
    first = "The export of the monthly report crashes on my tablet"
    assert alike(first, "The exprot of the monthly report crashes on my tablet") > SAME_TEXT


def test_another_text_about_the_same_is_not_the_same_text() -> None:
    assert alike("The export of the monthly report crashes", "Exporting my numbers kills the program") < SAME_TEXT


def test_texts_without_words_are_never_the_same() -> None:
    assert alike("", "") == 0
    assert alike("👍", "👍") == 0
