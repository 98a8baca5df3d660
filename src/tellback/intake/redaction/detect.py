"""Finding private data in a text: by shape, checksum and the words around it.

Every pattern is bounded, so that a hostile text costs time in proportion to its length. A text without the few characters
that private data is made of is not searched at all.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tellback.intake.redaction import credentials

# Patterns are one line a thought, however long.
# ruff: noqa: E501


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Private data at `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    type: str


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_LINK_SECRET = re.compile(
    r"(?i)(?:[?&#;](?:token|access_token|auth|key|api_?key|secret|password|pwd|sig|signature|code|session|sid|jwt)=([^&#\s\"'<>]{6,2000}))|(?://([^/\s:@]{1,64}:[^/\s@]{1,128})@)"
)
_CARD = re.compile(r"(?<![\d.,+-])(?<!\+\d\d )\d(?:[ -]?\d){11,18}(?![\d-]|[.,]\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])(?!000|666)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}(?![\d-])")
_IPV4 = re.compile(r"(?<![\w.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_PHONE = re.compile(r"(?<![\w.,#/@=-])(?:\+|00)?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?![\w@]|[.,]\d|-\d)")

_PHONE_CUE = re.compile(
    r"(?i)\b(?:call|phone|tel|telephone|telefon|mobile|cell|handy|whatsapp|sms|text\s+me|ring|reach\s+me|fax|dial|number\s+is|contact)\b"
)
_NOT_PHONE_CUE = re.compile(
    r"(?i)\b(?:order|invoice|ticket|case|ref(?:erence)?|id|build|version|commit|error|code|sku|serial|tracking|account|row|rows|line|page)\s*(?:no\.?|number|nr\.?|#|:)?\s*$"
)
_VERSION_CUE = re.compile(
    r"(?i)(?:\bv(?:er(?:sion)?s?)?\.?|\bversion|\brelease|\bbuild|\bfirmware|\bupdate(?:d)?(?:\s+to)?|\bupgraded?(?:\s+to)?|\bapp|\bios|\bandroid|\bdriver|\bchrome|\bfrom|\bsdk|\bpatch)\s*[:#]?\s*$"
)
_IP_CUE = re.compile(
    r"(?i)\b(?:ip|ipv4|address|host|server|login|logged|proxy|vpn|firewall|router|subnet|network|ping|connect\w*|client|dns|request|traffic|gateway|from)\b"
)

_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{1,30}(?:\s+(?:(?:van|von|de|der|den|da|di|la|le|bin|al)\s+){0,2}[A-ZÀ-ÖØ-Þ][\w'’-]{1,30}){0,2}"
_INTRODUCED = re.compile(
    rf"(?:\b[Mm]y (?:full |last |first )?name(?: is|'s|:)|\b[Mm]ein Name ist|\b[Ii]ch heiße|\b[Jj]e m['’]appelle|\b[Mm]e llamo|\b[Tt]his is|\b[Nn]ame:|\b[Cc]ontact:|\b[Cc]ontact person:)\s+({_NAME})"
)
_THIS_IS = re.compile(r"\b[Tt]his is\s+$")
_SIGNED = re.compile(
    rf"(?:\b(?:[Bb]est|[Kk]ind|[Ww]arm)(?: [Rr]egards| [Ww]ishes)?|\b[Rr]egards|\b[Ss]incerely|\b[Cc]heers|\b[Tt]hanks|\b[Tt]hank you|\b[Mm]any thanks|\b[Mm]it freundlichen Grüßen|\b[Vv]iele Grüße|\b[Cc]ordialement|\b[Ss]aludos)[,.!]?[ \t]{{0,3}}(?:\n[ \t]{{0,3}}){{1,2}}[-–—]?\s?({_NAME})(?=\s*(?:$|\n|[A-Z]|,))"
)
_GREETED = re.compile(
    rf"(?:^|\n|[.!?]\s)(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Hh]allo|[Bb]onjour|[Hh]ola)\s+({_NAME})\s*[,!\n]"
)
_NOT_NAME = frozenset(
    [
        "team",
        "all",
        "everyone",
        "there",
        "support",
        "folks",
        "sir",
        "madam",
        "guys",
        "friends",
        "customer",
        "service",
        "sales",
        "admin",
        "developers",
        "dev",
        "devs",
        "this",
        "that",
        "it",
        "the",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "android",
        "iphone",
        "ipad",
        "windows",
        "mac",
        "linux",
        "google",
        "apple",
        "microsoft",
        "slack",
        "zendesk",
        "jira",
        "github",
        "world",
    ]
)
_ANYTHING = re.compile(r"[@:\d]")


def find_spans(text: str) -> list[Found]:
    """Private data in a text, in order, not overlapping. Where two finds overlap, the surer one wins."""
    found: list[Found] = []
    if _ANYTHING.search(text) or credentials.TRIGGERS.search(text):
        for detector in _DETECTORS:
            found += [new for new in detector(text) if not any(_overlap(new, old) for old in found)]
    for new in _names(text):
        if not any(_overlap(new, old) for old in found):
            found.append(new)
    return sorted(found)


def _overlap(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end


def _credentials(text: str) -> Iterator[Found]:
    if not credentials.TRIGGERS.search(text):
        return
    for match in credentials.CREDENTIAL.finditer(text):
        yield Found(match.start(), match.end(), "credential")
    for pattern in (credentials.NAMED_SECRET, credentials.BEARER):
        for match in pattern.finditer(text):
            if credentials.looks_secret(match.group(1)):
                yield Found(match.start(1), match.end(1), "credential")


def _links(text: str) -> Iterator[Found]:
    if "://" not in text and "=" not in text:
        return
    for match in _LINK_SECRET.finditer(text):
        group = 1 if match.group(1) else 2
        if not match.group(group).startswith("["):
            yield Found(match.start(group), match.end(group), "credential")


def _emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "email")


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        end = _iban_end(match.group())
        if end:
            yield Found(match.start(), match.start() + end, "iban")


#: Lengths of account numbers by country (ISO 13616 registry), of those that people send.
_IBAN_LENGTH = dict(
    part.split(":")
    for part in [
        "AD:24",
        "AE:23",
        "AL:28",
        "AT:20",
        "AZ:28",
        "BA:20",
        "BE:16",
        "BG:22",
        "BH:22",
        "BR:29",
        "BY:28",
        "CH:21",
        "CR:22",
        "CY:28",
        "CZ:24",
        "DE:22",
        "DK:18",
        "DO:28",
        "EE:20",
        "EG:29",
        "ES:24",
        "FI:18",
        "FO:18",
        "FR:27",
        "GB:22",
        "GE:22",
        "GI:23",
        "GL:18",
        "GR:27",
        "GT:28",
        "HR:21",
        "HU:28",
        "IE:22",
        "IL:23",
        "IQ:23",
        "IS:26",
        "IT:27",
        "JO:30",
        "KW:30",
        "KZ:20",
        "LB:28",
        "LC:32",
        "LI:21",
        "LT:20",
        "LU:20",
        "LV:21",
        "MC:27",
        "MD:24",
        "ME:22",
        "MK:19",
        "MR:27",
        "MT:31",
        "MU:30",
        "NL:18",
        "NO:15",
        "PK:24",
        "PL:28",
        "PS:29",
        "PT:25",
        "QA:29",
        "RO:24",
        "RS:22",
        "SA:24",
        "SE:24",
        "SI:19",
        "SK:24",
        "SM:27",
        "TN:24",
        "TR:26",
        "UA:29",
        "VA:22",
        "VG:24",
        "XK:20",
    ]
)


def _iban_end(candidate: str) -> int:
    """Length of the text that is an IBAN at the start of the candidate (which may run into words), or 0."""
    length = int(_IBAN_LENGTH.get(candidate[:2].upper(), 0))
    places = [place for place, character in enumerate(candidate) if character.isalnum()][:length]
    if not length or len(places) != length:
        return 0
    compact = "".join(candidate[place] for place in places)
    end = places[-1] + 1
    if end < len(candidate) and candidate[end].isalnum():
        return 0
    rearranged = compact[4:] + compact[:4]
    digits = "".join(str(int(character, 36)) for character in rearranged)
    return end if int(digits) % 97 == 1 else 0


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        digits = [int(character) for character in match.group() if character.isdigit()]
        if _card_prefix("".join(map(str, digits))) and _luhn(digits):
            yield Found(match.start(), match.end(), "card")


def _card_prefix(digits: str) -> bool:
    """Issuers' beginnings and lengths: Visa, Mastercard, Amex, Discover, Diners, JCB, Maestro, UnionPay."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    return (
        (digits[0] == "4" and size in {13, 16, 19})
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and size == 16)
        or (two in {34, 37} and size == 15)
        or ((four == 6011 or two in {64, 65, 62}) and 16 <= size <= 19)
        or (two in {30, 36, 38, 39} and size in {14, 16})
        or ((two == 35 or four in {1800, 2131}) and size in {15, 16})
        or (two in {50, 56, 57, 58, 63, 67} and 12 <= size <= 19)
    )


