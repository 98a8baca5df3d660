"""Decisions of triage: type, score, priority and which status may follow which.

The score is document 1's formula, kept as the default rule set; its inputs are stored with every decision.
"""

from dataclasses import asdict, dataclass, field

RULE_SET = "default-v1"

#: Document 1's spellings and document 2's, on the one axis of design.md.
TYPE_ALIASES: dict[str, str] = {
    "feature-request": "feature",
    "feature_request": "feature",
    "usability": "ux",
    "documentation": "docs",
    "bug_report": "bug",
    "general": "other",
}

#: Document 1's keyword lists: the cold start, and the explanation of last resort.
INTENT_KEYWORDS: dict[str, tuple[str, ...]] = {
    "bug": ("crash", "error", "broken", "not working", "exception"),
    "feature-request": ("add", "could we", "wish", "suggest", "implement"),
    "usability": ("confusing", "hard to", "slow", "layout", "navigation"),
}

#: The intent that each kind of signal speaks for, strongest first.
SIGNAL_INTENTS: dict[str, str] = {
    "bug_report": "bug",
    "churn_risk": "general",
    "feature_request": "feature-request",
    "usability_issue": "usability",
    "complaint": "general",
    "question": "general",
    "praise": "general",
}

#: Which status may follow which (document 2's workflow; a closed item can be opened again).
TRANSITIONS: dict[str, frozenset[str]] = {
    "new": frozenset({"acknowledged", "in_review", "planned", "in_progress", "completed", "declined", "duplicate"}),
    "acknowledged": frozenset({"in_review", "planned", "in_progress", "completed", "declined", "duplicate"}),
    "in_review": frozenset({"planned", "in_progress", "completed", "declined", "duplicate"}),
    "planned": frozenset({"in_review", "in_progress", "completed", "declined", "duplicate"}),
    "in_progress": frozenset({"planned", "completed", "declined", "duplicate"}),
    "completed": frozenset({"in_progress"}),
    "declined": frozenset({"in_review"}),
    "duplicate": frozenset({"in_review"}),
}

#: Somebody still has to do something about these.
OPEN = frozenset({"new", "acknowledged", "in_review", "planned", "in_progress"})

#: Of these the author hears; the others are ours alone.
TOLD_TO_AUTHOR = frozenset({"acknowledged", "planned", "in_progress", "completed", "declined"})

#: What a post's status category means for the feedback behind it.
STATUS_OF_POST: dict[str, str] = {
    "under_review": "in_review",
    "planned": "planned",
    "in_progress": "in_progress",
    "complete": "completed",
    "closed": "declined",
}


def canonical_type(name: str) -> str:
    """The type that a sender's word means; unknown words are `other`."""
    known = {"bug", "feature", "performance", "docs", "ux", "billing", "question", "praise", "other"}
    wanted = TYPE_ALIASES.get(name, name)
    return wanted if wanted in known else "other"


def keyword_intent(text: str) -> str:
    """Document 1's `classifyIntent`: the first list with a word in the text, else `general`."""
    lower = text.lower()
    for intent, words in INTENT_KEYWORDS.items():
        if any(word in lower for word in words):
            return intent
    return "general"


def intent_of_signals(signal_types: list[str]) -> str:
    """The intent of an item from its signals: a bug outweighs a wish, a wish outweighs the rest."""
    intents = {SIGNAL_INTENTS.get(kind, "general") for kind in signal_types}
    return next((intent for intent in ("bug", "feature-request", "usability") if intent in intents), "general")


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """What the score is made of."""

    severity: str
    channel: str
    intent: str
    app_version: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """The score, 0 to 100, with each part that made it."""

    value: int
    parts: dict[str, int] = field(default_factory=dict)


def score(inputs: ScoreInputs) -> Score:
    """Document 1's formula: 50, and what severity, channel, intent and version add; at most 100."""
    parts = {"base": 50}
    if inputs.severity == "critical":
        parts["critical severity"] = 30
    if inputs.severity == "high":
        parts["high severity"] = 15
    if inputs.channel == "support":
        parts["from support"] = 10
    if inputs.intent == "bug":
        parts["says it is broken"] = 15
    if "latest" in inputs.app_version:
        parts["on the latest version"] = 5
    return Score(min(sum(parts.values()), 100), parts)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on each priority holds (document 1's `score_thresholds`)."""

    critical: int = 90
    high: int = 75
    medium: int = 50
    low: int = 20


def priority_of(value: int, *, severity: str, thresholds: Thresholds) -> str:
    """The priority for a score. A critical severity is never less than high, as in document 1's routing."""
    if value >= thresholds.critical:
        return "urgent"
    if value >= thresholds.high or severity == "critical":
        return "high"
    return "medium" if value >= thresholds.medium else "low"


#: What a sender's word for priority (document 2) says of severity.
SEVERITY_OF_PRIORITY = {"urgent": "critical", "high": "high", "medium": "medium", "low": "low"}


@dataclass(frozen=True, slots=True)
class Route:
    """Where feedback goes. `labels` are the ticket's beside the configured ones; None when no ticket is made."""

    queue: str
    labels: tuple[str, ...] | None = None


def route(value: int, *, severity: str, type: str, thresholds: Thresholds) -> Route:
    """Document 1's routing: what scores high or is critical becomes work now, wishes and low scores the backlog's.

    Below `thresholds.low` nothing is made of it; what is in between waits in the inbox for a person.
    """
    if value >= thresholds.high or severity == "critical":
        return Route("now", ())
    if value < thresholds.low:
        return Route("kept")
    if type == "feature" or value < thresholds.medium:
        return Route("backlog", ("backlog",))
    return Route("inbox")


def inputs_as_record(inputs: ScoreInputs) -> dict[str, object]:
    """The inputs as they are stored with a routing decision."""
    return asdict(inputs)


def may_follow(current: str, wanted: str) -> bool:
    """Whether feedback may go from one status to another."""
    return wanted in TRANSITIONS.get(current, frozenset())


def summary_of(subject: str, text: str) -> str:
    """One line for lists, at most 255 characters: the subject, else the beginning of the text."""
    line = " ".join((subject or text).split())
    return line if len(line) <= 255 else line[:254].rstrip() + "…"
