"""Where one sentence ends and the next begins in what people really write."""

import pytest

from tellback.engines.local.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It crashes. I lost my work.", ["It crashes.", "I lost my work."]),
        ("It crashes!Please fix", ["It crashes!", "Please fix"]),
        ("Some formats, e.g. PDF, fail. Others work.", ["Some formats, e.g. PDF, fail.", "Others work."]),
        ("Version 2.4.1 is slow", ["Version 2.4.1 is slow"]),
        ("- dark mode\n- export", ["dark mode", "export"]),
        ("Great 👍\nBut slow", ["Great 👍", "But slow"]),
        ("👍", []),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, sentences: list[str]) -> None:
    spans = split_sentences(text)
    assert [span.quote for span in spans] == sentences
    assert all(span.is_verbatim_in(text) for span in spans)
