"""Numbers that states give to persons, of the larger countries: by a shape and check digit that nothing else has, or
behind the words that name them.

Sources: the issuing authorities' own descriptions of their numbers and check digits.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tellback.intake.redaction.finding import LETTER, Found, Text, ends_of, in_both

# Patterns are one line a country, however long.
# ruff: noqa: E501

_KIND = "national_id"
_DAY, _MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Paper:
    """One country's number: its shape, its check digit, and the words (apart by semicolons) that it must follow."""

    shape: str
    check: Check
    cues: str = ""
    looks: str = ""

    @property
    def outlines(self) -> list[str]:
        """What it looks like with every digit a zero and every letter an A."""
        return self.looks.split()

    @property
    def words(self) -> list[str]:
        """The cues, in lower case."""
        return self.cues.split(";")


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdigit()]


def _weighted(weights: str) -> Callable[[list[int]], int]:
    """The sum of digits times these weights (one character each, base 36)."""
    factors = [int(character, 36) for character in weights]
    return lambda digits: sum(digit * factor for digit, factor in zip(digits, factors, strict=False))


def _luhn(text: str) -> bool:
    digits = _digits(text)
    return (sum(digits[-1::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])) % 10 == 0


def _anything(_text: str) -> bool:
    return True


def _swedish(text: str) -> bool:
    return _luhn("".join(map(str, _digits(text)[-10:])))


def _german_tax(text: str) -> bool:
    """ISO 7064, MOD 11,10; the first is never a zero."""
    digits, product = _digits(text), 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return digits[0] > 0 and (11 - product) % 10 == digits[10]


def _french(text: str) -> bool:
    compact = re.sub(r"[ .-]", "", text).upper().replace("2A", "19", 1).replace("2B", "18", 1)
    return compact.isdigit() and 97 - int(compact[:13]) % 97 == int(compact[13:15])


def _spanish(text: str) -> bool:
    compact = re.sub(r"[ .-]", "", text).upper()
    number = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == compact[-1]


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
                strict=True))  # fmt: skip


def _italian(text: str) -> bool:
    code = text.upper()
    total = sum(
        _ODD[character] if place % 2 == 0 else int(character) if character.isdigit() else ord(character) - 65
        for place, character in enumerate(code[:15])
    )
    return chr(65 + total % 26) == code[15]


def _belgian(text: str) -> bool:
    number, check = divmod(int("".join(map(str, _digits(text)))), 100)
    return check in {97 - number % 97, 97 - (2_000_000_000 + number) % 97}


def _finnish(text: str) -> bool:
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(text[:6] + text[7:10]) % 31] == text[10].upper()


def _swiss(text: str) -> bool:
    digits = _digits(text)
    return -_weighted("131313131313")(digits[:12]) % 10 == digits[12]


def _dutch(text: str) -> bool:
    digits = _digits(text)
    return (_weighted("98765432")(digits) - digits[8]) % 11 == 0


def _polish(text: str) -> bool:
    digits = _digits(text)
    return _weighted("13791379131")(digits) % 10 == 0


def _czech(text: str) -> bool:
    return int("".join(map(str, _digits(text)))) % 11 == 0


def _norwegian(text: str) -> bool:
    digits = _digits(text)
    return _weighted("3761894521")(digits) % 11 == 0 and _weighted("54327654321")(digits) % 11 == 0


def _turkish(text: str) -> bool:
    digits = _digits(text)
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] > 0 and tenth == digits[9] and sum(digits[:10]) % 10 == digits[10]


def _brazilian(text: str) -> bool:
    digits = _digits(text)
    first = _weighted("a98765432")(digits) * 10 % 11 % 10
    second = _weighted("ba98765432")(digits) * 10 % 11 % 10
    return digits[9:] == [first, second] and len(set(digits)) > 1


def _chilean(text: str) -> bool:
    body, check = re.sub(r"[.-]", "", text[:-1]), text[-1].upper()
    total = sum(int(character) * (2 + place % 6) for place, character in enumerate(reversed(body)))
    return "0K987654321"[total % 11] == check


def _argentine(text: str) -> bool:
    digits = _digits(text)
    return -_weighted("5432765432")(digits[:10]) % 11 == digits[10]


