"""What is taken out of a text, and what is left."""

import gc
import itertools
import random
import string
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.redaction import Found, Redactor, find_spans

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
CAPITALS = string.ascii_uppercase + string.digits


def random_text(alphabet: str, size: int) -> str:
    return "".join(random.choices(alphabet, k=size))


def random_uuid() -> str:
    return "-".join(random_text(HEX, size) for size in (8, 4, 4, 4, 12))


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
        ('{"password": "hunter2!x"}', '{"password": "[credential:1]"}'),
        ("password=letmein", "password=[credential:1]"),
        ("aws_secret_access_key = abc/DEF+123456", "aws_secret_access_key = [credential:1]"),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [credential:1]"),
        ("see /reset?email=ada%40example.com&x=1", "see /reset?email=[email:1]&x=1"),
        ("postgres://ada:pa55word@db.internal/x", "postgres://[credential:1]@db.internal/x"),
        ("Tel: 0490 75 40 81", "Tel: [phone:1]"),
        ("They are not answering at 78 651 450", "They are not answering at [phone:1]"),
        ("Fax 345-899-3560x4587", "Fax [phone:1]"),
        ("416 60 039 office", "[phone:1] office"),
        ("My SSN is 123456789", "My SSN is [ssn:1]"),
        ("My driver's license number is F162823540116", "My driver's license number is [licence:1]"),
        ("Passport no. C01X00T47 was refused", "Passport no. [passport:1] was refused"),
        ("I was born on 2/8/1935", "I was born on [birthdate:1]"),
        ("Pay to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "Pay to [wallet:1]"),
        ("The request came from 8.8.8.8 at noon", "The request came from [ip:1] at noon"),
        ("blocked: 2001:db8::c4b", "blocked: [ip:1]"),
        ("ada\u200b@exam\u00adple.com", "[email:1]"),
        ("\uff14111 1111 1111 1111 is my card", "[card:1] is my card"),
        ("\u202e4111\u00a01111\u00a01111\u00a01111", "\u202e[card:1]"),
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
        "Isn't IBAN NL94 GIIR 0650 1519 41 supposed to fail",
        "Isn't IBAN ES77 5828 4332 2246 7732 6802 supposed to fail",
        "Chrome/115.0.0.0 Safari/537.36",
        "nvidia-cudnn-cu11==8.6.0.163",
        "Upgraded from 10.4.2.1 to 10.5.0.2",
        "Microsoft 5.15.90.1-microsoft-standard",
        "Ticket 555-0199-A is still open",
        "Build 2024.11.03.118 is slow",
        "Updated 2024-11-03 12:00:01, epoch 1234567890",
        "My token is invalid and the secret is out",
        "Hi team, Hello everyone, Dear Support,",
        "name: LOGGER_NAME",
        "The phone holds 1048576000 bytes",
        "It ran on 127.0.0.1:8000",
        "std::vector and a::before",
        "https://example.com/items?id=1234567890&page=2",
        "The token product-announcements-newsletter is not found",
        "Basic internationalisation and bearer responsibilities",
        "Run 1/2026 and 2/20261121: fine",
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
        "https://hooks.slack.com/services/T"
        + random_text(LETTERS, 9)
        + "/B"
        + random_text(LETTERS, 9)
        + "/"
        + random_text(LETTERS, 24),
        "SK" + random_text(HEX, 32),
        "sq0atp-" + random_text(LETTERS, 22),
        "M" + random_text(LETTERS, 23) + "." + random_text(LETTERS, 6) + "." + random_text(LETTERS, 27),
        "https://discord.com/api/webhooks/" + random_text("123456789", 18) + "/" + random_text(LETTERS, 68),
        "AccountKey=" + random_text(LETTERS, 86) + "==",
        random_text(LETTERS, 3) + "8Q~" + random_text(LETTERS, 34),
        "ATATT3" + random_text(LETTERS, 180),
        "HRKU-" + "-".join(random_text(HEX, n) for n in (8, 4, 4, 4, 12)),
        "secret_" + random_text(LETTERS, 43),
        "figd_" + random_text(LETTERS, 43),
        "pat" + random_text(LETTERS, 14) + "." + random_text(HEX, 64),
        "hvs." + random_text(LETTERS, 90),
        "dckr_pat_" + random_text(LETTERS, 27),
        "dapi" + random_text(HEX, 32),
        "xkeysib-" + random_text(HEX, 64) + "-" + random_text(LETTERS, 16),
        "sbp_" + random_text(HEX, 40),
        "GOCSPX-" + random_text(LETTERS, 28),
        "PMAK-" + random_text(HEX, 24) + "-" + random_text(HEX, 34),
        "EAA" + random_text(LETTERS, 120),
        "A" * 20 + random_text(LETTERS, 80),
        "sl." + random_text(LETTERS, 140),
        "LTAI" + random_text(LETTERS, 20),
        "AKID" + random_text(LETTERS, 32),
        "sk.eyJ" + random_text(LETTERS, 60) + "." + random_text(LETTERS, 22),
        "pul-" + random_text(HEX, 40),
        "nfp_" + random_text(LETTERS, 40),
        "re_" + random_text(LETTERS, 8) + "_" + random_text(LETTERS, 24),
        "xai-" + random_text(LETTERS, 80),
        "CFPAT-" + random_text(LETTERS, 43),
        "tfp_" + random_text(LETTERS, 59),
        "bkua_" + random_text(HEX, 40),
        "sgp_" + random_text(HEX, 16) + "_" + random_text(HEX, 40),
        "pnu_" + random_text(LETTERS, 36),
        "dt0c01." + random_text(CAPITALS, 24) + "." + random_text(CAPITALS, 64),
        "EZAK" + random_text(LETTERS, 54),
        "rzp_live_" + random_text(LETTERS, 14),
        "shippo_live_" + random_text(HEX, 40),
        "AGE-SECRET-KEY-1" + random_text(CAPITALS, 58),
        "ops_eyJ" + random_text(LETTERS, 200),
        "SCW" + random_text(CAPITALS, 17),
        "duffel_live_" + random_text(LETTERS, 43),
        "glpat-" + random_text(LETTERS, 27) + ".01." + random_text(HEX, 9),
        "1//0g" + random_text(LETTERS, 90),
        "AAAA" + random_text(LETTERS, 7) + ":APA91b" + random_text(LETTERS, 134),
        "access-production-" + random_uuid(),
        "sdk-" + random_uuid(),
        "2/" + random_text("123456789", 16) + "/" + random_text("123456789", 16) + ":" + random_text(HEX, 32),
        "pk_" + random_text("123456789", 8) + "_" + random_text(CAPITALS, 32),
        "oy2" + random_text("abcdefgh234567", 43),
        "Private-Lines: 2\n" + random_text(LETTERS, 64) + "\n" + random_text(LETTERS, 40),
        "-----BEGIN RSA PRIVATE KEY-----\n" + random_text(LETTERS, 200) + "\n-----END RSA PRIVATE KEY-----",
    ],
    ids=lambda secret: secret[:6],
)
def test_credentials_of_common_vendors_are_taken_out(secret: str) -> None:
    redacted = Redactor().redact(f"I used {secret} and it failed")
    assert redacted.removeprefix("I used https://") in {
        "I used [credential:1] and it failed",
        "[credential:1] and it failed",
    }


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(
    "text",
    [
        "The okta token {letters} is refused",
        "our admin api key {hex}",
        "Cookie: theme=dark; sessionid={letters}",
        "cookie: PHPSESSID={letters}",
        "Authorization: Basic {mixed}=",
        "The app's secret is {azure}.",
        "https://example.com/back?sid={letters}",
    ],
)
def test_a_secret_is_known_by_what_stands_before_it(text: str, number: int) -> None:
    values = {
        "letters": "00" + random_text(LETTERS, 38),
        "hex": "a1b2" + random_text(HEX, 28),
        "mixed": random_text("aAbBcC", 9) + "aBcDeF" + random_text("aAbBcC", 8),
        "azure": random_text(LETTERS, 3) + "8Q~" + random_text(LETTERS + ".~", 33) + "a",
    }
    redacted = Redactor().redact(text.format(**values))
    assert "[credential:1]" in redacted
    assert not [value for value in values.values() if value[-12:] in redacted or value[:12] in redacted]


