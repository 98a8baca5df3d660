"""Finding private data in a text: by shape, checksum and the words around it.

Every pattern is bounded, so that a hostile text costs time in proportion to its length. A text without enough digits is
searched for what can do without them only.
"""

from collections.abc import Callable, Iterator, Sequence

from tellback.intake.redaction.addresses import find_addresses
from tellback.intake.redaction.contacts import find_emails, find_ips, find_phones
from tellback.intake.redaction.credentials import find_credentials
from tellback.intake.redaction.finding import Detector, Found, Text
from tellback.intake.redaction.identity import find_identities
from tellback.intake.redaction.names import find_names
from tellback.intake.redaction.numbers import find_cards, find_ibans, find_papers, find_ssns, find_wallets
from tellback.intake.redaction.view import plain_view

BuiltIn = Callable[[Text], Iterator[Found]]
#: In the order of certainty (what an earlier one found, a later one may not claim), with how many digits and how long a
#: run without a space a text must have for any find.
_DETECTORS: tuple[tuple[BuiltIn, int, int], ...] = (
    (find_credentials, 0, 5),
    (find_emails, 0, 0),
    (find_ibans, 6, 0),
    (find_cards, 12, 0),
    (find_wallets, 1, 26),
    (find_papers, 4, 0),
    (find_identities, 6, 0),
    (find_ssns, 9, 0),
    (find_ips, 1, 3),
    (find_phones, 6, 0),
    (find_addresses, 1, 0),
    (find_names, 0, 0),
)


def find_spans(text: str, *, custom: Sequence[Detector] = ()) -> list[Found]:
    """Private data in a text, in order, not overlapping. Where two finds overlap, the surer one wins.

    `custom` detectors (a workspace's own patterns) go first. Characters that do not show and letters of double width do
    not hide a value; the span counts them.
    """
    plain, places = plain_view(text)
    spans = _find(plain, custom)
    if places is None:
        return spans
    return [Found(places[span.start], places[span.end], span.type) for span in spans]


def _find(text: str, custom: Sequence[Detector]) -> list[Found]:
    taken, found = bytearray(len(text)), list[Found]()
    for detector in custom:
        _take(detector(text), taken, found)
    searched = Text(text)
    digits, longest = searched.digits, searched.longest
    for built_in, least_digits, least_run in _DETECTORS:
        if digits >= least_digits and longest >= least_run:
            _take(built_in(searched), taken, found)
    return sorted(found)


def _take(finds: Iterator[Found], taken: bytearray, found: list[Found]) -> None:
    for new in finds:
        start, end, _ = new
        if start < end and taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            found.append(new)
