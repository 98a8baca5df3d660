"""Finding private data in a text: by shape, checksum and the words around it.

Every pattern is bounded, so that a hostile text costs time in proportion to its length. A text without the few
characters that private data is made of is searched for names and named secrets only.
"""

import re
from collections.abc import Iterable, Sequence

from tellback.intake.redaction.contacts import find_emails, find_ips, find_phones
from tellback.intake.redaction.credentials import find_credentials
from tellback.intake.redaction.finding import Detector, Found
from tellback.intake.redaction.names import find_names
from tellback.intake.redaction.numbers import find_cards, find_ibans, find_papers, find_ssns, find_wallets

#: In the order of certainty: what an earlier one found, a later one may not claim.
_DETECTORS: tuple[Detector, ...] = (
    find_credentials, find_emails, find_ibans, find_cards, find_wallets, find_ssns, find_papers, find_ips, find_phones,
)  # fmt: skip
#: Needs three digits within some twenty characters; without that only mail addresses, secrets and names remain.
_NUMBERED = frozenset([find_ibans, find_cards, find_wallets, find_ssns, find_papers, find_ips, find_phones])
_SOME_DIGITS = re.compile(r"\d(?:[^\d]{0,8}\d){2}|::")
_ANYTHING = re.compile(r"[@:=\d%]")

#: What people (or a hostile sender) put inside a value so that it is not seen: joiners, direction marks, soft hyphens.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys([0xA0, 0x2007, 0x2009, 0x202F, 0x3000], ord(" "))
_PLAIN |= dict.fromkeys([*range(0x2010, 0x2016), 0x2212], ord("-"))


def find_spans(text: str, *, custom: Sequence[Detector] = ()) -> list[Found]:
    """Private data in a text, in order, not overlapping. Where two finds overlap, the surer one wins.

    `custom` detectors (a workspace's own patterns) go first. Characters that do not show and letters of double width do
    not hide a value; the span counts them.
    """
    if text.isascii():
        return _find(text, custom)
    plain = text.translate(_PLAIN)
    if not _INVISIBLE.search(plain):
        return _find(plain, custom)
    places = [place for place, character in enumerate(plain) if not _INVISIBLE.match(character)]
    spans = _find("".join(plain[place] for place in places), custom)
    return [Found(places[span.start], places[span.end - 1] + 1, span.type) for span in spans]


def _find(text: str, custom: Sequence[Detector]) -> list[Found]:
    taken, found = bytearray(len(text)), list[Found]()
    for detector in (*custom, *_worth_trying(text)):
        for new in detector(text):
            if new.start < new.end and taken.find(1, new.start, new.end) < 0:
                taken[new.start : new.end] = b"\1" * (new.end - new.start)
                found.append(new)
    return sorted(found)


def _worth_trying(text: str) -> Iterable[Detector]:
    """The detectors that could find anything in this text, told by its characters."""
    if _ANYTHING.search(text):
        numbered = _SOME_DIGITS.search(text) is not None
        yield from (detector for detector in _DETECTORS if numbered or detector not in _NUMBERED)
    else:
        yield find_credentials
    yield find_names
