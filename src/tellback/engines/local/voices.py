"""Whose words a text holds: the person's own, an answer that is quoted, an agent's, or those under every mail."""

import re
from collections.abc import Sequence

from tellback.engines.local.sentences import Piece
from tellback.kernel.spans import Span

# Patterns are one line a thought, however long.
# ruff: noqa: E501

Places = list[tuple[int, int]]

#: The lines above a mail that was answered or passed on.
_HEAD_WORD = (
    r"(?:From|Sent|Date|To|Cc|Subject|Reply-To|Von|Gesendet|Datum|An|Betreff|De|Envoyé|Date|À|Objet|Enviado(?:\s+el)?|Fecha|Para|Asunto|Da|Inviato|A|Oggetto"
    r"|Data|Assunto|Van|Verzonden|Aan|Onderwerp|Från|Skickat|Till|Ämne|Od|Wysłano|Do|Temat)"
)
_HEAD = re.compile(rf"(?:^[ \t*]*{_HEAD_WORD}[ \t*]*:[ \t*].*(?:\n|\Z)){{2,}}", re.MULTILINE)
#: Where an answer quotes what it answers: all that follows is somebody else's.
_QUOTED = re.compile(
    r"^(?:(?:On|Am|Le|El|Il|Em|Op|Den|Dnia|W dniu)\b.{5,120}\b(?:wrote|schrieb|a écrit|escribió|schreef|ha scritto|escreveu|skrev|napisał\(?a?\)?)\b.{0,100}:?[ \t]*$"
    r"|-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original|Messaggio originale|Mensagem original|Oorspronkelijk bericht)\s*-{2,}.*$"
    r"|_{10,}\s*$)",
    re.MULTILINE | re.IGNORECASE,
)
#: What is passed on is what somebody wants us to read.
_PASSED_ON = re.compile(
    r"^[ \t]*(?:-{2,}\s*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|Messaggio inoltrato|Mensagem encaminhada|Doorgestuurd bericht)\s*-{2,}.*"
    r"|(?:Begin forwarded message|Anfang der weitergeleiteten Nachricht|Début du message (?:transféré|réexpédié)|Inicio del mensaje reenviado)\s*:)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
#: A line with which people sign off; what little follows is who they are. And what companies put under every mail.
_SIGNED_OFF = re.compile(
    r"^[ \t]*(?:-- ?|(?:(?:kind|best|warm)(?:est)?\s+)?regards|(?:all\s+the\s+)?best(?:\s+wishes)?|sincerely(?:\s+yours)?|yours(?:\s+(?:truly|sincerely|faithfully))?|cheers|many\s+thanks|thanks|thank\s+you"
    r"|(?:mit\s+)?(?:freundlichen?|besten?|herzlichen?|viele[n]?|liebe[n]?|schöne[n]?)\s+gr(?:ü|ue)(?:ß|ss)en?|mfg|lg|vg|(?:bien\s+)?cordialement|bien\s+à\s+vous|salutations|un\s+(?:cordial\s+)?saludo|saludos(?:\s+cordiales)?|atentamente"
    r"|cordiali\s+saluti|distinti\s+saluti|atenciosamente|abraços|met\s+vriendelijke\s+groet(?:en)?|groet(?:en|jes)?|pozdrawiam|z\s+poważaniem|(?:med\s+)?vänlig(?:a)?\s+hälsning(?:ar)?|med\s+venlig\s+hilsen|с\s+уважением)[ \t]*[,.!]*[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
SIGNATURE_LINES, SIGNATURE_LINE = 8, 70
_LEGAL = re.compile(
    r"^[^\n]{0,60}\b(?:(?:e-?mail|message)\b[^\n]{0,60}\b(?:confidential|intended\s+(?:only|solely))|diese\s+(?:e-?mail|nachricht)\b[^\n]{0,80}\bvertraulich|ce\s+message\b[^\n]{0,80}\bconfidentiel|este\s+(?:correo|mensaje)\b[^\n]{0,80}\bconfidencial)",
    re.MULTILINE | re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
#: A turn of a conversation: who speaks, at the start of a line, perhaps after a time.
_TURN = re.compile(
    r"^[ \t]*(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?[\])]?\s*[-–]?\s*)?"
    r"(?P<who>[A-Z][\w.'’-]{0,30}(?:[ ][\w.'’-]{1,30}){0,2}(?:\s?\([\w /-]{3,30}\))?)"
    r"(?P<when>,[ ][^:\n]{3,25}\d{1,2}:\d{2}(?:\s?[ap]m)?)?\s*:\s+",
    re.MULTILINE,
)
_AGENT = re.compile(
    r"\b(?:agents?|support(?:\s+\w+)?|staff|helpdesk|help\s+desk|customer\s+(?:service|success|care)|bot|chatbot|assistant|operator|advisor|"
    r"representative|rep|moderator|developer\s+response|kundenservice|kundendienst|kundenbetreuung|mitarbeiter(?:in)?|berater(?:in)?|service|agente|soporte|atención\s+al\s+cliente|asesora?|conseill(?:er|ère)|assistance|assistenza|operatore|suporte|atendente|klantenservice|medewerker)\b",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\b(?:customer|user|client[e]?|visitor|guest|requester|me|you|kund(?:e|in)|nutzer(?:in)?|utilisateur|usuari[oa]|klant|utente)\b(?!\s+(?:service|success|care))",
    re.IGNORECASE,
)

#: Roles in a thread whose words are context, and how long a message is before its copy is known as one.
NOT_THE_CUSTOMER = frozenset(["agent", "teammate", "system"])
COPIED = 15


def strange_places(text: str, answers: Sequence[str] = ()) -> Places:
    """Where somebody else speaks: what an answer quotes, and an agent's turns in a conversation. In order, apart.

    `answers` are messages of others in the thread around it, which programs copy into the text.
    """
    places = [*_quoted(text), *_agent_turns(text), *_copied(text, answers), *_signature(text)]
    merged: Places = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _quoted(text: str) -> Places:
    places = [match.span() for match in _QUOTED_LINE.finditer(text)]
    passed_on = _PASSED_ON.search(text)
    heads = list(_HEAD.finditer(text))
    if passed_on:
        # Its own words and those it passes on count; the lines between do not.
        return [*places, passed_on.span(), *(head.span() for head in heads)]
    answers = [match.start() for match in (_QUOTED.search(text), *heads[:1]) if match]
    # A text that begins with its quote has its own words below it.
    if answers and text[: min(answers)].strip():
        places.append((min(answers), len(text)))
    return [*places, *(head.span() for head in heads)]


def _signature(text: str) -> Places:
    """From the sign-off on, where only short lines follow; and what companies put under every mail."""
    places = [(match.start(), len(text)) for match in [_LEGAL.search(text)] if match]
    own = text[: places[0][0]] if places else text
    for match in _SIGNED_OFF.finditer(own):
        rest = [line for line in own[match.end() :].splitlines() if line.strip()]
        short = all(len(line) <= SIGNATURE_LINE and not line.rstrip().endswith(("?", "!")) for line in rest)
        if own[: match.start()].strip() and len(rest) <= SIGNATURE_LINES and short:
            return [*places, (match.start(), len(own))]
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
    turns = [
        turn for turn in _TURN.finditer(text) if turn["when"] or _is_agent(turn["who"]) or _is_customer(turn["who"])
    ]
    if not any(_is_agent(turn["who"]) for turn in turns):
        return []
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    # Of a customer's turn only the line that says who speaks and when is left out.
    return [
        (turn.start(), end if _is_agent(turn["who"]) else turn.end()) for turn, end in zip(turns, ends, strict=True)
    ]


def _is_agent(who: str) -> bool:
    return bool(_AGENT.search(who))


def _is_customer(who: str) -> bool:
    return bool(_CUSTOMER.search(who))


def without_speaker(piece: Piece) -> Piece:
    """The sentence without the label that says who speaks ("Customer: ")."""
    turn = _TURN.match(piece.span.quote)
    if turn is None or _is_agent(turn["who"]) or not (turn["when"] or _is_customer(turn["who"])):
        return piece
    span = piece.span
    return Piece(Span(span.start + turn.end(), span.end, span.quote[turn.end() :]), piece.is_shift)
