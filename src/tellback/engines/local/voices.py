"""Whose words a text holds: the person's own, an answer that is quoted, an agent's, a machine's, or a stranger's who
sells something."""

import re
from collections.abc import Sequence

from tellback.engines.local.sentences import Piece
from tellback.kernel.spans import Span

# Patterns are one line a thought, however long.
# ruff: noqa: E501

Places = list[tuple[int, int]]

#: Where an answer quotes what it answers: all that follows is somebody else's.
_QUOTED = re.compile(
    r"^(?:(?:On|Am|Le|El|Op|Il|Em)\b.{5,120}\b(?:wrote|schrieb|a écrit|escribió|schreef|ha scritto|escreveu)\s*:?\s*$"
    r"|-{2,}\s*(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine|Mensaje original)\s*-{2,}.*$"
    r"|_{10,}\s*$|From:\s.{3,100}\n(?:Sent|Date|To):\s.*$)",
    re.MULTILINE | re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
#: A turn of a conversation: who speaks, at the start of a line, perhaps after a time.
_TURN = re.compile(
    r"^[ \t]*(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?[\])]?\s*[-–]?\s*)?"
    r"(?P<who>[A-Z][\w.'’-]{0,30}(?:[ ][\w.'’-]{1,30}){0,2}(?:\s?\([\w /-]{3,30}\))?)\s*:\s+",
    re.MULTILINE,
)
_AGENT = re.compile(
    r"\b(?:agents?|support(?:\s+\w+)?|staff|helpdesk|help\s+desk|customer\s+(?:service|success|care)|bot|chatbot|assistant|operator|advisor|"
    r"representative|rep|moderator|developer\s+response|kundenservice|service)\b",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\b(?:customer|user|client|visitor|guest|requester|me|kunde|client[e]?)\b(?!\s+(?:service|success|care))",
    re.IGNORECASE,
)

_AUTOREPLY = re.compile(
    r"\b(?:out\s+of\s+(?:the\s+)?office|automatic(?:ally\s+generated)?\s+(?:reply|response|message|e-?mail)|auto-?(?:reply|response|responder)"
    r"|this\s+is\s+an\s+automated\s+(?:message|reply|response|e-?mail)|i\s+am\s+(?:currently\s+)?(?:on|away\s+on)\s+(?:annual\s+|parental\s+|maternity\s+|sick\s+)?(?:leave|vacation|holiday)"
    r"|limited\s+access\s+to\s+(?:my\s+)?e-?mail|(?:will\s+)?(?:be\s+)?back\s+in\s+the\s+office|delivery\s+(?:status\s+notification|has\s+failed)|undeliverable:"
    r"|abwesenheitsnotiz|bin\s+(?:derzeit\s+)?(?:nicht\s+im\s+büro|im\s+urlaub)|automatische\s+antwort|réponse\s+automatique|absent\s+du\s+bureau|respuesta\s+automática|fuera\s+de\s+la\s+oficina)\b",
    re.IGNORECASE,
)
_SPAM = (
    re.compile(r"\b(?:backlinks?|seo\s+(?:services?|agency|experts?|ranking)|guest\s+posts?|first\s+page\s+of\s+google|domain\s+authority|link\s+building|web\s+traffic)\b", re.IGNORECASE),
    re.compile(r"\b(?:casino|betting|forex|crypto(?:currency)?\s+(?:investment|trading|signals?)|bitcoin\s+(?:investment|profit|trading)|viagra|cialis|escorts?|payday\s+loans?|lottery|jackpot|sugar\s+(?:daddy|mummy))\b", re.IGNORECASE),
    re.compile(r"\b(?:make|earn|win)\s+(?:up\s+to\s+)?[$€£]?\s?\d[\d,.]*\s*(?:[$€£]|dollars|usd|euro)?\s*(?:per|a|every|each|in)\s+(?:day|week|month|hour)\b", re.IGNORECASE),
    re.compile(r"\b(?:click\s+(?:here|the\s+link)|visit\s+(?:my|our)\s+(?:site|website|profile)|whats?app\s+(?:me|us)\s+(?:at|on)|dm\s+me|contact\s+(?:him|her|them|dr\.?|mr\.?)\b.{0,40}(?:via|on|at))\b", re.IGNORECASE),
    re.compile(r"\b(?:limited\s+time\s+offer|act\s+now|100%\s+(?:free|guaranteed|legit)|risk[- ]free|no\s+credit\s+check|special\s+(?:price|discount)\s+for\s+you|unsubscribe\s+(?:here|from))\b", re.IGNORECASE),
    re.compile(r"\b(?:we\s+(?:are|offer|provide)\s+(?:a\s+)?(?:leading|professional|top|affordable)\b.{0,60}\b(?:services?|agency|company|solutions?)|recovered?\s+my\s+(?:lost|stolen)\s+(?:funds|bitcoin|crypto|money)|spell\s+caster)\b", re.IGNORECASE),
)  # fmt: skip
_LINK = re.compile(r"https?://|www\.|\bt\.me/|\bwa\.me/", re.IGNORECASE)
#: So much of what sells must be there; a link counts once, however many.
SELLS = 2
#: In a text longer than this a phrase of machines is something that a person speaks of.
MACHINE_LENGTH = 600
#: Roles in a thread whose words are context, and how long a message is before its copy is known as one.
NOT_THE_CUSTOMER = frozenset(["agent", "teammate", "system"])
COPIED = 15


def why_nobody_speaks(text: str, subject: str = "") -> str:
    """Why a text is nobody's feedback, in words; empty when somebody seems to speak."""
    if _AUTOREPLY.search(subject) or (
        _AUTOREPLY.search(text[:300]) and len(text) <= MACHINE_LENGTH and "?" not in text
    ):
        return "An automatic reply"
    selling = sum(bool(pattern.search(text)) for pattern in _SPAM) + bool(_LINK.search(text))
    if selling > SELLS or (selling == SELLS and any(pattern.search(text) for pattern in _SPAM[:3])):
        return "It sells something"
    return ""


def strange_places(text: str, answers: Sequence[str] = ()) -> Places:
    """Where somebody else speaks: what an answer quotes, and an agent's turns in a conversation. In order, apart.

    `answers` are messages of others in the thread around it, which programs copy into the text.
    """
    places = [*_quoted(text), *_agent_turns(text), *_copied(text, answers)]
    merged: Places = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _quoted(text: str) -> Places:
    places = [match.span() for match in _QUOTED_LINE.finditer(text)]
    answer = _QUOTED.search(text)
    # A text that begins with its quote has its own words below it.
    if answer and text[: answer.start()].strip():
        places.append((answer.start(), len(text)))
    return places


def _copied(text: str, answers: Sequence[str]) -> Places:
    known = [answer.strip() for answer in answers]
    return [
        (match.start(), match.end())
        for answer in known
        if len(answer) >= COPIED
        for match in re.finditer(re.escape(answer), text)
    ]


def _agent_turns(text: str) -> Places:
    turns = [turn for turn in _TURN.finditer(text) if _AGENT.search(turn["who"]) or _CUSTOMER.search(turn["who"])]
    speakers = {_is_agent(turn["who"]) for turn in turns}
    if True not in speakers:
        return []
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    return [(turn.start(), end) for turn, end in zip(turns, ends, strict=True) if _is_agent(turn["who"])]


def _is_agent(who: str) -> bool:
    return bool(_AGENT.search(who))


def without_speaker(piece: Piece) -> Piece:
    """The sentence without the label that says who speaks ("Customer: ")."""
    turn = _TURN.match(piece.span.quote)
    if turn is None or _is_agent(turn["who"]) or not _CUSTOMER.search(turn["who"]):
        return piece
    span = piece.span
    return Piece(Span(span.start + turn.end(), span.end, span.quote[turn.end() :]), piece.is_shift)
