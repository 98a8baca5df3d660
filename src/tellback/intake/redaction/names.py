"""Names of persons, in the frames that say a name comes: "my name is …", a signature, a greeting.

A name in the middle of a sentence is not found: that needs a model that is not here.
"""

import re
from collections.abc import Iterator

from tellback.intake.redaction.finding import Found

# Patterns are one line a thought, however long, and words read better in a row than one a line.
# ruff: noqa: E501, SIM905

#: Capital letters of Latin, Greek and Cyrillic.
_UPPER = "".join(chr(code) for code in range(0xC0, 0x0530) if chr(code).isupper())
_WORD = rf"[A-Z{_UPPER}](?:[^\W\d_]|['’-]){{1,30}}(?!\w)"
_REST = rf"(?:[ \t]{{1,3}}(?:(?:van|von|de|der|den|da|di|la|le|bin|al|el|ten|dos)[ \t]{{1,3}}){{0,2}}(?:[A-Z{_UPPER}]\.|{_WORD}|[A-Z{_UPPER}](?!\w))){{0,3}}"
_NAME = rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau)\.?[ \t]{{1,3}})?(?P<name>{_WORD}{_REST})"
_FRAMES = (
    (
        ("name", "heiße", "appelle", "llamo", "this is", "contact"),
        re.compile(
            rf"(?:\b[Mm]y (?:full |last |first )?name(?: is|'s|’s|:)|\b[Mm]ein Name ist|\b[Ii]ch heiße|\b[Jj]e m['’]appelle|\b[Mm]e llamo|\b(?P<weak>[Tt]his is)|\b(?:[Ff]ull |[Ff]irst |[Ll]ast |[Cc]ustomer )?[Nn]ame:|\b[Cc]ontact(?: person)?:)\s{{1,4}}{_NAME}"
        ),
    ),
    (
        ("regards", "wishes", "best", "sincerely", "cheers", "thank", "grüß", "cordialement", "saludos", "yours"),
        re.compile(
            rf"(?:\b(?:[Bb]est|[Kk]ind|[Ww]arm|[Mm]any)(?: [Rr]egards| [Ww]ishes| [Tt]hanks)?|\b[Rr]egards|\b[Ss]incerely(?: [Yy]ours)?|\b[Yy]ours(?: truly| sincerely| faithfully)?|\b[Cc]heers|\b[Tt]hanks|\b[Tt]hank you|\b[Mm]it freundlichen Grüßen|\b[Vv]iele Grüße|\b[Ll]iebe Grüße|\b[Cc]ordialement|\b[Ss]aludos)[,.!]?[ \t]{{0,3}}(?:\r?\n[ \t]{{0,3}}){{1,2}}[-–—]?[ \t]?{_NAME}(?=[ \t]{{0,3}}(?:\Z|\r?\n|[A-Z{_UPPER}]|,))"
        ),
    ),
    (
        ("hi ", "hello", "hey", "dear", "hallo", "bonjour", "hola", "liebe"),
        re.compile(
            rf"(?:\A|\n|[.!?]\s)(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Hh]allo|[Bb]onjour|[Hh]ola|[Ll]iebe[r]?)[ \t]{{1,3}}{_NAME}[ \t]{{0,3}}[,!\n]"
        ),
    ),
)
_NOT_NAME = frozenset(
    (
        "team all everyone everybody there support folks sir madam guys friends friend customer customers service sales admin developers developer dev devs "
        "this that it the a an my your our their not just only still really very what why how when where no yes "
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december "
        "android iphone ipad windows mac linux google apple microsoft slack zendesk jira github world version error invalid unknown required"
    ).split()
)


def find_names(text: str) -> Iterator[Found]:
    """Names of persons behind an introduction, at the end of a signature, or in a greeting."""
    lowered = text.lower()
    for words, frame in _FRAMES:
        if any(word in lowered for word in words):
            for match in frame.finditer(text):
                name = match["name"].rstrip(".'’-")
                if _is_name(name, weak="weak" in frame.groupindex and bool(match["weak"])):
                    yield Found(match.start("name"), match.start("name") + len(name), "name")


def _is_name(name: str, *, weak: bool) -> bool:
    words = name.lower().split()
    return words[0] not in _NOT_NAME and not (weak and len(words) == 1)