def test_a_credential_of_letters_alone_is_taken_out() -> None:
    assert Redactor().redact(f"I used glpat-{'abcdefghij' * 2}") == "I used [credential:1]"


def test_metadata_is_redacted_with_the_same_numbers() -> None:
    redactor = Redactor()
    assert redactor.redact("I am ada@example.com") == "I am [email:1]"
    assert redactor.redact_json({"pageUrl": "/u/ada@example.com", "n": 3, "list": ["bob@example.com"]}) == {
        "pageUrl": "/u/[email:1]",
        "n": 3,
        "list": ["[email:2]"],
    }


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"n": 4111111111111111}, {"n": "[card:1]"}),
        ({"at": 1732000000000, "rows": 1000000000}, {"at": 1732000000000, "rows": 1000000000}),
        ({"ssn": 123456789}, {"ssn": "[ssn:1]"}),
        ({"userPassword": "letmein"}, {"userPassword": "[credential:1]"}),
        ({"login": {"secret": "x"}}, {"login": {"secret": "[credential:1]"}}),
        ({"api_key": "abcdef1234567"}, {"api_key": "[credential:1]"}),
        ({"phone-number": "0151 12345678"}, {"phone-number": "[phone:1]"}),
        ({"dateOfBirth": "1990-02-03"}, {"dateOfBirth": "[birthdate:1]"}),
        ({"token": "expired", "keyCount": 12, "mobile": True}, {"token": "expired", "keyCount": 12, "mobile": True}),
        ({"mobileVersion": "10.4.2.1", "licence": "MIT"}, {"mobileVersion": "10.4.2.1", "licence": "MIT"}),
        ({"password": "[credential:7]"}, {"password": "[credential:7]"}),
    ],
)
def test_a_key_says_what_its_value_is_and_numbers_hide_nothing(
    metadata: dict[str, object], expected: dict[str, object]
) -> None:
    assert Redactor().redact_json(metadata) == expected


