"""What a find is, and the little that all detectors share."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Found(NamedTuple):
    """Private data at `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    type: str


#: Inside a class of a pattern: letters of scripts that put no space between a word and a number or an address.
UNSPACED = r"\u0e00-\u0e7f\u2e80-\uffef"
#: A letter or digit that a value would have a space before or behind: `\w` without those scripts.
LETTER = rf"[^\W{UNSPACED}]"


#: A workspace's own detector: sees the text as it is.
Detector = Callable[[str], Iterator[Found]]


def in_both(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A pattern for texts of any script, and the same for plain ASCII, which it searches in four fifths of the time.

    `Text.plain` chooses.
    """
    return re.compile(pattern), re.compile(pattern, re.ASCII)


#: What a key, a wallet or another made value has at the least.
LONG = 16


class Text:
    """A text to search, with what several detectors want to know of it worked out once.

    `plain` is whether it is all ASCII; `lowered` has each character in its place; `words` are all runs of letters and
    digits in lower case. `digits` is how many digits there are, `row` how many at the most follow one another with
    nothing but what numbers are written in groups with between them (or more). `taken` marks the places that something
    was found at already.
    """

    __slots__ = ("_long", "digits", "lowered", "plain", "raw", "row", "taken", "words")

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.lowered = lower(raw)
        self.plain = raw.isascii()
        self.digits, self.row = _count_digits(raw)
        self.words = frozenset(apart(self.lowered))
        self.taken = bytearray(len(raw))
        self._long: list[str] | None = None

    @property
    def long(self) -> list[str]:
        """Its runs without a space of sixteen characters and more."""
        if self._long is None:
            self._long = [run for run in self.raw.split() if len(run) >= LONG]
        return self._long


def _count_digits(text: str) -> tuple[int, int]:
    if text.isascii():
        rows = text.encode().translate(_ONLY_DIGITS, b" \t\n-./()+,").split()
        return len(b"".join(rows)), len(max(rows, key=len)) if rows else 0
    digits = sum(map(str.isdigit, text))
    return digits, digits


_ONLY_DIGITS = bytes(code if chr(code).isdecimal() and code < 128 else ord(" ") for code in range(256))


def apart(text: str) -> list[str]:
    """Its runs of letters and digits."""
    if text.isascii():
        return text.encode().translate(_ASCII_APART).decode().split()
    return text.translate(_APART).split()


_APART = {
    code: " " for code in (*range(128), 0xBF, 0xA1, 0xAB, 0xBB, 0x2019, 0x201C, 0x201D) if not chr(code).isalnum()
}
#: The same for plain ASCII, which is translated as bytes in half the time.
_ASCII_APART = bytes(code if chr(code).isalnum() else ord(" ") for code in range(256))


def before(text: str, place: int, size: int = 40) -> str:
    """The `size` characters in front of a place."""
    return text[max(place - size, 0) : place]


def lower(text: str) -> str:
    """The text in lower case, each character in its place."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def ends_of(word: str, lowered: str) -> Iterator[int]:
    """Where a word or phrase ends in a text in lower case, wherever it stands on its own."""
    place = lowered.find(word)
    while place >= 0:
        end = place + len(word)
        if not (place and lowered[place - 1].isalnum()) and not lowered[end : end + 1].isalpha():
            yield end
        place = lowered.find(word, end)


_ACCOUNT_BEGUN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}[ -](?:[A-Za-z0-9]{4}[ -]){0,7}\Z")


def inside_account(text: str, place: int) -> bool:
    """Whether a place is amid what looks like a bank account, right or not: its groups are no number of their own."""
    return _ACCOUNT_BEGUN.search(before(text, place)) is not None
