"""Replacing private data by typed tokens."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tellback.intake.redaction.detect import Found, find_spans

MAX_DEPTH = 12
#: Values of metadata up to this length come again and again (a page, a version, a browser) and are remembered.
SHORT = 200


@lru_cache(maxsize=4096)
def _spans_of_short(text: str) -> tuple[Found, ...]:
    return tuple(find_spans(text))


class Redactor:
    """Redacts the texts of one item. The same value gets the same token throughout: `[email:1]`."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def redact(self, text: str) -> str:
        """The text with each piece of private data replaced by its token. Redacting twice changes nothing more."""
        return self._replace(text, find_spans(text))

    def _replace(self, text: str, spans: Sequence[Found]) -> str:
        if not spans:
            return text
        parts, last = [], 0
        for span in spans:
            parts += [text[last : span.start], self._token(span.type, text[span.start : span.end])]
            last = span.end
        return "".join([*parts, text[last:]])

    def _token(self, kind: str, value: str) -> str:
        key = (kind, value.casefold())
        if key not in self._numbers:
            self._numbers[key] = 1 + sum(1 for known, _ in self._numbers if known == kind)
        return f"[{kind}:{self._numbers[key]}]"

    def redact_json(self, value: Any, *, depth: int = 0) -> Any:
        """A JSON value with every string in it redacted; keys and other values stay. Cut below twelve levels."""
        if isinstance(value, str):
            return self._replace(value, _spans_of_short(value)) if len(value) <= SHORT else self.redact(value)
        if isinstance(value, dict | list) and depth >= MAX_DEPTH:
            return None
        if isinstance(value, dict):
            return {key: self.redact_json(inner, depth=depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.redact_json(inner, depth=depth + 1) for inner in value]
        return value
