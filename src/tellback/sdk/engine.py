"""What an understanding engine is: four passes over batches, data in and data out. No Django, no clock, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tellback.kernel.spans import Span

SignalType = Literal[
    "feature_request", "bug_report", "usability_issue", "question", "praise", "complaint", "churn_risk"
]
Sentiment = Literal["positive", "neutral", "negative"]
Urgency = Literal["critical", "high", "medium", "low"]

#: One row per text, float32, each of length one.
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which engine said something: recorded on every signal, so that it can be judged and replayed."""

    model: str
    prompt_version: str
    embedding_model: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class Item:
    """What an engine may see of a raw item. `text` is redacted already; spans count its characters."""

    text: str
    subject: str = ""
    category: str = "other"
    stars: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ExtractedSignal:
    """One distinct need and the words that prove it. Every span is verbatim in the item's text.

    `note` is a sentence for people about why the reading may be off; empty where there is no reason.
    """

    signal_type: SignalType
    summary: str
    evidence: tuple[Span, ...]
    confidence: float
    implicit_need: str | None = None
    note: str = ""

    @property
    def wording(self) -> str:
        """What is embedded: summary and need (document 3, section 5.5), or the quotes where the need has no words."""
        if self.implicit_need:
            return f"{self.summary} {self.implicit_need}"
        return " ".join(span.quote for span in self.evidence) or self.summary


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How a signal is meant: the person's feeling, how pressing it is, and how sure the engine is."""

    sentiment: Sentiment
    urgency: Urgency
    confidence: float


@dataclass(frozen=True, slots=True)
class Description:
    """A theme in words. `cited` are positions in the texts that the summary rests on."""

    title: str
    summary: str
    cited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a pass cost; zero for an engine on this machine."""

    input_tokens: int = 0
    output_tokens: int = 0


class Engine(Protocol):
    """Understands feedback. Every method takes a batch and answers in the same order."""

    @property
    def identity(self) -> Identity:
        """The engine's name and versions."""

    @property
    def background(self) -> Vectors:
        """What feedback in general is about, as one vector: where a workspace starts before it has its own mean."""

    def extract(self, items: Sequence[Item]) -> list[list[ExtractedSignal]]:
        """Pass one: the distinct needs of each item; an empty list where there is nothing to understand."""

    def interpret(self, items: Sequence[Item], signals: Sequence[ExtractedSignal]) -> list[Interpretation]:
        """Pass two: one interpretation for each signal; `items[i]` is the item that `signals[i]` came from."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The meaning of each text as a vector of length one."""

    def is_telling(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text names anything that others may speak of too. What only shows a mood gathers no theme."""

    def describe(self, texts: Sequence[str], vectors: Vectors, *, background: Vectors | None) -> Description:
        """Title and summary for a theme of these texts. `background` is the workspace's mean vector, if known."""
