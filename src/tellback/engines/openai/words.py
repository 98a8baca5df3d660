"""Text on its way to a model and back: what is sent, where a quote stands in the original, and words that are safe.

Characters that a person does not see (Unicode tags, bidirectional marks, zero-width characters) are left out of what is
sent: instructions hide in them. Quotes are found in what was sent and mapped back, so that evidence is always a span of
the stored text.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from tellback.kernel.spans import Span

_SPACE = re.compile(r"\s+")
_MARKS = "\"'“”„«»‘’‚`"
#: What would have a reader's browser or mail program fetch something: pictures, links and addresses.
_FETCHES = re.compile(
    r"!?\[([^\]\[]*)\]\([^)]*\)?|</?[a-z!][^>]*>|\b[a-z][a-z0-9+.-]{1,20}://\S*|\bwww\.\S+"
    r"|\b(?:data|javascript|vbscript|mailto|tel|file):\S+",
    re.IGNORECASE,
)
#: Joiners that letters and emoji need; every other invisible character is left out.
_JOINERS = {"\u200c", "\u200d"}


def is_hidden(character: str) -> bool:
    """Whether a character shows nothing and is no plain white space: tags, direction marks, zero width, controls."""
    if character in "\n\t\r" or character in _JOINERS:
        return False
    selects = "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef"
    return selects or unicodedata.category(character) in {"Cf", "Cc", "Co", "Cs", "Cn"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A text as it is sent: `shown` without hidden characters, `places[i]` where its i-th stands in `original`."""

    original: str
    shown: str
    places: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "Sent":
        """The text without what cannot be seen."""
        places = tuple(place for place, character in enumerate(text) if not is_hidden(character))
        return cls(text, "".join(text[place] for place in places), places)

    def find(self, quote: str, *, taken: tuple[Span, ...] = ()) -> Span | None:
        """Where the quote stands in the original, or None. White space may differ; not one other character may.

        A quote that stands there several times is found where no span of `taken` is yet.
        """
        words = quote.strip()
        for wording in dict.fromkeys((words, words.strip(_MARKS).strip())):
            if not any(character.isalnum() for character in wording):
                continue
            pattern = r"\s+".join(re.escape(part) for part in _SPACE.split(wording))
            spans = [self._span(match.start(), match.end()) for match in re.finditer(pattern, self.shown)]
            free = [span for span in spans if all(span.end <= one.start or one.end <= span.start for one in taken)]
            if free or spans:
                return (free or spans)[0]
        return None

    def _span(self, start: int, end: int) -> Span:
        first, last = self.places[start], self.places[end - 1] + 1
        return Span(first, last, self.original[first:last])


def plain_words(text: str, *, longest: int) -> tuple[str, bool]:
    """A model's words as they may be shown: one line without hidden characters, links, pictures and markup.

    Returns them, cut at a word where they are too long, and whether anything unsafe was taken out.
    """
    seen = "".join(" " if character in "\n\r\t" else character for character in text if not is_hidden(character))
    seen = seen[: 8 * longest]
    harmless = _FETCHES.sub(r"\1", seen)
    line = _SPACE.sub(" ", harmless).strip()
    if len(line) > longest:
        line = line[:longest].rsplit(" ", 1)[0].rstrip(",;:-– ") + "…"
    return line, harmless != seen
