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
#: In the order of certainty (what an earlier one found, a later one may not claim), with how many digits a text must
#: have for any find, and how many of them in a row.
_DETECTORS: tuple[tuple[BuiltIn, int, int], ...] = (
    (find_credentials, 0, 0),
    (find_emails, 0, 0),
    (find_ibans, 2, 2),
    (find_identities, 4, 1),
    (find_cards, 12, 12),
    (find_wallets, 1, 1),
    (find_papers, 4, 1),
    (find_ssns, 9, 9),
    (find_ips, 1, 1),
    (find_phones, 6, 6),
    (find_addresses, 1, 1),
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
    searched, found = Text(text), list[Found]()
    digits, row, taken = searched.digits, searched.row, searched.taken
    finds = [detector(text) for detector in custom]
    finds += [built_in(searched) for built_in, least, in_row in _DETECTORS if digits >= least and row >= in_row]
    for detected in finds:
        for new in detected:
            start, end, _ = new
            if start < end and taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                found.append(new)
    return sorted(found)
