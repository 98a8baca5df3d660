"""What an understanding engine is: four passes over batches, data in and data out. No Django, no clock, no database."""

from collections.abc import Iterable, Sequence
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
    """Which engine said something: recorded on every signal, so that it can be judged and replayed.

    `dimensions` is 0 where the size of vectors is not known before the first of them; `batch` is how many items it
    reads in one go; `sorts` whether its second pass wants a taxonomy to sort into.
    """

    model: str
    prompt_version: str
    embedding_model: str
    dimensions: int
    batch: int = 64
    sorts: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the thread around an item. `role` is `customer`, `agent`, `teammate`, `system` or unknown: empty."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """What an engine may see of a raw item. `text` is redacted already; spans count its characters.

    `thread` (oldest first), `source` and `page` are context: they help to understand the text and are never evidence.
    """

    text: str
    subject: str = ""
    category: str = "other"
    stars: int | None = None
    language: str | None = None
    source: str = ""
    page: str = ""
    thread: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a pass cost; zero for an engine on this machine."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)

    @property
    def total(self) -> int:
        """Both together."""
        return self.input_tokens + self.output_tokens


#: What an answer on this machine costs.
FREE = Usage()


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made one answer, and at what cost. `fallback` says in words why another than the asked engine stepped in."""

    model: str
    prompt_version: str
    usage: Usage = FREE
    fallback: str = ""


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


class Extraction(list[ExtractedSignal]):
    """The signals of one item, with who found them, where an engine answers item by item and may have been replaced."""

    def __init__(self, signals: Iterable[ExtractedSignal] = (), *, origin: Origin) -> None:
        super().__init__(signals)
        self.origin = origin


@dataclass(frozen=True, slots=True)
class NamedThing:
    """A board or a tag as an engine may choose it, by `id`. `about` says what belongs there, where somebody said it."""

    id: str
    name: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class KnownTheme:
    """A theme that a signal may join. `similarity` is the cosine to the signal where it is a candidate, else 0."""

    id: str
    title: str
    summary: str
    board_id: str | None = None
    signal_count: int = 0
    top_signals: tuple[str, ...] = ()
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class CorrectionExample:
    """What a person of the team put right, in words: `about` which need, and from what to what."""

    field: str
    before: str
    after: str
    reason: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What pass two may choose from (document 3, section 5.2). Only ids that stand here may be answered."""

    boards: tuple[NamedThing, ...] = ()
    tags: tuple[NamedThing, ...] = ()
    themes: tuple[KnownTheme, ...] = ()
    corrections: tuple[CorrectionExample, ...] = ()
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class ThemeDecision:
    """Which theme a signal belongs to, as an engine sees it: one that exists (`theme_id`), or a new one in words."""

    theme_id: str | None
    confidence: float
    reasoning: str = ""
    title: str = ""
    summary: str = ""
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How a signal is meant: the person's feeling, how pressing it is, and how sure the engine is.

    Where the engine saw a taxonomy also its board, tags, need and theme; every id is one that it was given.
    """

    sentiment: Sentiment
    urgency: Urgency
    confidence: float
    board_id: str | None = None
    tag_ids: tuple[str, ...] = ()
    need: str | None = None
    theme: ThemeDecision | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A theme in words. `cited` are positions in the texts that the summary rests on.

    `other_titles` are next best, for when another theme has the title already.
    """

    title: str
    summary: str
    cited: tuple[int, ...]
    origin: Origin | None = None
    other_titles: tuple[str, ...] = ()


class Engine(Protocol):
    """Understands feedback. Every method takes a batch and answers in the same order."""

    @property
    def identity(self) -> Identity:
        """The engine's name and versions."""

    @property
    def background(self) -> Vectors:
        """What feedback in general is about, as one vector: where a workspace starts before it has its own mean."""

    def extract(self, items: Sequence[Item]) -> Sequence[Sequence[ExtractedSignal]]:
        """Pass one: the distinct needs of each item; none where there is nothing to understand.

        An answer that is an `Extraction` says who made it; others were made by this engine, at no cost.
        """

    def interpret(
        self,
        items: Sequence[Item],
        signals: Sequence[ExtractedSignal],
        *,
        taxonomies: Sequence[Taxonomy] | None = None,
    ) -> list[Interpretation]:
        """Pass two: one interpretation for each signal; `items[i]` is the item that `signals[i]` came from.

        `taxonomies[i]` is what `signals[i]` may be sorted into. An engine that sorts nothing ignores it.
        """

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The meaning of each text as a vector of length one."""

    def is_telling(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text names anything that others may speak of too. What only shows a mood gathers no theme."""

    def describe(self, texts: Sequence[str], vectors: Vectors, *, background: Vectors | None) -> Description:
        """Title and summary for a theme of these texts. `background` is the workspace's mean vector, if known."""
