"""The same text again, as told by its letters."""

import numpy as np

from tellback.understanding.duplicates import BUCKETS, SAME_TEXT, bucket, meaning_scores, shingles, text_similarity
from tellback.understanding.train_rarity import rarities


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


def test_a_space_forgotten_or_put_inside_a_word_leaves_it_the_same_text() -> None:
    assert alike("Awesomeness. Great product", "Awesomene ssGreat product") > 0.8


def test_what_everybody_says_makes_no_two_texts_the_same() -> None:
    assert alike("Great app. Use it all the time. Works great", "Love it. Great app, I use it all the time") < SAME_TEXT


def test_a_run_of_letters_that_every_text_holds_counts_nothing() -> None:
    table = rarities(["apps crash", "apps freeze", "apps rock"])
    assert len(table) == BUCKETS
    assert table[bucket("apps")] == 0
    assert table[bucket("cras")] > 0


def test_meaning_goes_by_words_and_by_vectors() -> None:
    near, far = np.eye(2, dtype=np.float32)[[0, 0]], np.eye(2, dtype=np.float32)[[0, 1]]
    same, other = meaning_scores(["the same words"] * 2, ["the same words", "anything"], vectors=(near, far))
    assert same == 1
    assert 0 <= other < 0.2