def _luhn(digits: list[int]) -> bool:
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def _ssns(text: str) -> Iterator[Found]:
    for match in _SSN.finditer(text):
        if match.group()[3] == match.group()[6]:
            yield Found(match.start(), match.end(), "ssn")


def _ips(text: str) -> Iterator[Found]:
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            before = text[max(match.start() - 32, 0) : match.start()]
            around = before + text[match.end() : match.end() + 24]
            if _VERSION_CUE.search(before) and not re.search(r"(?i)\b(?:ip|login|address|host)\b", before):
                continue
            first = int(match.group().split(".")[0])
            small = all(int(part) < 30 for part in match.group().split("."))
            if first and (not small or _IP_CUE.search(around)):
                yield Found(match.start(), match.end(), "ip")
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if "::" in match.group() or match.group().count(":") == 7:
                try:
                    ipaddress.IPv6Address(match.group())
                except ValueError:
                    continue
                if len(match.group()) > 4:
                    yield Found(match.start(), match.end(), "ip")


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        candidate = match.group()
        before = text[max(match.start() - 40, 0) : match.start()]
        if _NOT_PHONE_CUE.search(before) or re.fullmatch(
            r"\d{4}[-./]\d{2}[-./]\d{2}.*|\d{2}[-./]\d{2}[-./]\d{4}.*", candidate
        ):
            continue
        international = candidate.startswith(("+", "00"))
        cued = bool(_PHONE_CUE.search(before))
        grouped = bool(re.fullmatch(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", candidate))
        if (international or cued or grouped) and _is_phone(
            candidate, international=international, cued=cued or grouped
        ):
            # A bracket before the first digit belongs to the number, one after the last does not.
            yield Found(match.start(), match.end(), "phone")


def _is_phone(candidate: str, *, international: bool, cued: bool) -> bool:
    digits = sum(character.isdigit() for character in candidate)
    if international:
        import phonenumbers  # noqa: PLC0415 - large tables, only when a candidate is there

        try:
            number = phonenumbers.parse(
                "+" + candidate.lstrip("+").removeprefix("00") if candidate.startswith("00") else candidate
            )
        except phonenumbers.NumberParseException:
            return False
        return bool(phonenumbers.is_possible_number(number))
    return cued and 7 <= digits <= 15


def _names(text: str) -> Iterator[Found]:
    for pattern in (_INTRODUCED, _SIGNED, _GREETED):
        for match in pattern.finditer(text):
            name = match.group(1).rstrip(".'’-")
            words = name.lower().split()
            if words[0] in _NOT_NAME or name.startswith("["):
                continue
            if _THIS_IS.search(text[: match.start(1)]) and len(words) < 2:
                continue
            yield Found(match.start(1), match.start(1) + len(name), "name")


#: In the order of certainty: what an earlier one found, a later one may not claim.
_DETECTORS: tuple[Callable[[str], Iterator[Found]], ...] = (
    _credentials, _links, _emails, _ibans, _cards, _ssns, _ips, _phones,
)  # fmt: skip
