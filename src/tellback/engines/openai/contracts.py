"""What a model must answer in each pass (document 3, sections 5.3 and 5.4): the schema it is given, and the check.

The schemas keep to what every strict implementation takes: each field required, null instead of absent, no further
fields, no lengths or ranges. What a schema cannot say is checked here, and what it said is checked again: an endpoint
need not keep to it.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tellback.engines.openai.words import Sent, plain_words
from tellback.kernel.spans import Span
from tellback.sdk.engine import (
    Description,
    ExtractedSignal,
    Interpretation,
    Item,
    Sentiment,
    SignalType,
    Taxonomy,
    ThemeDecision,
    Urgency,
)

T = TypeVar("T")
Confidence = Annotated[float, Field(ge=0, le=1)]


def _absent(value: object) -> object:
    return None if isinstance(value, str) and value in {"", "null"} else value


#: Endpoints without strict schemas leave out what is null, or write it as a text.
Id = Annotated[str | None, BeforeValidator(_absent)]

MAX_ANSWER = 64_000
MAX_SIGNALS = 24
MAX_QUOTES = 5
SUMMARY, NEED, TITLE, REASON = 200, 160, 80, 240
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.S)

#: What a check may throw away, with what it says to a person.
REJECTIONS = {
    "not_json": "The answer was not JSON",
    "off_schema": "The answer did not keep to the schema",
    "too_long": "The answer was longer than any answer is",
    "cut_off": "The answer was cut off",
    "empty": "The answer was empty",
    "tool_call": "The model called a tool, and there are none",
    "unfound_quote": "A quote does not stand in the text",
    "no_evidence": "A signal without any quote that stands in the text",
    "unknown_id": "An id that the model was not given",
    "unsafe_words": "A link, a picture or markup in the model’s own words",
    "refused": "The model refused to answer",
}

#: These say that the endpoint does not speak as it should, whatever it was asked.
UNREADABLE = frozenset({"not_json", "off_schema", "too_long", "cut_off", "empty"})


class Rejected(Exception):
    """The answer as a whole cannot be used. `kind` is one of `REJECTIONS`; `counts` what was thrown away."""

    def __init__(self, kind: str, counts: Counter[str] | None = None) -> None:
        super().__init__(REJECTIONS[kind])
        self.kind = kind
        self.counts = Counter({kind: 1}) if counts is None else counts


@dataclass(frozen=True, slots=True)
class Checked(Generic[T]):
    """What is left of an answer, and how much of it was thrown away, by kind."""

    value: T
    rejected: Counter[str] = field(default_factory=Counter)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Signal(_Answer):
    signalType: SignalType
    summary: str
    implicitNeed: str | None = None
    evidence: list[str]
    confidence: Confidence


class _Extraction(_Answer):
    signals: list[_Signal]


class _NewTheme(_Answer):
    title: str
    summary: str
    parentThemeId: Id = None


class _Decision(_Answer):
    action: Literal["assign_existing", "create_new"]
    themeId: Id = None
    newTheme: _NewTheme | None = None
    confidence: Confidence
    reasoning: str


class _Interpretation(_Answer):
    boardId: Id = None
    tags: list[str] = []
    sentiment: Sentiment
    urgency: Urgency
    underlyingNeed: str | None = None
    themeDecision: _Decision


class _Description(_Answer):
    title: str
    summary: str
    cited: list[int]


A = TypeVar("A", bound=_Answer)


def _parse(model: type[A], content: str) -> A:
    if len(content) > MAX_ANSWER:
        raise Rejected("too_long")
    if not content.strip():
        raise Rejected("empty")
    fenced = _FENCE.match(content)
    try:
        parsed = json.loads(fenced[1] if fenced else content)
    except (ValueError, RecursionError) as error:
        raise Rejected("not_json") from error
    try:
        # In JSON mode, so that 1 is a confidence like 1.0.
        return model.model_validate_json(json.dumps(parsed))
    except (ValidationError, ValueError) as error:
        raise Rejected("off_schema") from error


def _words(text: str | None, longest: int, counts: Counter[str]) -> str:
    line, unsafe = plain_words(text or "", longest=longest)
    counts["unsafe_words"] += unsafe
    return line


def check_extraction(content: str, *, item: Item, sent: Sent) -> Checked[tuple[ExtractedSignal, ...]]:
    """The signals of an answer whose quotes stand in the text. Raises `Rejected` when none is left of several."""
    answer, counts = _parse(_Extraction, content), Counter[str]()
    signals: list[ExtractedSignal] = []
    for one in answer.signals[:MAX_SIGNALS]:
        spans = _spans(one.evidence, sent, counts)
        summary = _words(one.summary, SUMMARY, counts)
        if not spans:
            counts["no_evidence"] += 1
            continue
        need = _words(one.implicitNeed, NEED, counts) or None
        signals.append(
            ExtractedSignal(one.signalType, summary or spans[0].quote[:SUMMARY], spans, round(one.confidence, 4), need)
        )
    if answer.signals and not signals:
        raise Rejected("no_evidence", counts)
    assert all(span.is_verbatim_in(item.text) for signal in signals for span in signal.evidence)
    return Checked(tuple(sorted(signals, key=lambda signal: signal.evidence[0].start)), +counts)


def _spans(quotes: Sequence[str], sent: Sent, counts: Counter[str]) -> tuple[Span, ...]:
    spans: tuple[Span, ...] = ()
    for quote in quotes[:MAX_QUOTES]:
        span = sent.find(quote, taken=spans)
        if span is None:
            counts["unfound_quote"] += 1
        elif all(span.end <= one.start or one.end <= span.start for one in spans):
            spans = (*spans, span)
    return tuple(sorted(spans, key=lambda span: span.start))


@dataclass(frozen=True, slots=True)
class Handles:
    """Short names for the ids of a taxonomy: what the model sees and may answer, and nothing that it could make up."""

    boards: Mapping[str, str]
    tags: Mapping[str, str]
    themes: Mapping[str, str]

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> "Handles":
        """Numbered in the order of the taxonomy."""
        return cls(
            boards={f"board-{number}": one.id for number, one in enumerate(taxonomy.boards, 1)},
            tags={f"tag-{number}": one.id for number, one in enumerate(taxonomy.tags, 1)},
            themes={f"theme-{number}": one.id for number, one in enumerate(taxonomy.themes, 1)},
        )


def check_interpretation(content: str, *, handles: Handles) -> Checked[Interpretation]:
    """An answer that names only ids it was given. Raises `Rejected` when it names another board or theme."""
    answer, counts = _parse(_Interpretation, content), Counter[str]()
    decision = answer.themeDecision
    counts["unknown_id"] += sum(tag not in handles.tags for tag in answer.tags)
    named = [(answer.boardId, handles.boards), (decision.themeId, handles.themes)]
    if decision.newTheme:
        named.append((decision.newTheme.parentThemeId, handles.themes))
    unknown = sum(name is not None and name not in known for name, known in named)
    if unknown:
        counts["unknown_id"] += unknown
        raise Rejected("unknown_id", counts)
    if (decision.action == "assign_existing") != (decision.themeId is not None):
        raise Rejected("off_schema")
    theme = _decided(decision, handles, counts)
    if theme.theme_id is None and not theme.title:
        raise Rejected("off_schema")
    value = Interpretation(
        sentiment=answer.sentiment,
        urgency=answer.urgency,
        confidence=round(decision.confidence, 4),
        board_id=handles.boards[answer.boardId] if answer.boardId else None,
        tag_ids=tuple(dict.fromkeys(handles.tags[tag] for tag in answer.tags if tag in handles.tags)),
        need=_words(answer.underlyingNeed, NEED, counts) or None,
        theme=theme,
    )
    return Checked(value, +counts)


def _decided(decision: _Decision, handles: Handles, counts: Counter[str]) -> ThemeDecision:
    new = decision.newTheme if decision.action == "create_new" else None
    return ThemeDecision(
        theme_id=handles.themes[decision.themeId] if decision.themeId else None,
        confidence=round(decision.confidence, 4),
        reasoning=_words(decision.reasoning, REASON, counts).rstrip("."),
        title=_words(new.title, TITLE, counts) if new else "",
        summary=_words(new.summary, SUMMARY, counts) if new else "",
        parent_id=handles.themes[new.parentThemeId] if new and new.parentThemeId else None,
    )


def check_description(content: str, *, count: int) -> Checked[Description]:
    """A title and a summary that cite texts which were sent. Raises `Rejected` when they cite none."""
    answer, counts = _parse(_Description, content), Counter[str]()
    cited = tuple(dict.fromkeys(number - 1 for number in answer.cited if 1 <= number <= count))
    counts["unknown_id"] += len(set(answer.cited)) - len(cited)
    title = _words(answer.title, TITLE, counts).strip(" .\"'“”„«»")
    summary = _words(answer.summary, SUMMARY, counts)
    if not cited:
        raise Rejected("no_evidence", counts + Counter({"no_evidence": 1}))
    if not title or not summary:
        raise Rejected("off_schema", counts + Counter({"off_schema": 1}))
    return Checked(Description(title, summary, cited), +counts)


Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "number"}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _one_of(names: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(names)}


def _one_of_or_null(names: Sequence[str]) -> Schema:
    return {"type": ["string", "null"], "enum": [*names, None]} if names else {"type": "null"}


def extraction_schema() -> Schema:
    """What pass one must answer."""
    signal = _object(
        signalType=_one_of(get_args(SignalType)),
        summary=_TEXT,
        implicitNeed=_TEXT_OR_NULL,
        evidence=_list(_TEXT),
        confidence=_NUMBER,
    )
    return _object(signals=_list(signal))


def interpretation_schema(handles: Handles) -> Schema:
    """What pass two must answer: ids only from the supplied ones."""
    themes = _one_of_or_null(list(handles.themes))
    new = _object(title=_TEXT, summary=_TEXT, parentThemeId=themes)
    decision = _object(
        action=_one_of(["assign_existing", "create_new"]),
        themeId=themes,
        newTheme={"anyOf": [new, {"type": "null"}]},
        confidence=_NUMBER,
        reasoning=_TEXT,
    )
    return _object(
        boardId=_one_of_or_null(list(handles.boards)),
        tags=_list(_one_of(list(handles.tags)) if handles.tags else _TEXT),
        sentiment=_one_of(get_args(Sentiment)),
        urgency=_one_of(get_args(Urgency)),
        underlyingNeed=_TEXT_OR_NULL,
        themeDecision=decision,
    )


def description_schema() -> Schema:
    """What the words of a theme must be."""
    return _object(title=_TEXT, summary=_TEXT, cited=_list({"type": "integer"}))
