"""Ways to reach or place somebody: mail addresses, telephone numbers, network addresses."""

import ipaddress
import re
import string
from collections.abc import Iterator
from functools import lru_cache

from tellback.intake.redaction.finding import LETTER, UNSPACED, Found, Text, apart, before, in_both, inside_account

# Patterns are one line a thought, however long.
# ruff: noqa: E501, SIM905

_LOCAL = rf"(?:{LETTER}|[.+'-]|%(?![0-9A-Fa-f]{{2}}))"
_LOCAL_PART = re.compile(rf"(?<!{LETTER})(?<![.+'-]){_LOCAL}{{1,64}}\Z")
_PLAIN_LOCAL_PART = re.compile(r"(?<![\w.+'-])[\w.+'-]{1,64}\Z")
#: What the latter is made of in plain ASCII, and how long either may be.
_PLAIN_LOCAL, _LONGEST_LOCAL = f"{string.ascii_letters}{string.digits}_.+'-", 64
#: A sentence may go on right behind it in scripts without spaces.
_TOP = rf"(?:[A-Za-z]{{2,24}}(?=[{UNSPACED}])|[^\W\d_]{{2,24}}(?![^\W_]|-)|xn--[a-z\d-]{{2,40}}(?![\w-]))"
_DOMAIN = re.compile(rf"@(?:[\w-]{{1,63}}\.){{1,8}}{_TOP}")
#: With spaces around the sign, where the name or what stands before it is a mail address's and no shop's ("look @ it.now").
_SPACED_EMAIL = re.compile(
    r"(?i)(?<![\w.+'-])(?:(?<=mail:\s)|(?<=mail\s)|(?<=mail\sis\s)|(?<=write\sto\s)|(?=[\w'-]{0,40}[.+\d_]))[\w.+'-]{1,64}\s@\s(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}(?![\w-])"
)
#: Written so that programs do not see it: "ada (at) example (dot) com", "ada at example dot com".
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.+'-])[\w.+'-]{1,64}\s?(?:[\[({<]\s?at\s?[\])}>]\s?(?:[\w-]{1,63}(?:\s?[\[({<]\s?(?:dot|punkt|point|punto)\s?[\])}>]\s?|\.)){1,4}|(?<=\s)at\s(?:[\w-]{1,63}\sdot\s){1,4})[^\W\d_]{2,24}(?![\w-])",
    re.IGNORECASE,
)
#: Without one of these no address is spelled, whatever else stands around an "at".
_SPELLED_AT = re.compile(r"(?i)[\[({<]\s?at\s?[\])}>]|\sat\s[\w-]{1,63}\sdot\s")
_DOT = frozenset(["dot", "punkt", "point", "punto"])
_QUOTED_EMAIL = re.compile(r'"[^"@\n]{1,64}"@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])')

_IPV4 = re.compile(
    r"\d(?<![\w.].)(?:(?<=2)5[0-5]|(?<=2)[0-4]\d|(?<=1)\d?\d|\d?)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?!\w|\.\d)",
    re.ASCII,
)
#: What every IPv4 address has behind its first number, and how many colons an IPv6 address has that leaves nothing out.
_DOTTED, _COLONS = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d"), 6
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:]|\.\d)", re.ASCII
)
_VERSION_CUE = re.compile(
    r"(?i)(?:\bv(?:er(?:sion)?s?)?\.?|\breleases?|\bbuild|\bfirmware|\bapp|\bios|\bmacos|\bandroid|\bdriver|\bchrome|\bfirefox|\bsdk|\bpatch|\bplugin|\bsection|\bchapter"
    r"|\b(?:up|down)(?:dat|grad)\w{1,4}(?:\s+[\w.]{1,20}){0,3}?(?:\s+(?:from|to))?)\s*[:#(]?\s*$"
    r"|\bversion\b|[=<>~]=\s*$|=>\s*$|>\s*$|[A-Za-z]/$"
)
_VERSION_BEHIND = re.compile(r"-[A-Za-z]|\.{2,3}\d")
#: Addresses that every machine has.
_ZERO_AHEAD = re.compile(r"(?:\A|\.)0\d")
_NOBODYS = frozenset(["127.0.0.1", "0.0.0.0", "255.255.255.255"])  # noqa: S104 - compared, not bound
_IP_CUE = re.compile(
    r"(?i)\b(?:ip|ipv4|address|host|server|log(?:ged|in|s)?|proxy|vpn|firewall|router|subnet|network|ping|connect\w*|client\w*|dns|requests?|traffic|gateway|from|forwarded-for|traceroute|trace|ssh|block\w*|bann\w*|allow\w*|whitelist\w*|blacklist\w*|https?)\b|\d -(?: -)? ?\["
)
_SURE_IP_CUE = re.compile(r"(?i)(?:\bip|_ip|ipv4|\blogin|\baddress|\bhost)\b")
_SMALL = 30
_SHORT_IPV6 = 4
_GROUPS_OF_IPV6 = 7

