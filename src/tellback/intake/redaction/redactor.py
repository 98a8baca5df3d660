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


def _is_plain(text: str) -> bool:
    """Whether a short value holds nothing private; a page or a browser comes again and again, so that is remembered."""
    return len(text) <= SHORT and _finds_nothing(text)


@lru_cache(maxsize=4096)
def _finds_nothing(text: str) -> bool:
    return not find_spans(text)


class Redactor:
    """Redacts the texts of one item. The same value gets the same token throughout: `[email:1]`."""

    def __init__(self, *, custom: Sequence[Detector] = ()) -> None:
        self._custom = tuple(custom)
        self._removed: dict[tuple[str, str], Removed] = {}
        self._last = Counter[str]()

    @property
    def removed(self) -> tuple[Removed, ...]:
        """What was taken out of this item so far, each value once, in the order of finding."""
        return tuple(self._removed.values())

    def redact(self, text: str) -> str:
        """The text with each piece of private data replaced by its token. Redacting twice changes nothing more."""
        for _ in range(_PASSES):
            spans = find_spans(text, custom=self._custom)
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

    def redact_json(self, value: Any, *, depth: int = 0) -> Any:
        """A JSON value with every string in it redacted; keys and other values stay. Cut below twelve levels."""
        if isinstance(value, str):
            return value if not self._custom and _is_plain(value) else self.redact(value)
        if isinstance(value, dict | list) and depth >= MAX_DEPTH:
            return None
        if isinstance(value, dict):
            return {key: self.redact_json(inner, depth=depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.redact_json(inner, depth=depth + 1) for inner in value]
        return value
