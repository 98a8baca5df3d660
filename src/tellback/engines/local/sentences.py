"""Splits a text into sentences, as spans, so that every quote can be copied by its place."""

import re
from dataclasses import dataclass

from tellback.kernel.spans import Span

#: An end of sentence: punctuation with what closes it, or a line break. A lone dot needs a following space.
_END = re.compile(
    r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[!?]+(?=[A-Za-zÀ-ÿ])|\n+|(?<=[a-zà-ÿ]{2})\.(?=[A-ZÀ-Þ][a-zà-ÿ])|[。！？｡।؟]+[」』”’）]*"
    r"|(?<=[぀-ヿ一-鿿])[!?]+"
)
#: Marks of a list that is written on one line: "a) … b) …".
_INLINE_MARK = re.compile(r"(?:(?<=\s)|^)\(?(?:(?P<letter>[a-i])|(?P<number>[1-9]))\)\s+(?=\w)")
_LISTED = re.compile(r"\s\(?[b-i2-9]\)\s+$")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)\S+@\S+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|st|no|nr|approx|incl|ca|z\.b|bzw)\.$", re.IGNORECASE
)
_INITIAL = re.compile(r"(?:^|\s)[A-Z]\.$")
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)]|[a-z]\))\s*$")
_BULLET = re.compile(r"^(?:[-*•–>]|\d{1,2}[.)]|[a-z]\))\s+")
#: What stands between two sentences of which the second begins a list.
LIST_BEGINS = re.compile(r"\s*\n\s*(?:[-*•–]|\d{1,2}[.)]|[a-z]\))\s+$")
#: A long sentence is cut at a contrast, where people change the subject.
_TURN = re.compile(r"[,;]\s+(?:but|however|also|aber|mais|pero|mas)\s+|\s+(?:but also|and also)\s+", re.IGNORECASE)
#: With these words people announce that something else follows. They are no part of it.
_SHIFT = re.compile(
    r"^(?:and\s+)?(?:also|another\s+thing|one\s+(?:more|other|last)\s+thing|(?:on|in)\s+(?:another|a\s+(?:different|separate|side|related))"
    r"\s+(?:note|topic|matter)|besides(?:\s+that)?|in\s+addition|additionally|separately|furthermore|moreover|by\s+the\s+way|btw|p\.?\s?s\b\.?"
    r"|(?:apart|aside)\s+from\s+that|other\s+than\s+that|first(?:ly)?|second(?:ly)?|third(?:ly)?|next|finally|lastly|last\s+but\s+not\s+least"
    r"|außerdem|übrigens|zweitens|de\s+plus|par\s+ailleurs|además|por\s+otro\s+lado)\s*(?:[,:;–—-]+\s*|[.!…]+(?:\s+|$))",
    re.IGNORECASE,
)
LONG = 90
#: How long the mark of a list is at most, with its spaces.
MARK = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence of a text, and whether it was announced as something else."""

    span: Span
    is_shift: bool


def split_pieces(text: str) -> list[Piece]:
    """The sentences without the words that announce a change of subject, which are kept as a mark."""
    pieces: list[Piece] = []
    announced = False
    for span in split_sentences(text):
        shift = _SHIFT.match(span.quote)
        start = span.start + (shift.end() if shift else 0)
        announced = announced or shift is not None or bool(_LISTED.search(text, max(span.start - MARK, 0), span.start))
        if any(character.isalnum() for character in text[start : span.end]):
            pieces.append(Piece(Span(start, span.end, text[start : span.end]), announced))
            announced = False
    return pieces


def split_sentences(text: str) -> list[Span]:
    """The sentences of a text in order, each trimmed and verbatim. Text without words gives none."""
    spans: list[Span] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()]
        if _ABBREVIATION.search(piece) or _INITIAL.search(piece) or _LIST_MARK.match(piece):
            continue
        _add(spans, text, start, match.end())
        start = match.end()
    _add(spans, text, start, len(text))
    listed = [part for span in spans for part in _cut_at_marks(text, span)]
    return [part for span in listed for part in _cut_at_turn(text, span)]


def has_words(text: str) -> bool:
    """Whether a text says anything: a letter that is no part of an address."""
    return any(character.isalpha() for character in without_addresses(text))


def without_addresses(text: str) -> str:
    """The text without the addresses of pages and mailboxes."""
    return _ADDRESS.sub(" ", text)


def _cut_at_marks(text: str, span: Span) -> list[Span]:
    """The parts of a list on one line, whose marks count up from the first; that may stand before the span."""
    marks = list(_INLINE_MARK.finditer(text, max(span.start - MARK, 0), span.end))
    named = "".join(mark["letter"] or mark["number"] for mark in marks)
    if len(marks) < 2 or not ("abcdefghi".startswith(named) or "123456789".startswith(named)):
        return [span]
    parts: list[Span] = []
    _add(parts, text, span.start, max(marks[0].start(), span.start))
    for mark, end in zip(marks, [*(later.start() for later in marks[1:]), span.end], strict=True):
        _add(parts, text, mark.end(), end)
    return parts


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    bullet = _BULLET.match(text[start:end])
    start += bullet.end() if bullet else 0
    end = start + len(text[start:end].rstrip())
    if any(character.isalnum() for character in text[start:end]):
        spans.append(Span(start, end, text[start:end]))


def _cut_at_turn(text: str, span: Span) -> list[Span]:
    if span.end - span.start <= LONG:
        return [span]
    turn = next(
        (m for m in _TURN.finditer(span.quote) if m.start() >= 25 and len(span.quote) - m.start() >= 25),
        None,
    )
    if turn is None:
        return [span]
    middle = span.start + turn.start()
    parts: list[Span] = []
    _add(parts, text, span.start, middle)
    rest = middle + len(turn.group()) - len(turn.group().lstrip(" ,;"))
    _add(parts, text, rest, span.end)
    return parts