_PHONE = in_both(
    rf"[+(\d](?<!\d.)(?:(?<![\w.#/@$€£-].)|(?<=[{UNSPACED}].)|(?<=[/#-]\+))(?<!\d[,:].)"
    r"(?:(?<=\d)(?:(?<=0)0\(?\d)?|(?<=\+)\s?\(?\d|(?<=\()\d)(?:[ ()./-]{0,2}\d){5,14}(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?"
    rf"(?!{LETTER}|[@%]|[.:]\d|,\d{{1,3}}(?!\d)|-\d|-\w\b)"
)
#: Words that say that a telephone number comes; then the beginnings of such words, and phrases.
_PHONE_WORDS = frozenset(
    (
        "call called calling calls phone phones ph tel tél mobil mobile cell cellphone handy whatsapp signal viber sms text texte texted ring fax dial dialed dialled "
        "hotline helpline landline voicemail telephone téléphone teléfono telefono durchwahl joindre portable móvil movil celular cellulare ligar ligue telemóvel telemovel bel "
        "bellen gsm тел hubungi numaram soita gọi هاتف جوال اتصل واتساب טלפון נייד फोन τηλ τηλέφωνο"
    ).split()
)
_PHONE_STEMS = (
    "telef",
    "rückruf",
    "rueckruf",
    "ruf",
    "erreich",
    "appel",
    "llam",
    "llám",
    "chiam",
    "dzwo",
    "zadzwo",
    "puhelin",
    "телефон",
    "звон",
    "позвон",
    "дзвон",
    "τηλ",
)
#: The same in scripts without spaces, where they stand inside of what looks like one word.
_UNSPACED_PHONE_WORDS = ("電話", "电话", "手机", "手機", "携帯", "전화", "휴대폰", "연락처", "โทร")
_PHONE_PHRASES = (
    "my number", "mein nummer", "meine nummer", "mon numéro", "number is", "nummer ist", "número es", "numero es", "numéro est", "número é", "reach me", "reach us", "reach him", "reach her", "reached at", "reached on", "reached me at",
    "contact me", "contact us", "contact number", "contact no", "contacted at", "contacted on", "whats app", "for me at", "for us at", "my registered", "answering at", "messages to", "message to", "messages on", "message on",
)  # fmt: skip
_PHRASE_ENDS = frozenset(phrase.split()[-1] for phrase in _PHONE_PHRASES)
#: Near a telephone number often, but near other numbers too: enough only for a number written in groups.
_WEAK_PHONE_CUE = re.compile(
    r"(?i)\b(?:answer(?:ing|s|ed)?|messages?|registered|contact|(?:desk|office|home|work|direct)(?=\s{0,2}:))\b"
)
_PHONE_CUE_BEHIND = re.compile(r"(?i)[\s,;(-]{0,3}(?:office|fax|mobile|cell|phone|tel|desk|direct|home|work)\b")
#: A text without these words and parts announces no telephone number: of all the words, stems and phrases, what each has.
_ANNOUNCING = _PHONE_WORDS.union(
    "answer answering answers answered message messages registered contact contacted whats desk office home work direct".split()
)
_ANNOUNCING_PARTS = ("telef", "ruf", "erreich", "appel", "llam", "chiam", "dzwo", "puhelin", "num", "reach", "for me at", "for us at")  # fmt: skip
_ANNOUNCING_PARTS_NOT_ASCII = ("llám", "телефон", "звон", "τηλ", "numéro", "número", *_UNSPACED_PHONE_WORDS)
_COUNTED = re.compile(
    r"(?i)\s?(?:bytes|[kmg]b|rows|items|records|users|files|times|requests|m?s|seconds|euros?|dollars|eur|usd)\b"
)
#: Words behind which a number is something else's.
_NOT_PHONE_WORDS = frozenset(
    (
        "order invoice ticket case ref reference id build version commit error code sku serial tracking account transaction customer row rows line page box zip plz isbn ean part model "
        "policy contract shipment parcel asin timestamp epoch amount total index value count size length offset port limit maximum minimum bestellung auftrag rechnung commande facture dossier "
        "référence colis pedido factura referencia envío ordine fattura spedizione bestelling factuur encomenda fatura zamówienie zamówienia faktura faktury заказ заказа счет"
    ).split()
)
_NUMBER_OF = r"(?:bestell|auftrags?|rechnungs?|kunden|vertrags?|artikel|sendungs?|serien|vorgangs?|order|klant|factuur|kund|artikkel)-?(?:nummer|nr\.?)"
_NOT_PHONE_CUE = re.compile(
    rf"(?i)\b(?:{'|'.join(sorted(_NOT_PHONE_WORDS))}|{_NUMBER_OF})\s*(?:no\.?|number|num|nr\.?|n[°º]|numéro|número|numero|id|#|:)*(?:\s+(?:is|was))?\s*$"
)
_DATE = re.compile(
    r"(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}(?:\D.*)?|\d{1,2}[-./]\d{1,2}[-./]\d{4}(?:\D.*)?|(?:19|20)\d{6}(?:[ -]?\d{4,6})?"
)
_AMERICAN = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
#: With the trunk zero and in groups, as most of Europe writes a number.
_NATIONAL = re.compile(
    r"\(?0\d{2,4}\)?(?:[ ./-]\d{2,4}){2,4}|0\d(?:[ .-]\d\d){4}|\(0\d{1,4}\) ?\d{3,8}(?:[ -]\d{2,5})?"
)
_GROUPED = re.compile(r"\d\D{1,2}\d")
_SENTENCE = re.compile(r"[.!?]\s+(?=[A-Z])")
_EXTENSION = re.compile(r"\s?(?:x|ext).*", re.IGNORECASE)
#: A real text has a few. Past that many the shape alone decides: taking out too much is the lesser harm.
_CHECKED = 200
_SHORTEST, _LONGEST = 6, 15
#: A moment of this century as computers count it; no telephone number with the country 1 is as long.
_MILLISECONDS = re.compile(r"1\d{12}")


