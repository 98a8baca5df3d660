"""Text spans: where in a text something was said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, and the words found there."""

    start: int
    end: int
    quote: str

    def is_verbatim_in(self, text: str) -> bool:
        """Whether the quote is exactly what the text says at this place."""
        return 0 <= self.start < self.end <= len(text) and text[self.start : self.end] == self.quote


def find_span(text: str, quote: str) -> Span | None:
    """The first place where `quote` stands in `text` to the letter, or None."""
    start = text.find(quote) if quote else -1
    return None if start < 0 else Span(start, start + len(quote), quote)
