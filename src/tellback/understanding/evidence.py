"""A text with what was understood in it marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from tellback.understanding.models import Signal


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; marked when it is evidence of something."""

    text: str
    signal_type: str | None


def mark_evidence(text: str, signals: Iterable[Signal]) -> list[Piece]:
    """The text cut at the evidence of its signals; put together again it is the text."""
    if not text:
        return []
    spans = sorted(
        (span["start"], span["end"], signal.get_signal_type_display())
        for signal in signals
        for span in signal.evidence_spans
    )
    pieces, last = [], 0
    for start, end, kind in spans:
        if start < last:
            continue
        if start > last:
            pieces.append(Piece(text[last:start], None))
        pieces.append(Piece(text[start:end], kind))
        last = end
    return [*pieces, Piece(text[last:], None)] if last < len(text) else pieces