def find_emails(searched: Text) -> Iterator[Found]:
    """Mail addresses of a text."""
    text, words = searched.raw, searched.words
    if "@" in text:
        for match in _DOMAIN.finditer(text):
            size = _size_of_local(before(text, match.start(), _LONGEST_LOCAL + 1))
            if size:
                yield Found(match.start() - size, match.end(), "email")
    if " @ " in text:
        for match in _SPACED_EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "email")
    if '"@' in text:
        for match in _QUOTED_EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "email")
    if "at" in words and ("." in text or not words.isdisjoint(_DOT)) and _SPELLED_AT.search(text):
        for match in _SPELLED_EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "email")


def _size_of_local(ahead: str) -> int:
    """How many characters at the end are the local part of a mail address, or 0."""
    if ahead.isascii() and "%" not in ahead:
        size = len(ahead) - len(ahead.rstrip(_PLAIN_LOCAL))
        return size if size <= _LONGEST_LOCAL else 0
    local = _LOCAL_PART.search(ahead) or _PLAIN_LOCAL_PART.search(ahead)
    return len(local.group()) if local else 0


def find_ips(searched: Text) -> Iterator[Found]:
    """Network addresses of a text. Four small numbers are a version unless the words around speak of a network."""
    text = searched.raw
    if "::" in text or text.count(":") >= _COLONS:
        for match in _IPV6.finditer(text):
            if _is_ipv6(match.group()):
                yield Found(match.start(), match.end(), "ip")
    if text.count(".") >= 3 and _DOTTED.search(text):
        for checked, match in enumerate(_IPV4.finditer(text)):
            if checked >= _CHECKED or _is_ipv4(text, match):
                yield Found(match.start(), match.end(), "ip")


def _is_ipv4(text: str, match: re.Match[str]) -> bool:
    ahead = before(text, match.start(), 32)
    if match.group() in _NOBODYS or _ZERO_AHEAD.search(match.group()):
        return False
    if not _SURE_IP_CUE.search(ahead) and (_VERSION_CUE.search(ahead) or _VERSION_BEHIND.match(text, match.end())):
        return False
    if not _IP_CUE.search(ahead) and _says_phone(ahead):
        return False
    first, second = match.group().split(".")[:2]
    if int(first) < _SMALL and int(second) < _SMALL:
        return _IP_CUE.search(ahead + text[match.end() : match.end() + 24]) is not None
    return int(first) > 0


