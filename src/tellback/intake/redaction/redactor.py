"""Replacing private data by typed tokens."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tellback.intake.redaction.detect import find_spans
from tellback.intake.redaction.finding import Detector

MAX_DEPTH = 12
SHORT = 200
#: What one pass uncovers (a number that stood too near another) the next takes; more than a few are never needed.
_PASSES = 6
_SPACED = str.maketrans("_-", "  ")
#: Words in a key that say what its value is, as the words in front of a value in a text do.
_TELLING = frozenset(
    [
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "passcode",
        "secret",
        "token",
        "credential",
        "credentials",
        "key",
        "ssn",
        "itin",
        "social",
        "passport",
        "licence",
        "license",
        "dob",
        "birth",
        "birthday",
        "birthdate",
        "phone",
        "telephone",
        "tel",
        "mobile",
        "cell",
        "fax",
        "whatsapp",
        "card",
        "iban",
    ]
)
#: A value under one of these is a secret whatever it looks like.
_SECRET = frozenset(["password", "passwd", "pwd", "passphrase", "passcode", "secret"])
_MAY_TELL = re.compile(
    "pass|pwd|secret|token|cred|key|ssn|itin|social|licen|dob|birth|phone|tel|mob|cell|fax|what|card|iban", re.I
)
_SCALARS = (str, int)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.-]+")
#: No card, account or phone number with its country has fewer digits; most numbers do.
_LONG_NUMBER = 10**11
_TOKEN = re.compile(r"\[([a-z][a-z0-9_]{0,31}):(\d{1,6})\]")


@dataclass(frozen=True, slots=True)
class Removed:
    """What one token stands for. The original never shows in a representation, so that no log can hold it."""

    type: str
    number: int
    original: str = field(repr=False)

    @property
    def token(self) -> str:
        return f"[{self.type}:{self.number}]"


class Plain:
    """Remembers which short values hold nothing private: a page or a browser comes again and again.

    Only their hashes are kept (SipHash under this process's random key, PEP 456), at most twice `size` of them, so that
    no value stays in memory. What is remembered is true of one set of custom detectors.
    """

    def __init__(self, *, size: int = 4096) -> None:
        self._size = size
        self._young: set[int] = set()
        self._old: set[int] = set()

    def knows(self, text: str, *, custom: Sequence[Detector]) -> bool:
        """Whether nothing private is in this value; looked for once, then remembered for a while."""
        mark = hash(text)
        if mark in self._young:
            return True
        if mark not in self._old and find_spans(text, custom=custom):
            return False
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        self._young.add(mark)
        return True


_PLAIN = Plain()


class Redactor:
    """Redacts the texts of one item. The same value gets the same token throughout: `[email:1]`."""

    def __init__(self, *, custom: Sequence[Detector] = (), plain: Plain | None = None) -> None:
        """With `custom` detectors, `plain` must be theirs; without, values are searched afresh each time."""
        self._custom = tuple(custom)
        self._plain = plain or (Plain() if custom else _PLAIN)
        self._removed: dict[tuple[str, str], Removed] = {}
        self._last = Counter[str]()

    @property
    def removed(self) -> tuple[Removed, ...]:
        """What was taken out of this item so far, each value once, in the order of finding."""
        return tuple(self._removed.values())

    def redact(self, text: str) -> str:
        """The text with each piece of private data replaced by its token. Redacting twice changes nothing more."""
        return self._redact(text, keeping="")

    def redact_name(self, name: str) -> str:
        """What somebody calls themselves: the name stays, an address, a number or a secret in it does not."""
        return self._redact(name, keeping="name")

    def _redact(self, text: str, *, keeping: str) -> str:
        for _ in range(_PASSES):
            spans = [span for span in find_spans(text, custom=self._custom) if span.type != keeping]
            if not spans:
                break
            self._reserve(text)
            parts, last = [], 0
            for span in spans:
                parts += [text[last : span.start], self._token(span.type, text[span.start : span.end])]
                last = span.end
            text = "".join([*parts, text[last:]])
        return text

    def _reserve(self, text: str) -> None:
        """Tokens that stand in the text already keep their numbers to themselves."""
        for kind, number in _TOKEN.findall(text):
            self._last[kind] = max(self._last[kind], int(number))

    def _token(self, kind: str, value: str) -> str:
        key = (kind, value.casefold())
        if key not in self._removed:
            self._last[kind] += 1
            self._removed[key] = Removed(kind, self._last[kind], value)
        return self._removed[key].token

    def redact_short(self, text: str) -> str:
        """A value that may well come again (a key, an address, the name of a browser), redacted."""
        if len(text) <= SHORT and self._plain.knows(text, custom=self._custom):
            return text
        return self.redact(text)

    def redact_file_name(self, name: str) -> str:
        """A file's name, in which underscores and hyphens stand for spaces, redacted; its ending stays."""
        once = self.redact(name)
        spaced = once.translate(_SPACED)
        parts, last = [], 0
        for span in find_spans(spaced, custom=self._custom):
            if _TOKEN.search(once, span.start, span.end) is None:
                parts += [once[last : span.start], self._token(span.type, once[span.start : span.end])]
                last = span.end
        return "".join([*parts, once[last:]])

    def redact_json(self, value: Any, *, depth: int = 0) -> Any:
        """A JSON value with every string and long number in it redacted, keys too. Cut below twelve levels.

        What a key calls a file is redacted as a file's name; a key that says what its value is, is believed.
        """
        if isinstance(value, str):
            return self.redact_short(value)
        if isinstance(value, dict):
            if depth >= MAX_DEPTH:
                return None
            return {self.redact_short(key): self._inner(key, inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.redact_json(inner, depth=depth + 1) for inner in value] if depth < MAX_DEPTH else None
        if isinstance(value, int) and abs(value) >= _LONG_NUMBER:
            return self._number(value, self.redact_short(str(value)))
        return value

    def _inner(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, _SCALARS) and not isinstance(value, bool):
            if isinstance(value, str) and "file" in key.lower():
                return self.redact_file_name(value)
            words = _words_that_tell(key[-SHORT:])
            if words:
                return self._told(words, value)
        return self.redact_json(value, depth=depth)

    def _told(self, words: Sequence[str], value: str | int) -> Any:
        text = str(value)
        if isinstance(value, str) and text and words[-1] in _SECRET:
            return text if _TOKEN.fullmatch(text) else self._token("credential", text)
        said = " ".join(words) + ": "
        parts, last = [], 0
        for span in find_spans(said + text, custom=self._custom):
            if (start := span.start - len(said)) >= 0:
                parts += [text[last:start], self._token(span.type, text[start : (last := span.end - len(said))])]
        redacted = self.redact("".join([*parts, text[last:]]))
        return redacted if isinstance(value, str) else self._number(value, redacted)

    @staticmethod
    def _number(value: int, redacted: str) -> int | str:
        return value if redacted == str(value) else redacted


@lru_cache(maxsize=1_000)
def _words_that_tell(key: str) -> tuple[str, ...]:
    """The words of a key that says what its value is; nothing for any other. The same keys come again and again."""
    if not _MAY_TELL.search(key):
        return ()
    words = _CAMEL.sub(" ", key).lower().split()
    return () if _TELLING.isdisjoint(words) else tuple(words)
