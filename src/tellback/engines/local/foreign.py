"""What kind of signal a sentence is in a language that the model does not read: by the words that people use."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import cast

from tellback.sdk.engine import SignalType

_FILE = Path(__file__).parent / "foreign_cues.txt"
#: Scripts that put no space between words, or run them together, so a cue may stand anywhere.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


def foreign_type(sentence: str) -> SignalType | None:
    """The kind that most of the sentence's cues speak for, of equal ones the earlier in the file; None without any."""
    found = Counter(kind for kind, pattern in _cues() for _ in pattern.finditer(sentence.lower()))
    return found.most_common(1)[0][0] if found else None


@cache
def _cues() -> list[tuple[SignalType, re.Pattern[str]]]:
    kinds: dict[str, list[str]] = {}
    kind = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif not line.startswith("#"):
            kinds.setdefault(kind, []).extend(word.replace("_", " ") for word in line.split())
    return [(cast(SignalType, kind), _pattern(words)) for kind, words in kinds.items() if kind]


def _pattern(words: list[str]) -> re.Pattern[str]:
    anywhere = [re.escape(word) for word in words if _UNSPACED.search(word)]
    beginnings = [re.escape(word) for word in words if not _UNSPACED.search(word)]
    return re.compile(rf"(?:\b(?:{'|'.join(beginnings)})|{'|'.join(anywhere) or '(?!)'})")
