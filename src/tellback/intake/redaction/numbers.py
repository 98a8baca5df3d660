"""Numbers that name a person or an account: cards, bank accounts, social security, papers, wallets, birthdays."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache

from tellback.intake.redaction.finding import LETTER, Found, Text, before, in_both, inside_account

# Patterns are one line a thought, however long.
# ruff: noqa: E501, SIM905

_CARD = in_both(
    r"\d(?<![A-Za-z0-9+-].)(?<!\d[.,].)(?<!\+\d\d .)(?:(?:[ -]?\d){11,18}|\d{3}(?:\.\d{4}){2,3}\.\d{1,7}|\d{3}(?:/\d{4}){3})(?![A-Za-z0-9-]|\.\d)"
)
#: The sum of the digits of twice a digit.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_CARD_CUE = re.compile(r"(?i)\b(?:card|cc|visa|mastercard|amex|maestro|karte\w*|carte|tarjeta)\b")
#: From the first digit of its check sum, behind the letters of the country.
_IBAN = in_both(r"\d(?<=(?<![A-Za-z0-9])[A-Za-z]{2}.)\d(?:[ -]?[A-Za-z0-9]){11,30}")
_SSN = in_both(
    r"\d(?<![A-Za-z0-9.+-].)(?<!000|666)\d\d(?<!000|666)(?<!\+\d \d{3})(?<!\+\d\d \d{3})(?<!\+\d\d\d \d{3})([- ])(?!00)\d{2}\1(?!0000)\d{4}"
    rf"(?!{LETTER}|-|\.\d)"
)
_NAMED_SSN = re.compile(
    r"\b(?:ssn|itin|social(?: security)?)(?: number| num| no\.?| #)?(?: is|:|#| =)?\s{0,3}(?P<value>(?!000|666)\d{3}[ .-]?\d{2}[ .-]?\d{4})(?![\w-])",
    re.IGNORECASE,
)
#: The word that says what paper it is, then up to three words of no content, then the number.
_PAPER = re.compile(
    r"\b(?:(?P<licence>driv(?:er|ing)(?:['’]?s)? licen[sc]e|my licen[sc]e|dl(?= ?(?:number|no\b|nr|#|:))|führerschein\w*|permis de conduire|carn[ée] de conducir|licencia de conducir|patente di guida|carta de condução|cnh|rijbewijs\w*|prawo jazdy|körkort\w*)|(?P<passport>passports?|reisepass\w*|passnummer|passeport|pasaporte|passaporto|passaporte|paspoort\w*|paszport\w*|pass nr))(?:\s{1,3}(?:number|num|no\.?|nr\.?|nummer|n[uú]mero|num[eé]ro|n°|nº|id|is|was|ist|es|est|è|é|with|the)|\s{0,3}[:#=]){0,4}\s{0,3}(?P<value>(?=[A-Za-z -]{0,6}\d)(?:[A-Za-z]{1,2} )?\d{2,4}(?: \d{2,4}){1,4}|(?=[A-Za-z-]{0,6}\d)[A-Za-z0-9](?:[A-Za-z0-9-]){4,19})(?![\w-])",
    re.IGNORECASE,
)
_PAPER_WORDS = frozenset(
    (
        "license licence licenses licences dl führerschein führerscheinnummer permis conducir conduire guida condução cnh rijbewijs rijbewijsnummer jazdy körkort körkortsnummer "
        "passport passports reisepass reisepassnummer passnummer passeport pasaporte passaporto passaporte paspoort paspoortnummer paszport paszportu pass"
    ).split()
)
_BIRTH_WORDS = frozenset(
    (
        "born birth birthdate birthday dob d geb geboren geburtsdatum geburtstag né née nés naissance nacido nacida nacimiento nato nata nascita "
        "nascido nascida nascimento geboortedatum urodzony urodzona urodzenia född födelsedatum"
    ).split()
)
_MONTH = r"(?:jan|feb|f[ée]v|m[aä]r|apr|abr|avr|may|mai|mag|jun|juin|giu|jul|juil|lug|aug|ago|ao[uû]t|sep|set|o[ck]t|ott|out|nov|de[czk]|dic|d[ée]c|enero|janv)[a-zûéèäö]{0,7}\.?"
_BIRTHDATE = re.compile(
    r"\b(?:born(?: on)?(?: the)?|date of birth\??(?: it['’]s)?|birth ?date|birthday|d\.?o\.?b\.?|geb(?:oren)?\.?(?: am)?|geburtsdatum|geburtstag|n[ée]e?s? le|date de naissance|nacid[oa](?: el)?|fecha de nacimiento|nat[oa](?: il)?|data di nascita|nascid[oa](?: em)?|data de nascimento|geboortedatum|urodzon[ya]|data urodzenia|född(?: den)?|födelsedatum)(?:\s{1,3}(?:is|was|ist|est|es|è|é))?[\s:=]{1,4}"
    rf"(?P<value>\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}|\d{{1,2}}(?:st|nd|rd|th|er|\.)?(?: of| de)? {_MONTH}(?:,| de)? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}} \d{{1,2}} (?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_WALLET = re.compile(
    r"(?<!\w)(?:bc1[02-9ac-hj-np-z]{25,62}|0x[0-9a-fA-F]{40}|(?P<checked>[13][1-9A-HJ-NP-Za-km-z]{25,34}))(?!\w)"
)
#: Stands in every run without a space that a wallet is in.
_LIKE_WALLET = re.compile(r"(?:bc1|0x|[13])[0-9A-Za-z]{25}")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

#: Lengths of account numbers by country (IBAN registry, ISO 13616).
_IBAN_LENGTH = {
    country: length
    for length, countries in (
        (15, "NO"), (16, "BE"), (18, "DK FI FO GL NL SD"), (19, "MK SI"), (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"), (22, "BG BH CR DE GB GE IE ME RS VA"), (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"), (25, "LY PT ST"), (26, "IS TR"), (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HU LB NI PL SV"), (29, "BR EG PS QA UA"), (30, "JO KW MU YE"), (31, "MT SC"),
        (32, "LC"), (33, "RU"),
    )
    for country in countries.split()
}  # fmt: skip


def find_ibans(searched: Text) -> Iterator[Found]:
    """Bank accounts of a text, in either case, spaced or not, with the length of their country and a right check sum."""
    text = searched.raw
    begun, place = _IBAN[searched.plain], 0
    while match := begun.search(text, place):
        start = match.start() - 2
        size = _iban_size(text[start : match.end()])
        # What fails may hide one that begins later ("on 12 de89 …" reads on from a word).
        place = start + size if size else match.start() + 1
        if size:
            yield Found(start, start + size, "iban")


def _iban_size(candidate: str) -> int:
    """How many characters at the start of the candidate (which may run on into words) are an IBAN, or 0."""
    length = end = _IBAN_LENGTH.get(candidate[:2].upper(), 0)
    if not length:
        return 0
    compact = candidate[:length]
    if not compact.isalnum():
        places = [place for place, character in enumerate(candidate) if character.isalnum()][:length]
        compact = "".join(candidate[place] for place in places)
        end = places[-1] + 1
    if len(compact) != length or candidate[end : end + 1].isalnum():
        return 0
    return end if int("".join(map(_in_digits, compact[4:] + compact[:4]))) % 97 == 1 else 0


@cache
def _in_digits(character: str) -> str:
    """What a letter or digit counts as in a check sum (ISO 7064, MOD 97-10)."""
    return str(int(character, 36))


def find_cards(searched: Text) -> Iterator[Found]:
    """Card numbers of a text: with an issuer's beginning, or beside the word card, and always with a right check digit."""
    text = searched.raw
    taken = searched.taken
    for match in _CARD[searched.plain].finditer(text):
        if taken[match.start()]:
            continue
        digits = [int(character) for character in match.group() if character.isdigit()]
        if not _luhn(digits) or inside_account(text, match.start()):
            continue
        if _issuer_has("".join(map(str, digits))) or _CARD_CUE.search(before(text, match.start())):
            yield Found(match.start(), match.end(), "card")


