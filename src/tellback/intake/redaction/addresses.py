"""Where somebody lives, where the address is written as its country writes it: a number beside a street's word.

A house without such a word ("8, The Willows") and the town alone are not found.
"""

import re
from collections.abc import Iterator

from tellback.intake.redaction.finding import Found, Text, before, in_both

# Patterns are one line a thought, however long.
# ruff: noqa: E501, SIM905

_UP = "A-ZÀ-ÖØ-Þ"
_WORD = rf"[{_UP}][\w'’.-]{{0,24}}"
_ENGLISH = "Street St Avenue Ave Road Rd Boulevard Blvd Lane Ln Drive Dr Court Ct Place Pl Terrace Way Parkway Pkwy Highway Hwy Square Sq Crescent Cres Close Circle Cir Trail Row Alley Mews Gardens Grove".replace(" ", "|")  # fmt: skip
#: A flat, then a town with its code, then a country, each only right behind.
_FLAT = r"(?:,?[ \t]{1,2}(?:#|Apt\.?|Apartment|Unit|Suite|Ste\.?|Flat|Floor|Fl\.?)[ \t]?[\w-]{1,6})?"
_TOWN = rf"(?:[ \t]{{0,2}}[,\n][ \t]{{0,2}}{_WORD}(?:(?:[ \t]{_WORD}){{0,2}}?,?[ \t](?:[A-Z]{{2}}[ \t])?(?:\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}))?|[ \t]{{0,2}}[,\n][ \t]{{0,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}[ \t]{_WORD})?"
_NUMBER_FIRST = re.compile(
    rf"\d(?<![\w.$€£#-].)\d{{0,4}}[A-Za-z]?(?: ?(?:bis|ter))?,?[ \t](?:(?:[NSEW]\.?[ \t])?(?:{_WORD}[ \t]){{1,3}}(?:{_ENGLISH})\b\.?{_FLAT}|(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Pp]lace|[Ii]mpasse|[Aa]llée|[Qq]uai)[ \t](?:(?:de|du|des|la|le|les|l['’]|d['’])[ \t]?){{0,3}}{_WORD}(?:[ \t-]{_WORD}){{0,3}}){_TOWN}"
)
_ENGLISH_WORDS = frozenset(
    [*_ENGLISH.lower().split("|"), "rue", "avenue", "boulevard", "chemin", "place", "impasse", "allée", "quai"]
)
#: The first digit of a house number right behind a word.
_HOUSE = in_both(r"\d(?<=[^\W\d_][ .].|[.,º°] .)")
_HOUSE_ON = re.compile(rf"\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}}[A-Za-z]?)?(?!\w){_FLAT}{_TOWN}")
_SUFFIXES = ("straße", "strasse", "str.", "weg", "gasse", "platz", "allee", "damm", "ufer", "ring", "straat", "laan", "plein", "gracht", "kade", "singel", "dijk", "gatan", "vägen", "vej", "gade", "gata", "veien", "katu", "tie")  # fmt: skip
#: One of these stands in each of them.
_IN_SUFFIXES = ("str", "weg", "gas", "platz", "allee", "damm", "ufer", "ring", "laan", "plein", "gracht", "kade", "singel", "dijk", "gat", "väg", "vej", "gade", "veien", "katu", "tie")  # fmt: skip
_SUFFIXED = re.compile(rf"(?<![\w-])[{_UP}][\w'’-]{{1,30}}(?:[ -][{_UP}])?[\w.]{{0,10}}[ ]\Z")
_PREFIXES = frozenset(
    "calle c avenida avda plaza paseo carrer via viale piazza corso rua ulica ul box postfach".split()
)
_PREFIXED = re.compile(
    rf"(?<![\w-])(?:(?:[Cc]alle|C/|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Cc]arrer|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Rr]ua|[Uu]lica|[Uu]l\.)[ \t]{{0,2}}(?:(?:de|del|della|dei|di|do|da|dos|das|la|las|los|el)[ \t]){{0,2}}{_WORD}(?:[ \t]{_WORD}){{0,3}},?[ \t](?:n[.º°]?[ \t]?)?|P\.?[ ]?O\.?[ ]Box[ \t]|Postfach[ \t])\Z"
)


def find_addresses(searched: Text) -> Iterator[Found]:
    """Streets with a house number, and what of flat and town stands right behind; boxes of the post."""
    text = searched.raw
    if not searched.words.isdisjoint(_ENGLISH_WORDS):
        for match in _NUMBER_FIRST.finditer(text):
            yield Found(match.start(), match.end(), "address")
    prefixed = not searched.words.isdisjoint(_PREFIXES)
    if not prefixed and not any(map(searched.lowered.__contains__, _IN_SUFFIXES)):
        return
    for house in _HOUSE[searched.plain].finditer(text):
        place = house.start()
        if searched.lowered.endswith(_SUFFIXES, 0, place - 1):
            street = _SUFFIXED.search(before(text, place, 48))
        else:
            street = _PREFIXED.search(before(text, place, 64)) if prefixed else None
        number = _HOUSE_ON.match(text, place) if street else None
        if street and number:
            yield Found(place - len(street.group()), number.end(), "address")