def _is_ipv6(candidate: str) -> bool:
    if len(candidate) <= _SHORT_IPV6 or not any(character.isdigit() for character in candidate):
        return False
    groups = candidate.count(":") + ("." in candidate)
    if "::" not in candidate and groups != _GROUPS_OF_IPV6:
        return False
    try:
        ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return True


def find_phones(searched: Text) -> Iterator[Found]:
    """Telephone numbers of a text: with a country's code, in a shape that only they have, or beside a word that says so."""
    text = searched.raw
    checked = 0
    taken = searched.taken
    announces: bool | None = None
    for match in _PHONE[searched.plain].finditer(text):
        start, end = match.span()
        if taken[start] or taken[end - 1]:
            continue
        number = match.group()
        if number[0] == "(" and ")" not in number:
            start, number = start + 1, number[1:]
        if number.startswith(("+", "00")):
            checked += 1
            if checked <= _CHECKED and not _is_international(number):
                continue
        else:
            announces = _announces(searched) if announces is None else announces
            if not _is_national(text, match, announces=announces):
                continue
        if _could_be_phone(text, match):
            yield Found(start, end, "phone")


def _could_be_phone(text: str, match: re.Match[str]) -> bool:
    if _DATE.fullmatch(match.group()):
        return False
    ahead = before(text, match.start())
    lowered = ahead.lower()
    may_be_other = "nummer" in lowered or "nr" in lowered or not _NOT_PHONE_WORDS.isdisjoint(apart(lowered))
    return not (may_be_other and _NOT_PHONE_CUE.search(ahead))


def _is_international(candidate: str) -> bool:
    """Whether a number begins with a country's code and is as long as that country's numbers are."""
    digits = "".join(filter(str.isdigit, _EXTENSION.sub("", candidate)))
    if not candidate.startswith("+"):
        digits = digits[2:]
    for size in (1, 2, 3):
        lengths = _lengths_of(digits[:size])
        if lengths:
            national = digits[size:]
            # With the trunk zero that some write although it is not dialled: +49 (0)30 …
            return len(national) in lengths or (national.startswith("0") and len(national) - 1 in lengths)
    return False


@lru_cache(maxsize=1200)
def _lengths_of(code: str) -> frozenset[int]:
    """How many digits follow a country's code (ITU-T E.164); nothing for what is no code."""
    import phonenumbers  # noqa: PLC0415 - large tables, only when a candidate is there

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0))
    if not regions:
        return frozenset()
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    known = metadata.general_desc if metadata else None
    return frozenset(known.possible_length) if known else frozenset()


def _announces(searched: Text) -> bool:
    """Whether a telephone number may be announced anywhere in the text."""
    if not _ANNOUNCING.isdisjoint(searched.words) or any(map(searched.lowered.__contains__, _ANNOUNCING_PARTS)):
        return True
    return not searched.plain and any(map(searched.lowered.__contains__, _ANNOUNCING_PARTS_NOT_ASCII))


def _is_national(text: str, match: re.Match[str], *, announces: bool) -> bool:
    number = match.group()
    if not number[-1].isdigit() or "x" in number or "X" in number:
        number = _EXTENSION.sub("", number)
    has_shape = _AMERICAN.fullmatch(number) or _NATIONAL.fullmatch(number)
    if not (has_shape or (announces and _is_announced(text, match, number))):
        return False
    return not inside_account(text, match.start()) and not _COUNTED.match(text, match.end())


def _is_announced(text: str, match: re.Match[str], number: str) -> bool:
    size = sum(map(str.isdigit, number))
    if not _SHORTEST <= size <= _LONGEST or _MILLISECONDS.fullmatch(number):
        return False
    ahead = _SENTENCE.split(before(text, match.start()))[-1]
    if size == _SHORTEST:
        return _GROUPED.search(number) is not None and _says_phone(ahead[-16:])
    if _says_phone(ahead) or _PHONE_CUE_BEHIND.match(text, match.end()):
        return True
    return bool(_GROUPED.search(number) and _WEAK_PHONE_CUE.search(ahead))


def _says_phone(ahead: str) -> bool:
    lowered = ahead.lower()
    words = apart(lowered)
    if not _PHONE_WORDS.isdisjoint(words):
        return True
    if not _PHRASE_ENDS.isdisjoint(words) and any(phrase in lowered for phrase in _PHONE_PHRASES):
        return True
    if not lowered.isascii() and any(word in lowered for word in _UNSPACED_PHONE_WORDS):
        return True
    return any(map(lowered.__contains__, _PHONE_STEMS)) and any(word.startswith(_PHONE_STEMS) for word in words)
