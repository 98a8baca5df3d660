"""Names of persons, in the frames that say a name comes: "my name is …", a signature, a greeting.

A name in the middle of a sentence is not found: that needs a model that is not here.
"""

import re
from collections.abc import Iterator

from tellback.intake.redaction.finding import Found, Text, before, ends_of

# Patterns are one line a thought, however long, and words read better in a row than one a line.
# ruff: noqa: E501, SIM905

#: Capital letters of Latin, Greek and Cyrillic.
_UPPER = "".join(chr(code) for code in range(0xC0, 0x0530) if chr(code).isupper())
_WORD = rf"[A-Z{_UPPER}](?:[^\W\d_]|['’-]){{1,30}}(?!\w)"
_REST = rf"(?:[ \t]{{1,3}}(?:(?:van|von|de|der|den|da|di|la|le|bin|al|el|ten|dos)[ \t]{{1,3}}){{0,2}}(?:[A-Z{_UPPER}]\.|{_WORD}|[A-Z{_UPPER}](?!\w))){{0,3}}"
_NAME = rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau)\.?[ \t]{{1,3}})?(?P<name>{_WORD}{_REST})"


def _phrases(*lines: str) -> tuple[str, ...]:
    return tuple(phrase for line in lines for phrase in line.split(";"))


#: Phrases in lower case that stand in front of a name, by what may lie in between and what must follow.
_INTRODUCED = _phrases(
    "my name is;my name's;my name’s;my name:;first name is;last name is;full name is;maiden name is;name:;surname:;contact:;contact person:",
    "mein name ist;ich heiße;ich heisse;je m'appelle;je m’appelle;mon nom est;me llamo;mi nombre es;mi chiamo;il mio nome è;me chamo;chamo-me",
    "meu nome é;mijn naam is;ik heet;nazywam się;mam na imię;jag heter;jeg heter;jeg hedder;mit navn er;mitt namn är;benim adım;меня зовут",
)
_PERHAPS_INTRODUCED = _phrases("this is;hier spricht;hier ist")
_SIGNED = _phrases(
    "regards;wishes;best;sincerely;sincerely yours;yours;yours truly;yours sincerely;yours faithfully;cheers;love;thanks;many thanks",
    "thanks again;thanks a lot;thanks in advance;thank you;thank you very much;thank you so much;br;grüßen;grüssen;grüße;grüsse;gruß;gruss",
    "mfg;lg;vg;danke;danke schön;cordialement;merci;merci d'avance;saludos;saludos cordiales;saludo;atentamente;gracias;saluti;grazie;groet",
    "groeten;groetjes;atenciosamente;abraço;abraços;cumprimentos;pozdrawiam;pozdrowienia;hälsning;hälsningar;hilsen;mvh;с уважением;saygılarımla",
)
_SHORT = frozenset(["lg", "vg", "mfg", "br", "gruß", "gruss", "grüße", "grüsse", "cheers", "groetjes", "hilsen", "mvh"])
_GREETED = _phrases(
    "hi;hello;hey;dear;hallo;bonjour;cher;chère;hola;estimado;estimada;querido;querida;liebe;lieber;sehr geehrter;sehr geehrte;gentile",
    "ciao;caro;cara;olá;prezado;prezada;beste;geachte;cześć;witam;hej;hei;привет;здравствуйте",
)
_TITLED = _phrases(
    "mr;mrs;ms;dr;prof;herr;herrn;frau;monsieur;madame;mme;mlle;señor;señora;signor;signora;mevrouw;meneer"
)