def test_what_was_removed_is_kept_apart_and_never_shown() -> None:
    redactor = Redactor()
    redactor.redact("ada@example.com, ADA@example.com and [email:4] or bob@example.com")
    assert [(one.token, one.original) for one in redactor.removed] == [
        ("[email:5]", "ada@example.com"),
        ("[email:6]", "bob@example.com"),
    ]
    assert "ada" not in repr(redactor.removed)


def test_a_workspace_can_add_detectors_of_its_own() -> None:
    def find_customers(text: str) -> Iterator[Found]:
        place = text.find("CUST-")
        if place >= 0:
            yield Found(place, place + 9, "customer")

    redactor = Redactor(custom=[find_customers])
    assert redactor.redact("I am CUST-4711, ada@example.com") == "I am [customer:1], [email:1]"


@pytest.mark.parametrize(
    "text", ["\x00", "\ud800", "ada@\ud800example.com", "\u202e", "\u200b" * 9, "٤١١١١١١١١١١١١١١١", "²²²²"]
)
def test_odd_characters_do_no_harm(text: str) -> None:
    assert isinstance(Redactor().redact(text), str)


# fmt: off
PIECES = st.sampled_from([
    "ada@example.com", "4111 1111 1111 1111", "+49 30 901820", "555-123-4567", "DE89 3704 0044 0532 0130 00", "8.8.8.8",
    "password: ", "call ", "My name is ", "Ada Lovelace", "Hi ", "born on 1/2/1990", "123-45-6789", "?token=abcdef123",
    " ", "\n", ".", ",", "-", "x", "7", "@", ":", "=", "\u200b", "[email:1]",
])
# fmt: on


@given(st.lists(PIECES, max_size=12).map("".join))
def test_redacting_twice_changes_nothing_more_of_private_pieces(text: str) -> None:
    once = Redactor().redact(text)
    assert Redactor().redact(once) == once


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


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "a.",
        "a@",
        "::",
        "1.",
        "(",
        "eyJ",
        "password ",
        "A1",
        "Hi A",
        "=a&",
        "1.1.1.1 ",
        "a@b.co ",
        "+4930901820 ",
        "4111111111111111 ",
        "\u200b1",
    ],
)
def test_hostile_text_costs_time_in_proportion_to_its_length(unit: str) -> None:
    find_spans(unit * 100)
    started = time.perf_counter()
    find_spans((unit * 50_000)[:50_000])
    assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call me at 22 13 37 tonight", "Call me at [phone:1] tonight"),
        ("Ruf mich unter 082 123 4678 an", "Ruf mich unter [phone:1] an"),
        ("Mi número es 741-2559", "Mi número es [phone:1]"),
        ("card 4111.1111.1111.1111", "card [card:1]"),
        ("social security # 123-45-6789", "social security # [ssn:1]"),
        ("write ada (at) example (dot) com", "write [email:1]"),
        ("ada at example dot com", "[email:1]"),
        ("My DL number is F162-8235-4011", "My DL number is [licence:1]"),
        ("Mein Reisepass: C01X00T47", "Mein Reisepass: [passport:1]"),
        ("né le 4 février 1961", "né le [birthdate:1]"),
        ("ich bin geboren am 04.02.1961", "ich bin geboren am [birthdate:1]"),
        ("NINO: QQ 12 34 56 C", "NINO: [national_id:1]"),
        ("12 rue de la Paix, Paris", "[address:1]"),
        ("Send it to 221B Baker Street, London NW1 6XE please", "Send it to [address:1] please"),
        ("Ich wohne Hauptstraße 12, 12345 Berlin", "Ich wohne [address:1]"),
        ("Mi chiamo Luca Rossi", "Mi chiamo [name:1]"),
        ("Sehr geehrte Frau Müller, es geht nicht", "Sehr geehrte Frau [name:1], es geht nicht"),
        ("Спасибо!\nС уважением,\nИван Петров", "Спасибо!\nС уважением,\n[name:1]"),
        ("Best regards,\nJohn Smith\nHarbour GmbH", "Best regards,\n[name:1]\nHarbour GmbH"),
        ("?email=ada%40example.com&phone=%2B4930901820", "?email=[email:1]&phone=[phone:1]"),
        ("ada&#64;example.com wrote", "[email:1] wrote"),
    ],
)
def test_other_languages_and_spellings_are_understood(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Best regards,\nHarbour Support Team",
        "Thanks,\nNordwind Software GmbH",
        "Cheers,\nHarbour Inc.",
        "Sehr geehrte Damen und Herren,",
        "In 10 minutes I gave way to it",
        "The form has 12 fields in a row",
        "The ring 5 times rule",
        "ID number 12345 is fine",
        "Use the app at home or at work",
        "It is called with index 2147483647 (2^31-1)",
        "The MS Access export took 8 ms. Best app",
    ],
)
def test_companies_and_plain_sentences_are_left(text: str) -> None:
    assert Redactor().redact(text) == text


