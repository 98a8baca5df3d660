"""A workspace's own patterns: regular expressions in RE2's syntax, which cannot be made to run for ever.

RE2 has no look-around and no back-references, so one search takes time in proportion to the text. Only many finds, each
looking far ahead, could still take long; such a pattern is refused when it is tried, and cut off when it runs.
Source: https://github.com/google/re2/wiki/Syntax
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from tellback.intake.redaction.finding import Detector, Found
from tellback.kernel.errors import FieldError, Invalid

MAX_LENGTH = 500
MAX_PATTERNS = 50
MAX_MEMORY = 1 << 20
#: Past this many finds in one text, all of it from there on is taken out: too much is the lesser harm.
MAX_FINDS = 1_000
TRIAL_SIZE = 50_000
TRIAL_SECONDS = 0.1
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ORDINARY = "The quick brown fox jumps over the lazy dog and asks when this will be mended. "


@dataclass(frozen=True, slots=True)
class CustomPattern:
    """What a workspace calls a kind of private data, and the expression that finds it."""

    name: str
    expression: str


def check_pattern(pattern: CustomPattern) -> None:
    """Raises `Invalid`, with what is wrong, for a pattern that cannot be used.

    Refused are names that are no token, expressions that RE2 does not take, those that match nothing at all or nearly
    everything, and those that need more than 100 ms for 50 KB of text written against them.
    """
    if not NAME.fullmatch(pattern.name):
        raise _wrong("name", "Use up to 32 small letters, digits and underscores, beginning with a letter.")
    if not pattern.expression or len(pattern.expression) > MAX_LENGTH:
        raise _wrong("expression", f"Write an expression of 1 to {MAX_LENGTH} characters.")
    compiled = _compile(pattern.expression)
    if compiled.search(b""):
        raise _wrong("expression", "This matches the empty text, so it would be found everywhere.")
    taken = sum(found.end - found.start for found in _find(compiled, pattern.name, _ORDINARY))
    if taken > len(_ORDINARY) / 2:
        raise _wrong("expression", "This takes out most of an ordinary sentence. Make it narrower.")
    if _takes_long(compiled, pattern):
        raise _wrong("expression", "This takes too long on long texts. Bound its repetitions, as in \\d{4,12}.")


def _wrong(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"/{field}", detail)])


def _compile(expression: str) -> "re2._Regexp":
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(expression.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise _wrong("expression", f"This is no expression of RE2: {said}.") from None


def _takes_long(compiled: "re2._Regexp", pattern: CustomPattern) -> bool:
    """Tried on each character that the expression names, over and over, and on ordinary text."""
    units = [*dict.fromkeys(character for character in pattern.expression if character.isalnum()), "1", "a", "a1 ", " "]
    for unit in (*units[:40], _ORDINARY):
        text = (unit * (TRIAL_SIZE // len(unit) + 1))[:TRIAL_SIZE]
        started = time.process_time()
        for _ in _find(compiled, pattern.name, text):
            if time.process_time() - started > TRIAL_SECONDS:
                break
        if time.process_time() - started > TRIAL_SECONDS:
            return True
    return False


def detectors_of(patterns: Sequence[CustomPattern]) -> tuple[Detector, ...]:
    """Detectors for checked patterns, in their order. Raises `Invalid` for one that does not compile."""
    return tuple(_detector(_compile(pattern.expression), pattern.name) for pattern in patterns)


def _detector(compiled: "re2._Regexp", name: str) -> Detector:
    def find(text: str) -> Iterator[Found]:
        return _find(compiled, name, text)

    return find


def _find(compiled: "re2._Regexp", name: str, text: str) -> Iterator[Found]:
    """RE2 reads bytes; their places are turned into those of characters as the text is gone through once."""
    encoded = text.encode("utf-8", "replace")
    plain = len(encoded) == len(text)
    at_byte = at_character = 0
    for count, match in enumerate(compiled.finditer(encoded)):
        start_byte, end_byte = match.span()
        if start_byte == end_byte:
            continue
        if plain:
            start, end = start_byte, end_byte
        else:
            start = at_character + len(encoded[at_byte:start_byte].decode("utf-8", "replace"))
            end = start + len(encoded[start_byte:end_byte].decode("utf-8", "replace"))
            at_byte, at_character = end_byte, end
        if count >= MAX_FINDS:
            yield Found(start, len(text), name)
            return
        yield Found(start, end, name)