_AFTER_INTRODUCTION = re.compile(rf"\s{{1,4}}{_NAME}")
#: The same, where one word alone would rather be a thing.
_AFTER_HINT = re.compile(rf"\s{{1,3}}{_NAME}")
_AFTER_SIGNING = re.compile(
    rf"[,.!]?[ \t]{{0,3}}(?:\r?\n[ \t]{{0,3}}){{1,2}}[-–—]?[ \t]?{_NAME}(?P<rest>[^\n]{{0,60}})"
)
_AFTER_GREETING = re.compile(rf",?[ \t]{{1,3}}{_NAME}[ \t]{{0,3}}[,!\n]")
#: Short endings have the name on their line, which they begin.
_AFTER_SHORT_SIGNING = re.compile(rf",?[ \t]{{1,2}}{_NAME}[ \t]{{0,3}}(?P<rest>)(?=\Z|\n)")
_AFTER_TITLE = re.compile(rf"\.?[ \t]{{1,2}}(?P<name>{_WORD}{_REST})")
_AT_START = re.compile(r"(?:\A|\n|[.!?]\s)\s?\Z")
_FRAMES: dict[str, re.Pattern[str]] = {
    phrase: follows
    for phrases, follows in (
        (_INTRODUCED, _AFTER_INTRODUCTION),
        (_PERHAPS_INTRODUCED, _AFTER_HINT),
        (_SIGNED, _AFTER_SIGNING),
        (_GREETED, _AFTER_GREETING),
        (_TITLED, _AFTER_TITLE),
    )
    for phrase in phrases
}
#: The frames by their first word.
_BEGINNINGS: dict[str, list[str]] = {}
for _phrase in _FRAMES:
    _BEGINNINGS.setdefault(_phrase.replace("-", " ").replace(":", "").split()[0], []).append(_phrase)
_FIRST_WORDS = frozenset(_BEGINNINGS)
_NOT_NAME = frozenset(
    (
        "team all everyone everybody there support folks sir madam guys friends friend customer customers service sales admin developers developer dev devs "
        "this that it the a an my your our their not just only still really very what why how when where no yes sent from "
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december "
        "android iphone ipad windows mac linux google apple microsoft slack zendesk jira github world version error invalid unknown required "
        "damen herren zusammen leute alle tous toutes équipe equipo equipe todos tutti allemaal kundenservice kundendienst pepper"
    ).split()
)
#: How a letter ends; where one such line follows another ("Thanks.\n\nKind regards,"), it is no name.
_CLOSES = frozenset(
    (
        "mit viele schöne beste liebe herzliche freundliche kind best warm warmest many with met vriendelijke un une bien cordialement cordiali cordial distinti cumprimentos "
        "sincerely yours regards thanks thank cheers con com med atentamente saludos saluti saludo atenciosamente groeten groetjes pozdrawiam hilsen hälsningar gruß grüße gruss grüsse love respectfully lg vg mfg br mvh"
    ).split()
)
#: A signature with one of these is a company's or a department's, not a person's.
_COMPANY = frozenset(
    (
        "team teams inc ltd llc llp plc gmbh ag kg ug se sa sas sarl srl spa bv nv oy ab as aps corp corporation company co group holding holdings "
        "support services service solutions software systems technologies technology tech labs studio studios agency bank insurance university college school institute "
        "department dept office sales marketing engineering customer success care desk helpdesk hr finance accounting operations management community "
        "kundenservice vertrieb abteilung verein stiftung société equipo equipe"
    ).split()
)


def find_names(searched: Text) -> Iterator[Found]:
    """Names of persons behind an introduction or a title, at the end of a signature, or in a greeting."""
    for word in searched.words & _FIRST_WORDS:
        for phrase in _BEGINNINGS[word]:
            if phrase in searched.lowered:
                yield from _after(phrase, searched.raw, searched.lowered)


def _after(phrase: str, text: str, lowered: str) -> Iterator[Found]:
    follows = _FRAMES[phrase]
    for end in ends_of(phrase, lowered):
        match = follows.match(text, end)
        if match is None and phrase in _SHORT and _AT_START.search(before(text, end - len(phrase), 3)):
            match = _AFTER_SHORT_SIGNING.match(text, end)
        if match is None or (follows is _AFTER_GREETING and not _AT_START.search(before(text, end - len(phrase), 3))):
            continue
        name = match["name"].rstrip(".'’-")
        rest = match["rest"] if follows is _AFTER_SIGNING else ""
        if follows is _AFTER_HINT and " " not in name:
            continue
        if follows is _AFTER_TITLE and not text[end - len(phrase) : end].istitle():
            continue
        if _is_name(f"{name} {rest}" if rest[:1].isspace() else name):
            yield Found(match.start("name"), match.start("name") + len(name), "name")


def _is_name(line: str) -> bool:
    words = [word.strip(".,'’-|") for word in line.lower().split()]
    return words[0] not in _NOT_NAME and words[0] not in _CLOSES and _COMPANY.isdisjoint(words)
