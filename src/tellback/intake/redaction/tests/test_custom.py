"""A workspace's own patterns: found like the built-in ones, refused when they could do harm."""

import time

import pytest

from tellback.intake.redaction import Plain, Redactor
from tellback.intake.redaction.custom import MAX_FINDS, CustomPattern, check_pattern, detectors_of
from tellback.kernel.errors import Invalid


def redact(text: str, *expressions: str) -> str:
    patterns = [CustomPattern(f"kind_{n}", expression) for n, expression in enumerate(expressions, 1)]
    for pattern in patterns:
        check_pattern(pattern)
    return Redactor(custom=detectors_of(patterns), plain=Plain()).redact(text)


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        (r"\bCUST-\d{4,8}\b", "I am CUST-4711 and CUST-4711", "I am [kind_1:1] and [kind_1:1]"),
        (r"(?i)kunde\s\d+", "Grüße von KUNDE 12, 🙂 kunde 13!", "Grüße von [kind_1:1], 🙂 [kind_1:2]!"),
        (r"Vertrag ÄÖ\d{3}", "é Vertrag ÄÖ123 é", "é [kind_1:1] é"),
        (r"\p{Greek}{3,20}", "μου λένε Ada", "[kind_1:1] [kind_1:2] Ada"),
    ],
)
def test_they_are_found_where_they_stand(expression: str, text: str, expected: str) -> None:
    assert redact(text, expression) == expected


def test_metadata_is_searched_for_them_too() -> None:
    patterns = [CustomPattern("customer", r"CUST-\d+")]
    redactor = Redactor(custom=detectors_of(patterns), plain=Plain())
    assert redactor.redact_json({"CUST-1": ["CUST-2", 3]}) == {"[customer:1]": ["[customer:2]", 3]}


@pytest.mark.parametrize(
    "expression",
    [
        "(",
        "[a",
        r"(?=a)b",
        r"(a)\1",
        "",
        "a*",
        ".*",
        ".+",
        r"\w+",
        "x" * 501,
        r"(a{1000}){1000}",
        r"[a1 ].*z|[a1 ]",
    ],
)
def test_what_could_do_harm_is_refused_with_a_reason(expression: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_pattern(CustomPattern("mine", expression))
    assert refused.value.errors[0].pointer == "/expression"


@pytest.mark.parametrize("name", ["", "Mine", "1st", "a-b", "a b", "x" * 33])
def test_a_name_must_be_fit_for_a_token(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_pattern(CustomPattern(name, r"CUST-\d+"))
    assert refused.value.errors[0].pointer == "/name"


@pytest.mark.parametrize("expression", [r"(a+)+$", r"(?:x+x+)+y", r"(a|a)*c", r"(\d+\s?)+;"])
def test_patterns_that_run_for_ever_elsewhere_do_not_here(expression: str) -> None:
    detect = detectors_of([CustomPattern("mine", expression)])[0]
    for text in ("a" * 50_000 + "!", "x" * 50_000, "1 " * 25_000):
        started = time.process_time()
        list(detect(text))
        assert time.process_time() - started < 0.1


def test_past_many_finds_the_rest_is_taken_out_whole() -> None:
    detect = detectors_of([CustomPattern("mine", "ab")])[0]
    found = list(detect("ab." * (MAX_FINDS + 50)))
    assert len(found) == MAX_FINDS + 1
    assert found[-1].end == 3 * (MAX_FINDS + 50)