def a_pesel() -> str:
    digits = [random.randint(0, 9) for _ in range(10)]
    weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]
    return "".join(map(str, digits)) + str(-sum(d * w for d, w in zip(digits, weights, strict=True)) % 10)


def a_cpf() -> str:
    digits = [random.randint(0, 8) for _ in range(8)] + [9]
    for size in (10, 11):
        digits.append(sum(d * (size - place) for place, d in enumerate(digits)) * 10 % 11 % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def a_dni() -> str:
    number = random.randint(10**7, 10**8 - 1)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def an_ahv() -> str:
    digits = [7, 5, 6, *(random.randint(0, 9) for _ in range(9))]
    digits.append(-sum(d * (3 if place % 2 else 1) for place, d in enumerate(digits)) % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:7]}.{text[7:11]}.{text[11:]}"


def a_chinese_id() -> str:
    born = f"19{random.randint(50, 99)}0{random.randint(1, 9)}1{random.randint(0, 9)}"
    body = f"{random.randint(110000, 650000)}{born}{random.randint(100, 999)}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


@pytest.mark.parametrize(
    ("frame", "make"),
    [("Mój PESEL: {}", a_pesel), ("CPF {}", a_cpf), ("mi DNI es {}", a_dni), ("AHV {}", an_ahv), ("{}", a_chinese_id)],
)
def test_national_numbers_are_taken_out_when_their_check_digit_is_right(frame: str, make: Callable[[], str]) -> None:
    for _ in range(20):
        assert Redactor().redact(frame.format(make())) == frame.format("[national_id:1]")


def test_a_national_number_with_a_wrong_check_digit_is_left() -> None:
    right = a_pesel()
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert Redactor().redact(f"PESEL: {wrong}") == f"PESEL: {wrong}"


def test_keys_addresses_and_file_names_are_redacted_too() -> None:
    redactor = Redactor()
    assert redactor.redact_json(
        {"ada@example.com": 1, "url": "https://ada:pa55word@example.com/u/ada@example.com"}
    ) == {
        "[email:1]": 1,
        "url": "https://[credential:1]@example.com/u/[email:1]",
    }
    assert redactor.redact_file_name("invoice_4111111111111111.pdf") == "invoice_[card:1].pdf"
    assert redactor.redact_json({"fileName": "scan-4111111111111111.pdf"}) == {"fileName": "scan-[card:1].pdf"}
    assert redactor.redact_file_name("call-me_+49-30-901820.png") == "call-me_+[phone:1].png"
    assert redactor.redact_file_name("ada@example.com_report.csv").startswith("[email:")
    assert redactor.redact_file_name("Screenshot 2026-01-02 at 10.11.12.png") == "Screenshot 2026-01-02 at 10.11.12.png"


def test_no_value_stays_in_memory_after_its_item() -> None:
    secret = random_text(LETTERS, 24) + "@example.com"
    plain = "plain " + random_text(LETTERS, 24)
    Redactor().redact_json({"a": secret, "b": plain, plain: 1})
    gc.collect()
    held = [one for one in gc.get_objects() if type(one) in {set, dict} and (plain in one or secret in one)]
    assert [one for one in held if one is not locals()] == []
    from tellback.intake.redaction import redactor

    assert all(isinstance(mark, int) for mark in redactor._PLAIN._young)


def test_a_value_seen_before_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from tellback.intake.redaction import redactor

    calls = list[str]()

    def search(text: str, **_: object) -> list[Found]:
        calls.append(text)
        return []

    monkeypatch.setattr(redactor, "find_spans", search)
    known = redactor.Plain(size=2)
    for text in ("a", "a", "b", "c", "a"):
        assert known.knows(text, custom=())
    assert calls == ["a", "b", "c"]
    for text in ("d", "e", "f", "g"):
        known.knows(text, custom=())
    assert len(known._young) + len(known._old) <= 4
