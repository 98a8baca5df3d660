"""INP-05: whatever a stranger writes, no built-in pattern takes longer than 100 ms for 50 KB of it."""

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tellback.intake import redaction
from tellback.intake.redaction import find_spans
from tellback.intake.redaction.detect import _DETECTORS
from tellback.intake.redaction.finding import Found, Text

SIZE = 50_000
LIMIT = 0.1
# ruff: noqa: E501
#: Beginnings of what the patterns look for, over and over, never finished.
UNITS = [
    "1", "1 ", "1-", "1.", "12.", "1:", "::", "a:", "a.", "a@", "a@b.", "@", "+1", "(1", "00", "A1", "GB82 ", "AB12", "eyJ", "eyJa.eyJ", "a-", "_",
    "A ", "Aa ", "Aa-", "A.", "Hi A", "my name is A ", "Best,\nA ", "dear A ", "Mr A", "12 A ", "12 Aa Bb ", "Via A ", "12 rue de la ", "Weg 1", "%40", "&#64;",
    "\n", " ", "=a&", "?a=", "://a:", "password ", "password: ", "token is ", "secret", "Bearer 1", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "sk-", "xox", "AKIA1",
    "born 1 ", "passport ", "passport 1 ", "dl no ", "ssn ", "phone ", "call 1", "a (at) b ", "a at b dot ", "a [at] b [dot] ", '"a', "\u200b1", "9.9.9.9 ", "0x1", "bc1q",
]  # fmt: skip


def built_in_patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module_name in (name for _, name, is_package in pkgutil.iter_modules(redaction.__path__) if not is_package):
        module = importlib.import_module(f"{redaction.__name__}.{module_name}")
        for name, value in vars(module).items():
            for number, pattern in enumerate(patterns_in(value)):
                yield f"{module_name}.{name}.{number}", pattern


def patterns_in(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from patterns_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from patterns_in(inner)


PATTERNS = list({pattern: (name, pattern) for name, pattern in built_in_patterns()}.values())


def seconds(pattern: re.Pattern[str], text: str) -> float:
    started = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - started


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=[name for name, _ in PATTERNS])
def test_no_built_in_pattern_is_slow_on_hostile_text(name: str, pattern: re.Pattern[str]) -> None:
    for unit in UNITS:
        text = (unit * (SIZE // len(unit) + 1))[:SIZE]
        # The second look is for a machine that was busy with something else.
        assert seconds(pattern, text) <= LIMIT or seconds(pattern, text) <= LIMIT, (name, unit)


def test_the_clock_sees_a_pattern_that_backtracks() -> None:
    assert seconds(re.compile(r"(?:a+)+b"), "a" * 25) > LIMIT


#: What is found, over and over: then the checks behind the patterns have work, too.
FOUND = [
    "a@b.co ", "+49 30 901820 ", "4111 1111 1111 1111 ", "GB82 WEST 1234 5698 7654 32 ", "192.168.0.1 ", "2001:db8::1 ", "2001:db8:",
    "12 Main Street, ", "Main Street 12, 10115 Berlin ", "I am Ada Long. ", "Regards,\nAda Long\n", "AKIAIOSFODNN7EXAMPLE ",
    "password: hunter2 ", "https://a:b@c.de/", "0x52908400098527886E0F7030069857D2E4169EE7 ", "078-05-1120 ", "DOB 01/02/1990 ",
    "passport no. X1234567 ", "\u200b1\u200b2", "４１１１", "+1 (555) 010-", "ghp_", "-----BEGIN RSA PRIVATE KEY-----\n", "İ", "a\u0301",
]  # fmt: skip


def slow_ones(detectors: Sequence[Callable[[Text], Iterator[Found]]], unit: str) -> list[str]:
    """The detectors that take longer for a text of this unit over and over, looked at a second time to be sure."""
    text = Text((unit * (SIZE // len(unit) + 1))[:SIZE])

    def took(detector: Callable[[Text], Iterator[Found]]) -> float:
        started = time.process_time()
        for _ in detector(text):
            pass
        return time.process_time() - started

    return [one.__name__ for one in detectors if took(one) > LIMIT and took(one) > LIMIT]


@pytest.mark.parametrize("unit", FOUND)
def test_no_detector_is_slow_where_there_is_much_to_find(unit: str) -> None:
    assert slow_ones([detector for detector, *_ in _DETECTORS], unit) == []


def test_the_clock_sees_a_detector_that_looks_back_each_time() -> None:
    """The control of the test above."""

    def looks_back(text: Text) -> Iterator[Found]:
        return (Found(0, end, "x") for end in range(len(text.raw)) if text.raw[:end].count("a") > SIZE)

    assert slow_ones([looks_back], "a@b.co ") == ["looks_back"]


@pytest.mark.parametrize("unit", UNITS)
def test_all_of_them_together_take_time_in_proportion(unit: str) -> None:
    find_spans(unit * 100)
    started = time.process_time()
    find_spans((unit * SIZE)[:SIZE])
    assert time.process_time() - started < 2.0