def _chinese(text: str) -> bool:
    total = _weighted("79a584216379a5842")(_digits(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


def _korean(text: str) -> bool:
    digits = _digits(text)
    return (11 - _weighted("234567892345")(digits) % 11) % 10 == digits[12] or digits[0:2] >= [2, 0]


def _taiwanese(text: str) -> bool:
    tens, ones = divmod("ABCDEFGHJKLMNPQRSTUVXYWZIO".index(text[0].upper()) + 10, 10)
    return (tens + 9 * ones + _weighted("876543211")(_digits(text[1:]))) % 10 == 0


def _singaporean(text: str) -> bool:
    first, digits, last = text[0].upper(), _digits(text), text[-1].upper()
    total = _weighted("2765432")(digits) + {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}[first]
    letters = "JZIHGFEDCBA" if first in "ST" else "XWUTRQPNMLK" if first in "FG" else "KLJNPQRTUWX"
    return letters[total % 11 if first != "M" else 10 - total % 11] == last


_VERHOEFF = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")  # fmt: skip


def _indian(text: str) -> bool:
    """Verhoeff's check digit, over the dihedral group of ten."""
    state = 0
    for place, digit in enumerate(reversed(_digits(text))):
        other = int(_VERHOEFF[place % 8][digit])
        if state < 5:
            state = (state + other) % 5 if other < 5 else 5 + (state + other) % 5
        else:
            state = 5 + (state - other) % 5 if other < 5 else (state - other) % 5
    return state == 0


def _romanian(text: str) -> bool:
    digits = _digits(text)
    return _weighted("279146358279")(digits) % 11 % 10 == digits[12]


def _british_health(text: str) -> bool:
    digits = _digits(text)
    return -_weighted("a98765432")(digits[:9]) % 11 == digits[9]


#: Unmistakable by shape and check, wherever they stand.
_SURE = (
    _Paper(rf"[12]\d\d(?:{_MONTH}|[2-9]\d)(?:\d\d|2[AB])\d{{8}}", _french, looks="000000000000000 000000A00000000"),
    _Paper(r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _italian, looks="AAAAAA00A00A000A"),
    _Paper(rf"\d\d\.{_MONTH}\.{_DAY}-\d{{3}}\.\d\d", _belgian, looks="00.00.00-000.00"),
    _Paper(rf"{_DAY}{_MONTH}\d\d[-+A]\d{{3}}[0-9A-FHJ-NPR-Y]", _finnish, looks="000000-0000 000000-000A 000000+0000 000000+000A 000000A0000 000000A000A"),
    _Paper(r"756\.\d{4}\.\d{4}\.\d\d|756\d{10}", _swiss, looks="000.0000.0000.00 0000000000000"),
    _Paper(r"\d\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])/\d{4}", _czech, looks="000000/0000"),
    _Paper(r"\d{3}\.\d{3}\.\d{3}-\d\d", _brazilian, looks="000.000.000-00"),
    _Paper(r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", _chilean, looks="0.000.000-0 00.000.000-0 0.000.000-A 00.000.000-A"),
    _Paper(r"(?:20|23|24|27)-\d{8}-\d", _argentine, looks="00-00000000-0"),
    _Paper(rf"[1-9]\d{{5}}(?:19|20)\d\d{_MONTH}{_DAY}\d{{3}}[\dXx]", _chinese, looks="000000000000000000 00000000000000000A"),
    _Paper(rf"\d\d{_MONTH}{_DAY}-[1-4]\d{{6}}", _korean, looks="000000-0000000"),
    _Paper(r"[A-Z][12]\d{8}", _taiwanese, looks="A000000000"),
    _Paper(r"[STFGM]\d{7}[A-Z]", _singaporean, looks="A0000000A"),
    _Paper(rf"[A-Z][AEIOUX][A-Z]{{2}}\d\d{_MONTH}{_DAY}[HMX][A-Z]{{5}}[A-Z\d]\d", _anything, looks="AAAA000000AAAAAA00 AAAA000000AAAAAAA0"),
    _Paper(rf"(?:19|20)\d\d{_MONTH}{_DAY}-\d{{4}}", _swedish, looks="00000000-0000"),
    _Paper(r"[XYZ]-?\d{7}-?[A-Z]", _spanish, looks="A0000000A A-0000000A A0000000-A A-0000000-A"),
)  # fmt: skip

#: Like other numbers, so taken only behind their name.
_NAMED = (
    _Paper(r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", _anything, "national insurance;nino;ni number"),
    _Paper(r"\d{3} ?\d{3} ?\d{4}", _british_health, "nhs"),
    _Paper(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", _german_tax, "steuer-id;steuerid;steuernummer;steueridentifikationsnummer;idnr;tax id;tax number"),
    _Paper(r"\d\d ?\d{6} ?[A-Z] ?\d{3}", _anything, "sozialversicherungsnummer;rentenversicherungsnummer;svnr;rvnr"),
    _Paper(r"\d{4} ?\d{6}", _anything, "sozialversicherungsnummer;svnr;sv-nummer"),
    _Paper(r"[CFGHJKLMNPRTVWXYZ\d]{9,10}", _anything, "personalausweis;personalausweisnummer;ausweisnummer;identity card;id card;carte d'identité;carta d'identità"),
    _Paper(r"\d{8}-?[A-Z]", _spanish, "dni;nif;nie;documento"),
    _Paper(r"\d{3} ?\d{3} ?\d{3}", _anything, "nif;contribuinte"),
    _Paper(r"\d{4}\.?\d{2}\.?\d{3}|\d{9}", _dutch, "bsn;burgerservicenummer;sofinummer"),
    _Paper(r"\d{11}", _belgian, "rijksregisternummer;registre national;insz;niss"),
    _Paper(r"\d{11}", _polish, "pesel"),
    _Paper(r"\d{6}[-+]?\d{4}", _swedish, "personnummer;samordningsnummer"),
    _Paper(rf"{_DAY}{_MONTH}\d\d-?\d{{4}}", _anything, "cpr;cpr-nummer;personnummer"),
    _Paper(r"\d{6} ?\d{5}", _norwegian, "fødselsnummer;fodselsnummer;personnummer"),
    _Paper(r"\d{13}", _romanian, "cnp;cod numeric personal"),
    _Paper(r"\d{11}", _turkish, "tc;tckn;tc kimlik;t.c. kimlik"),
    _Paper(r"\d{11}", _brazilian, "cpf"),
    _Paper(r"\d{7,8}-?[\dK]|\d{1,2}(?:\.\d{3}){2}-?[\dK]", _chilean, "rut;run"),
    _Paper(r"\d{2}-?\d{8}-?\d", _argentine, "cuit;cuil"),
    _Paper(r"[A-ZÑ&]{4} ?\d{6} ?[A-Z\d]{3}", _anything, "rfc"),
    _Paper(r"\d{3}-?\d{7}-?\d", _anything, "cédula;cedula"),
    _Paper(r"\d{6}/?\d{3,4}", _anything, "rodné číslo;rodne cislo;rč"),
    _Paper(r"\d{7}[A-W][ABHW]?", _anything, "pps;ppsn"),
    _Paper(r"\d{11}", _anything, "oib;asmens kodas;isikukood"),
    _Paper(r"\d{13}", _anything, "emšo;emso;jmbg"),
    _Paper(r"\d{6}-?\d{4,5}", _anything, "kennitala;personas kods"),
    _Paper(r"\d{10}(?:\d\d)?|\d{3}-\d{3}-\d{3}[ -]\d\d", _anything, "рнокпп;іпн;инн;снилс"),
    _Paper(r"\d-?\d{4}-?\d{5}-?\d\d-?\d", _anything, "thai id;เลขประจำตัวประชาชน"),
    _Paper(r"\d{6}-?\d\d-?\d{4}", _anything, "nric;mykad;ic"),
    _Paper(r"\d{5}-?\d{7}-?\d", _anything, "cnic"),
    _Paper(r"\d{16}", _anything, "nik;ktp"),
    _Paper(r"\d{12}|\d{9}", _anything, "cccd;cmnd"),
    _Paper(r"\d{6}-?[1-8]\d{6}", _anything, "주민등록번호;주민번호"),
    _Paper(r"\d{4}[ -]?\d{4}[ -]?\d{4}", _indian, "aadhaar;aadhar;uidai"),
    _Paper(r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", _anything, "pan;permanent account"),
    _Paper(r"(?!00)\d{4}[ -]?\d{4}[ -]?\d{4}", _anything, "my number;マイナンバー;個人番号"),
    _Paper(r"[A-Z]{1,2}\d{6}(?:\([\dA]\)|[\dA])", _anything, "hkid;hong kong id;hong kong identity"),
    _Paper(r"\d{3} ?\d{3} ?\d{2,3}", _anything, "tfn;tax file"),
    _Paper(r"\d{4} ?\d{5} ?\d(?:[ /-]?\d)?", _anything, "medicare"),
    _Paper(r"\d{3}[ -]?\d{3}[ -]?\d{3}", _luhn, "social insurance;sin"),
    _Paper(r"\d{6} ?\d{4} ?\d\d ?\d", _luhn, "sa id;id number;identity number"),
    _Paper(r"\d{8}-?\d", _luhn, "teudat zehut;id number;תעודת זהות"),
    _Paper(r"\d{8,10}|\d{1,2}(?:\.\d{3}){2,3}", _anything, "cédula;cedula;dni;documento"),
    _Paper(r"\d{10,11}", _anything, "αμκα;amka;егн;egn;снилс;afm"),
)  # fmt: skip

_GAP = r"\.?(?:[ \t]{1,3}(?:card|no|nr|number|num|nummer|numero|número|numéro|id|is|was|ist|lautet|es|est|er|é|è|je|är|on|du|the|meine?|my)\.?(?!\w)){0,4}[ \t]{0,3}[:#=]?[ \t]{0,3}"
#: A word with a digit among its first letters, as long as one of these numbers; then the few that are written in groups.
_TOKEN = in_both(rf"[A-Z\d](?<!{LETTER}.)(?<![.+/-].)(?=[A-Z]{{0,5}}\d)[A-Za-z\d./+-]{{8,20}}(?![A-Za-z\d])")
_FRENCH_GROUPS = re.compile(rf"[12](?<![\w.+/-].) \d\d (?:{_MONTH}|[2-9]\d) (?:\d\d|2[AB]) \d{{3}} \d{{3}} \d\d(?!\w)")
#: The fewest that are digits; the department may have a letter. One digit stands alone, and so does the British letter.
_FRENCH_DIGITS = 14
_BRITISH_DIGITS = 6
_BRITISH_GROUPS = re.compile(r"[A-CEGHJ-PR-TW-Z](?<![\w.+/-].)[A-CEGHJ-NPR-TW-Z](?: \d\d){3} [A-D](?!\w)")
#: Digits as zeroes, letters as A: what a token must look like for each shape to be tried.
_OUTLINE = bytes.maketrans(b"123456789abcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ", b"0" * 9 + b"A" * 51)
_SHAPES: dict[bytes, list[tuple[re.Pattern[str], Check]]] = {}
for _paper in _SURE:
    for _outline in _paper.outlines:
        _SHAPES.setdefault(_outline.encode(), []).append((re.compile(_paper.shape), _paper.check))
_NAMES = {
    word: tuple(n for n, other in enumerate(_NAMED) if word in other.words) for paper in _NAMED for word in paper.words
}
#: The names by their first word.
_BEGINNINGS: dict[str, list[str]] = {}
for _name in _NAMES:
    _BEGINNINGS.setdefault(_name.replace("-", " ").replace("'", " ").replace(".", " ").split()[0], []).append(_name)
_FIRST_WORDS = frozenset(_BEGINNINGS)
_BEHIND_NAME = re.compile(_GAP)
_VALUES = tuple(re.compile(rf"(?P<value>{paper.shape})(?![A-Za-z\d]|[.-]\d)", re.IGNORECASE) for paper in _NAMED)


def find_identities(searched: Text) -> Iterator[Found]:
    """Numbers of identity, insurance and tax that name one person."""
    text = searched.raw
    taken = searched.taken
    for match in _TOKEN[searched.plain].finditer(text):
        if taken[match.start()]:
            continue
        token = match.group().rstrip(".-/+")
        for shape, check in _SHAPES.get(token.encode().translate(_OUTLINE), ()):
            if shape.fullmatch(token) and check(token):
                yield Found(match.start(), match.start() + len(token), _KIND)
                break
    if searched.digits >= _FRENCH_DIGITS and not searched.words.isdisjoint("12"):
        for match in _FRENCH_GROUPS.finditer(text):
            if _french(match.group()):
                yield Found(match.start(), match.end(), _KIND)
    if searched.row >= _BRITISH_DIGITS and not searched.words.isdisjoint("abcd"):
        for match in _BRITISH_GROUPS.finditer(text):
            yield Found(match.start(), match.end(), _KIND)
    yield from _behind_names(searched)


def _behind_names(searched: Text) -> Iterator[Found]:
    lowered = searched.lowered
    for word in searched.words & _FIRST_WORDS:
        for name in _BEGINNINGS[word]:
            for end in ends_of(name, lowered):
                gap = _BEHIND_NAME.match(lowered, end)
                found = _value_at(searched.raw, gap.end() if gap else end, _NAMES[name])
                if found:
                    yield found


def _value_at(text: str, place: int, papers: tuple[int, ...]) -> Found | None:
    for n in papers:
        match = _VALUES[n].match(text, place)
        if match and any(character.isdigit() for character in match["value"]) and _NAMED[n].check(match["value"]):
            return Found(match.start("value"), match.end("value"), _KIND)
    return None
