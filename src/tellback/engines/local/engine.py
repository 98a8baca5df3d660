"""The local engine: everything on this machine, no key, nothing leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tellback.engines.local import cues, machines, titles, voices
from tellback.engines.local.encoder import Encoder
from tellback.engines.local.foreign import foreign_type
from tellback.engines.local.heads import Head, load_background
from tellback.engines.local.joins import APART, Joins, Sentences
from tellback.engines.local.languages import note_on
from tellback.engines.local.reviews import whole_rows
from tellback.engines.local.sentences import LIST_BEGINS, Piece, has_words, split_pieces
from tellback.kernel.spans import Span
from tellback.sdk.engine import (
    Description,
    ExtractedSignal,
    Identity,
    Interpretation,
    Item,
    Sentiment,
    SignalType,
    Taxonomy,
    Urgency,
    Vectors,
)

Row = NDArray[np.float64] | NDArray[np.float32]

VERSION = "local-3"
MAX_SIGNALS = 12
#: So many sentences' layers are kept between the passes over one batch (9 KB each).
RECENT = 600
SUMMARY_LENGTH = 160
#: Thanks and a need are two signals, whatever stands between them, when the head is this sure of both.
SURE = 0.5
#: What confidence is worth in a language that the model reads less well.
GUESSED = 0.7
#: How sure a word of another language is, and how sure we are of what has none that we know.
CUED, UNREAD = 0.7, 0.3


@dataclass(frozen=True, slots=True)
class _Reading:
    """One sentence and what was made of it."""

    span: Span
    signal_type: SignalType
    confidence: float


class LocalEngine:
    """Sentence model, light heads and rules. Deterministic: the same input gives the same answer."""

    def __init__(
        self, *, encoder: Encoder, model_name: str, signals: Head, sentiment: Head, reviews: Head, joins: Joins
    ) -> None:
        self._encoder = encoder
        self._signals = signals
        self._sentiment = sentiment
        self._reviews = reviews
        self._joins = joins
        self._recent: dict[str, Vectors] = {}
        self._identity = Identity(
            model=VERSION, prompt_version=VERSION, embedding_model=model_name, dimensions=encoder.dimensions
        )

    @property
    def identity(self) -> Identity:
        """Names this engine, its version and the sentence model's weights."""
        return self._identity

    @property
    def background(self) -> Vectors:
        """The mean vector of our own example sentences."""
        return load_background()

    def extract(self, items: Sequence[Item]) -> list[list[ExtractedSignal]]:
        """One signal for each distinct need: sentences are classified, and neighbours that belong together joined.

        Text without words gives no signal, nor do automatic replies and what sells something; what an answer quotes and
        an agent's turns in a conversation are not the person's words. Every other item gives at least one. In languages
        that the model reads less well each signal carries a note.
        """
        return [self._extract(item, sentences) for item, sentences in zip(items, self.sentences(items), strict=True)]

    def sentences(self, items: Sequence[Item]) -> list[Sentences]:
        """Each item's sentences without greetings and sign-offs, with vectors and the odds of their kinds."""
        groups = [_meaningful(item) for item in items]
        flat = [piece.span.quote for group in groups for piece in group]
        layers = self.read(flat)
        odds, vectors = self._signals.probabilities(flat, layers), self._vectors(layers)
        ends = np.cumsum([0, *(len(group) for group in groups)])
        thanks = self._signals.classes.index("praise")
        return [
            Sentences(item.text, group, vectors[start:end], odds[start:end], thanks)
            for item, group, start, end in zip(items, groups, ends, ends[1:], strict=False)
        ]

    def _extract(self, item: Item, sentences: Sentences) -> list[ExtractedSignal]:
        note = note_on(item.text, item.language)
        read = self._read_foreign if note else self._read
        readings = [read(piece.span, odds, item) for piece, odds in zip(sentences.pieces, sentences.odds, strict=True)]
        groups: list[list[_Reading]] = []
        for reading, chance in zip(readings, [1.0, *self._joins.chances(sentences, self.background)], strict=False):
            if groups and chance < APART and not _surely_two(groups[-1][-1], reading, is_foreign=bool(note)):
                groups[-1].append(reading)
            else:
                groups.append([reading])
        groups.sort(key=lambda group: -max(_weight(reading) for reading in group))
        kept = sorted(groups[:MAX_SIGNALS], key=lambda group: group[0].span.start)
        return [_signal(item, group, note) for group in kept]

    def classify_reviews(self, items: Sequence[Item]) -> list[str]:
        """What each item is as a whole: `bug`, `feature`, `user_experience` or `rating`."""
        odds = self._reviews.probabilities([item.text for item in items], self.read_whole(items))
        return [self._reviews.classes[best] for best in odds.argmax(axis=1)]

    def _read(self, span: Span, odds: Row, item: Item) -> _Reading:
        weights = odds.astype(np.float64)
        weights = weights * _prior(self._signals.classes, item)
        weights /= weights.sum()
        cued = cues.cued_type(span.quote)
        if cued is not None:
            place = self._signals.classes.index(cued)
            return _Reading(span, cast(SignalType, cued), max(0.8, float(weights[place])))
        best = int(weights.argmax())
        return _Reading(span, cast(SignalType, self._signals.classes[best]), float(weights[best]))

    def _read_foreign(self, span: Span, odds: Row, item: Item) -> _Reading:
        """Words that people use go first. Thanks hide a need, so they take a word of thanks, or stars."""
        cued = foreign_type(span.quote)
        if cued is not None:
            return _Reading(span, cued, CUED)
        reading = self._read(span, odds, item)
        if reading.signal_type == "praise" and (item.stars or 0) < 4:
            return _Reading(span, "complaint", UNREAD)
        return reading

    def interpret(
        self,
        items: Sequence[Item],
        signals: Sequence[ExtractedSignal],
        *,
        taxonomies: Sequence[Taxonomy] | None = None,  # noqa: ARG002 - themes are found by vectors alone
    ) -> list[Interpretation]:
        """Sentiment by a trained head, nudged by stars; urgency by wording."""
        texts = [" ".join(span.quote for span in signal.evidence) for signal in signals]
        odds = self._sentiment.probabilities(texts, self.read(texts))
        return [
            self._interpret(item, signal, text, row)
            for item, signal, text, row in zip(items, signals, texts, odds, strict=True)
        ]

    def _interpret(self, item: Item, signal: ExtractedSignal, text: str, odds: Row) -> Interpretation:
        weights = dict(zip(self._sentiment.classes, (float(value) for value in odds), strict=True))
        if signal.signal_type == "praise":
            weights["positive"] *= 4
        elif signal.signal_type in {"bug_report", "complaint", "churn_risk", "usability_issue"}:
            weights["positive"] *= 0.3
            weights["negative"] *= 2
        elif signal.signal_type in {"question", "feature_request"}:
            weights["neutral"] *= 3
        if item.stars in {1, 2}:
            weights["negative"] *= 2
        sentiment = max(weights, key=weights.__getitem__)
        return Interpretation(
            sentiment=cast(Sentiment, sentiment),
            urgency=cast(Urgency, cues.urgency_of(text, signal.signal_type)),
            confidence=weights[sentiment] / sum(weights.values()),
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length one by the sentence model."""
        return self._vectors(self.read(texts))

    def read(self, texts: Sequence[str]) -> Vectors:
        """What the heads see of each text: its mean in every layer of the model, the vector last.

        The passes ask for the same sentences, so the last are kept.
        """
        known = {text: row for text in set(texts) if (row := self._recent.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, self._encoder.encode(new), strict=True))
        if len(self._recent) > RECENT:
            self._recent = {}
        self._recent.update((text, known[text]) for text in new)
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), self._encoder.width)

    def read_whole(self, items: Sequence[Item]) -> Vectors:
        """What the heads for whole texts see of each item."""
        return whole_rows(items, read=self.read, embed=self.embed)

    def _vectors(self, layers: Vectors) -> Vectors:
        return np.ascontiguousarray(layers[:, -self._encoder.dimensions :])

    def is_telling(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text has a word that is neither a common one nor one of mood."""
        return [titles.is_telling(text) for text in texts]

    def describe(self, texts: Sequence[str], vectors: Vectors, *, background: Vectors | None) -> Description:
        """Title and summary out of the theme's own sentences."""
        return titles.describe_theme(texts, vectors, background=background, embed=self.embed)


def _prior(classes: tuple[str, ...], item: Item) -> Row:
    """What the sender's own category and stars make likelier, without deciding."""
    likely = {"bug": "bug_report", "feature": "feature_request", "ux": "usability_issue", "question": "question"}
    prior = np.ones(len(classes))
    if item.category in likely:
        prior[classes.index(likely[item.category])] = 2.0
    if item.stars is not None and item.stars >= 4:
        prior[classes.index("complaint")] = 0.4
    if item.stars is not None and item.stars <= 2:
        prior[classes.index("praise")] = 0.3
    return prior


def _meaningful(item: Item) -> list[Piece]:
    """What the person says, without greetings; nothing where a machine or a seller speaks, or no word is said."""
    if machines.why_nobody_speaks(item.text, item.subject) or not has_words(item.text):
        return []
    pieces = [voices.without_speaker(piece) for piece in split_pieces(item.text)]
    answers = [message.text for message in item.thread if message.role in voices.NOT_THE_CUSTOMER]
    strange = voices.strange_places(item.text, answers)
    pieces = [piece for place, piece in enumerate(pieces) if not _heads_a_list(item.text, pieces[place : place + 2])]
    own = [piece for piece in pieces if not any(start <= piece.span.start < end for start, end in strange)] or pieces
    return [piece for piece in own if not cues.is_filler(piece.span.quote)] or own[:1]


def _heads_a_list(text: str, pieces: Sequence[Piece]) -> bool:
    """Whether the first of two sentences only says that a list follows ("What I miss:")."""
    if len(pieces) < 2 or not pieces[0].span.quote.endswith(":"):
        return False
    return bool(LIST_BEGINS.match(text[pieces[0].span.end : pieces[1].span.start]))


def _surely_two(before: _Reading, reading: _Reading, *, is_foreign: bool) -> bool:
    """Whether two neighbours are two needs whatever stands between them: thanks beside a need, or by their words."""
    if before.signal_type == reading.signal_type:
        return False
    least = min(before.confidence, reading.confidence)
    return least >= SURE and (is_foreign or "praise" in {before.signal_type, reading.signal_type})


def _weight(reading: _Reading) -> float:
    return reading.confidence * min(len(reading.span.quote), 80)


def _signal(item: Item, group: list[_Reading], note: str) -> ExtractedSignal:
    lead = max(group, key=_weight)
    # Neighbours with nothing left out between them are one quote; what was left out (a greeting) splits it.
    evidence: list[Span] = []
    for reading in group:
        gap = item.text[evidence[-1].end : reading.span.start] if evidence else None
        if gap is not None and not any(character.isalnum() for character in gap):
            first = evidence.pop()
            evidence.append(Span(first.start, reading.span.end, item.text[first.start : reading.span.end]))
        else:
            evidence.append(reading.span)
    return ExtractedSignal(
        signal_type=lead.signal_type,
        summary=shorten(lead.span.quote),
        evidence=tuple(evidence),
        confidence=round(lead.confidence * (GUESSED if note else 1), 4),
        note=note,
    )


def shorten(sentence: str) -> str:
    """The sentence on one line, cut at a word when it is longer than a list can show."""
    line = " ".join(sentence.split())
    if len(line) <= SUMMARY_LENGTH:
        return line
    return line[:SUMMARY_LENGTH].rsplit(" ", 1)[0].rstrip(",;:-– ") + "…"