def _issuer_has(digits: str) -> bool:
    """Issuers' beginnings and lengths (ISO/IEC 7812): Visa, Mastercard, Amex, Discover, UnionPay, Diners, JCB, Maestro, RuPay, Mir, Troy."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    return (
        (digits[0] == "4" and size in {13, 16, 19})
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and size == 16)
        or (two in {34, 37} and size == 15)
        or ((four == 6011 or two in {64, 65, 62}) and 16 <= size <= 19)
        or (two in {30, 36, 38, 39} and size in {14, 16})
        or ((two == 35 or four in {1800, 2131}) and size in {15, 16})
        or (two in {50, 56, 57, 58, 63, 67} and 12 <= size <= 19)
        or ((two in {60, 81, 82} or 2200 <= four <= 2204 or four == 9792) and size == 16)
    )


def _luhn(digits: list[int]) -> bool:
    return (sum(digits[-1::-2]) + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))) % 10 == 0


def find_ssns(searched: Text) -> Iterator[Found]:
    """Social security numbers of the United States: in groups of 3, 2 and 4, or in any way behind their name."""
    text = searched.raw
    if not searched.words.isdisjoint(("ssn", "social", "itin")):
        for match in _NAMED_SSN.finditer(text):
            yield Found(match.start("value"), match.end("value"), "ssn")
    for match in _SSN[searched.plain].finditer(text):
        yield Found(match.start(), match.end(), "ssn")


def find_papers(searched: Text) -> Iterator[Found]:
    """Driving licences, passports and dates of birth, each only behind the words that say what it is."""
    text = searched.raw
    if not searched.words.isdisjoint(_PAPER_WORDS):
        for match in _PAPER.finditer(text):
            yield Found(match.start("value"), match.end("value"), "licence" if match["licence"] else "passport")
    if not searched.words.isdisjoint(_BIRTH_WORDS):
        for match in _BIRTHDATE.finditer(text):
            yield Found(match.start("value"), match.end("value"), "birthdate")


def find_wallets(searched: Text) -> Iterator[Found]:
    """Bitcoin addresses with a right check sum, and the unmistakable shapes of newer ones and of Ethereum."""
    if not any(map(_LIKE_WALLET.search, searched.long)):
        return
    for match in _WALLET.finditer(searched.raw):
        if not match["checked"] or _base58_checks(match["checked"]):
            yield Found(match.start(), match.end(), "wallet")


def _base58_checks(address: str) -> bool:
    number = 0
    for character in address:
        number = number * 58 + _BASE58.index(character)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]
