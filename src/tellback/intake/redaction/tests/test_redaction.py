"""What is taken out of a text, and what is left."""

import itertools
import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.redaction import Redactor, find_spans

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def random_text(alphabet: str, size: int) -> str:
    return "".join(random.choices(alphabet, k=size))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ada@example.com please", "Write to [email:1] please"),
        ("ada@example.com or bob@example.com or ada@example.com", "[email:1] or [email:2] or [email:1]"),
        ("Card 4111 1111 1111 1111 was charged", "Card [card:1] was charged"),
        ("IBAN de89 3704 0044 0532 0130 00, thanks", "IBAN [iban:1], thanks"),
        ("Call me on +49 30 901820", "Call me on [phone:1]"),
        ("The login from 197.180.75.111 fails", "The login from [ip:1] fails"),
        ("My name is Ada Lovelace and it crashes", "My name is [name:1] and it crashes"),
        ("It crashes.\n\nBest regards,\nAda Lovelace", "It crashes.\n\nBest regards,\n[name:1]"),
        ("my password: hunter2!x", "my password: [credential:1]"),
        ("see https://example.com/?token=abcdef123456&x=1", "see https://example.com/?token=[credential:1]&x=1"),
    ],
)
def test_private_data_becomes_a_typed_token(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Version 10.4.2.1 crashes on start",
        "Card 4111 1111 1111 1112 fails Luhn",
        "Commit 9fceb02d0ae598e95dc970b74767f19372d61af8 broke export",
        "Order number 4920183756 has not arrived",
        "Error 0x80070057 at 12:45:09 on 2024-03-18",
        "My password is wrong",
        "It costs $1,299.00 for 1000000000 rows",
        "Session 550e8400-e29b-41d4-a716-446655440000 expired",
        "IBAN DE89370400440532013001 fails its check",
    ],
)
def test_what_only_looks_private_is_left(text: str) -> None:
    assert Redactor().redact(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + random_text(string.ascii_uppercase + string.digits, 16),
        "ghp_" + random_text(LETTERS, 36),
        "github_pat_" + random_text(LETTERS, 60),
        "glpat-" + random_text(LETTERS, 20),
        "xoxb-" + random_text(string.digits, 11) + "-" + random_text(LETTERS, 24),
        "sk_live_" + random_text(LETTERS, 24),
        "whsec_" + random_text(LETTERS, 32),
        "sk-proj-" + random_text(LETTERS, 48),
        "sk-ant-api03-" + random_text(LETTERS, 80),
        "AIza" + random_text(LETTERS, 35),
        "SG." + random_text(LETTERS, 22) + "." + random_text(LETTERS, 43),
        "npm_" + random_text(LETTERS, 36),
        "pypi-" + random_text(LETTERS, 120),
        "dop_v1_" + random_text(HEX, 64),
        "shpat_" + random_text(HEX, 32),
        "key-" + random_text(HEX, 32),
        random_text(HEX, 32) + "-us12",
        "lin_api_" + random_text(LETTERS, 40),
        "pat-na1-" + "-".join(random_text(HEX, n) for n in (8, 4, 4, 4, 12)),
        "hf_" + random_text(LETTERS, 34),
        "ntn_" + random_text(LETTERS, 46),
        "eyJ" + random_text(LETTERS, 30) + ".eyJ" + random_text(LETTERS, 60) + "." + random_text(LETTERS, 43),
        random_text(string.digits, 9) + ":AA" + random_text(LETTERS, 33),
        "tb_" + random_text(LETTERS, 32),
        "-----BEGIN RSA PRIVATE KEY-----\n" + random_text(LETTERS, 200) + "\n-----END RSA PRIVATE KEY-----",
    ],
    ids=lambda secret: secret[:6],
)
def test_credentials_of_common_vendors_are_taken_out(secret: str) -> None:
    assert Redactor().redact(f"I used {secret} and it failed") == "I used [credential:1] and it failed"


def test_metadata_is_redacted_with_the_same_numbers() -> None:
    redactor = Redactor()
    assert redactor.redact("I am ada@example.com") == "I am [email:1]"
    assert redactor.redact_json({"pageUrl": "/u/ada@example.com", "n": 3, "list": ["bob@example.com"]}) == {
        "pageUrl": "/u/[email:1]",
        "n": 3,
        "list": ["[email:2]"],
    }


@given(st.text(max_size=400))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = Redactor().redact(text)
    assert Redactor().redact(once) == once


@given(
    st.lists(st.sampled_from(["ada@example.com", "4111111111111111", " ", "+4930901820", "\u202e", "x", "::1", "."]))
)
def test_spans_are_ordered_and_inside_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    spans = find_spans(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


@pytest.mark.parametrize("unit", ["1", "1 ", "a.", "a@", "::", "1.", "(", "eyJ", "password ", "A1", "Hi A", "=a&"])
def test_hostile_text_costs_time_in_proportion_to_its_length(unit: str) -> None:
    find_spans(unit * 100)
    started = time.perf_counter()
    find_spans((unit * 50_000)[:50_000])
    assert time.perf_counter() - started < 1.0
