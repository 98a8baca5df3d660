"""Private data of many countries and vendors in sentences that no file has, made from a seed, and what looks like it."""

# Values read better in a row than one a line.
# ruff: noqa: E501, SIM905

import random
import re
import string
import uuid
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from tellback.intake.redaction import Redactor, find_spans

REGIONS = "US GB DE FR ES IT NL BE CH AT SE NO DK FI PL CZ PT IE BR MX IN JP CN KR AU NZ ZA TR UA IL AE KE EG AR CL SG".split()
SAID = [
    "Please call me at {} tomorrow.", "My phone number is {}.", "Meine Nummer ist {}, danke", "Appelez-moi au {} svp",
    "Llámame al {} por favor", "chiamami al {}", "Mijn telefoonnummer is {}", "電話番号は{}です", "我的电话是{}", "Мой телефон {}",
]  # fmt: skip
UNSAID = [
    "The export failed, {} is where I am.",
    "Anna, {}, Lyon",
    "I wrote twice ({}) and nothing",
    "{}",
    "返信は{}まで",
]
ACCOUNTS = {"DE": "d" * 18, "FR": "d" * 10 + "c" * 11 + "dd", "GB": "aaaa" + "d" * 14, "NL": "aaaa" + "d" * 10, "RO": "aaaa" + "c" * 16, "LV": "aaaa" + "c" * 13, "MT": "aaaa" + "d" * 5 + "c" * 18}  # fmt: skip
ISSUERS = [("4", 16), ("55", 16), ("2720", 16), ("37", 15), ("6011", 16), ("622126", 16), ("36", 14), ("3589", 16), ("6759", 19), ("6062", 16), ("2201", 16)]  # fmt: skip


class Maker:
    """Texts, each with the one private value in it, or None."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of(self, letters: str, size: int) -> str:
        return "".join(self.random.choices(letters, k=size))

    def digits(self, size: int) -> str:
        return self.of(string.digits, size)

    def phone(self, region: str) -> phonenumbers.PhoneNumber:
        example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        assert example is not None
        national = phonenumbers.national_significant_number(example)
        while True:
            number = f"+{example.country_code}{national[:4]}{self.digits(len(national) - 4)}"
            if phonenumbers.is_valid_number(made := phonenumbers.parse(number)):
                return made

    def account(self, *, right: bool) -> str:
        country = self.random.choice([*ACCOUNTS])
        kinds = {"d": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}
        body = "".join(self.random.choice(kinds[kind]) for kind in ACCOUNTS[country])
        check = 98 - int("".join(str(int(letter, 36)) for letter in f"{body}{country}00")) % 97
        check = check if right else (check + 11) % 97
        whole = f"{country}{check:02d}{body}"
        return self.random.choice([whole, whole.lower(), " ".join(whole[n : n + 4] for n in range(0, len(whole), 4))])

    def card(self, *, right: bool) -> str:
        beginning, size = self.random.choice(ISSUERS)
        body = beginning + self.digits(size - len(beginning) - 1)
        total = sum(sum(divmod(int(digit) * (2 - n % 2), 10)) for n, digit in enumerate(reversed(body)))
        check = (-total + (0 if right else 3)) % 10
        whole = f"{body}{check}"
        return self.random.choice([whole, "-".join(whole[n : n + 4] for n in range(0, len(whole), 4))])

    def private(self) -> Iterator[tuple[str, str, str]]:
        for region in REGIONS:
            number = self.phone(region)
            abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
            home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            frame = self.random.choice([*SAID, *UNSAID])
            yield "phone", self.random.choice([abroad, abroad.replace(" ", "."), abroad.replace("+", "00", 1)]), frame
            yield "phone", self.random.choice([home, home.replace(" ", "-")]), self.random.choice(SAID)
        for _ in range(40):
            yield "iban", self.account(right=True), self.random.choice(["IBAN: {}", "refund to {} today", "口座{}です"])
            yield "card", self.card(right=True), self.random.choice(["Visa {} exp 09/28", "{}", "charged {} twice"])

    def harmless(self) -> Iterator[tuple[str, str]]:
        day = f"{self.random.randint(2010, 2029)}-{self.random.randint(1, 12):02d}-{self.random.randint(10, 28)}"
        yield self.account(right=False), "IBAN {} is refused"
        yield self.card(right=False), "order {} is missing"
        yield f"{day} 10:11:09.{self.digits(6)}", "text from {} unanswered"
        yield f"1{self.random.choice('67')}{self.digits(11)}", "call lasted {}"
        yield f"{self.digits(4)} {self.digits(4)} {self.digits(4)}", "commande n° {}"
        yield f"0{self.digits(3)} {self.digits(4)} {self.digits(4)}", "Bestellnummer {}"
        yield (
            f"{self.random.randint(1, 29)}.{self.random.randint(0, 29)}.{self.digits(2)}.{self.digits(3)}",
            "since v{}",
        )
        yield f"{self.random.uniform(-89, 89):.6f}, {self.random.uniform(-179, 179):.6f}", "the pin is at {}"
        yield str(uuid.UUID(int=self.random.getrandbits(128))), "request {} failed"
        yield ":".join(self.of("0123456789abcdef", 2) for _ in range(6)), "device {} is offline"


@pytest.mark.parametrize("seed", [11, 2026])
def test_private_data_of_many_countries_is_found_and_what_only_looks_like_it_is_left(seed: int) -> None:
    maker = Maker(seed)
    private = [*maker.private()]
    missed = [(kind, text) for kind, value, frame in private if not finds(text := frame.format(value), kind, value)]
    wrong = [text for _ in range(20) for value, frame in maker.harmless() if find_spans(text := frame.format(value))]
    assert len(missed) <= 0.03 * len(private), missed
    assert len(wrong) <= 0.03 * (len(private) - len(missed)), wrong


def finds(text: str, kind: str, value: str) -> bool:
    return any(found.type == kind and text[found.start : found.end] in value for found in find_spans(text)) and (
        "".join(filter(str.isalnum, value)) not in "".join(filter(str.isalnum, Redactor().redact(text)))
    )


def token(letters: str, size: int) -> str:
    return "".join(random.choices(letters, k=size))


ALL, HEX = string.ascii_letters + string.digits, "0123456789abcdef"


@pytest.mark.parametrize(
    "secret",
    [
        "AKCp" + token(ALL, 69),
        "cmVmdGtuOjAxO" + token(ALL, 51),
        "ATBB" + token(ALL, 32),
        "ATCTT3xFfGN0" + token(ALL, 170) + "=" + token("0123456789ABCDEF", 8),
        "squ_" + token(HEX, 40),
        "snyk_uat." + token(ALL, 8) + "." + token(ALL, 150),
        "ddapp_" + token(ALL, 34),
        "tskey-auth-" + token(ALL, 17) + "-" + token(ALL, 32),
        "2" + token(ALL, 26) + "_" + token(ALL, 21),
        "live_" + token(HEX, 35),
        "FLWSECK-" + token(HEX, 32) + "-X",
        "AQE" + token(ALL, 64) + "-" + token(ALL, 40) + "=-" + token(ALL, 16),
        "nvapi-" + token(ALL, 64),
        "pcsk_" + token(ALL, 6) + "_" + token(ALL, 60),
        "lsv2_pt_" + token(HEX, 32) + "_" + token(HEX, 10),
        "csk-" + token(string.ascii_lowercase + string.digits, 48),
        "key_" + token(HEX, 64),
        "e2b_" + token(HEX, 40),
        "fw_" + token(ALL, 24),
        "tvly-" + token(ALL, 32),
        "sb_secret_" + token(ALL, 22) + "_" + token(ALL, 8),
        token(HEX, 32) + "-" + token(HEX, 8) + "-" + token(HEX, 8),
        "EAAA" + token(ALL, 160),
        "ghp_" + token(ALL, 36),
    ],
    ids=lambda secret: secret[:5],
)
@pytest.mark.parametrize("frame", ["I used {} and it failed", "キー{}が漏れた"])
def test_newer_vendors_keys_are_taken_out_whole_in_any_script(frame: str, secret: str) -> None:
    assert Redactor().redact(frame.format(secret)) == frame.format("[credential:1]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.comに送ったのですが返事がまったく来ないのでもう一度お願いします", "[email:1]に送ったのですが返事がまったく来ないのでもう一度お願いします"),
        ("メールはada@example.comです", "メールは[email:1]です"),
        ("用户@例子.公司", "[email:1]"),
        ("test%user@example.com", "[email:1]"),
        ("write to ada @ example.com please", "write to [email:1] please"),
        ("Appelez-moi au 40.61.06.00 svp", "Appelez-moi au [phone:1] svp"),
        ("from ::ffff:203.0.113.9 to", "from [ip:1] to"),
        ("Danke\n\nMit freundlichen Grüßen\nAda Lovelace", "Danke\n\nMit freundlichen Grüßen\n[name:1]"),
        ("Danke.\nLG Ada Lovelace", "Danke.\nLG [name:1]"),
        ("at 350 Fifth Avenue, New York, NY 10118 now", "at [address:1] now"),
        ("token: aws_secret_access_key = J7Diin2bWl2W4rLZ35gz", "token: aws_secret_access_key = [credential:1]"),
        ("пароль: hunter2!x", "пароль: [credential:1]"),
        ("我的密码是hunter2!x", "我的密码是[credential:1]"),
        ('password = "correct horse battery staple"', 'password = "[credential:1]"'),
        ("Mein Passwort ist: hunter2!x", "Mein Passwort ist: [credential:1]"),
        ("my pin is 4821", "my pin is [credential:1]"),
        ("the pin is at 48.2101, 16.3702", "the pin is at 48.2101, 16.3702"),
        ("Meine Steuer-ID lautet 86095742719", "Meine Steuer-ID lautet [national_id:1]"),
        ("Geb.: 12.04.1985", "Geb.: [birthdate:1]"),
        ("ada@xn--e1afmkfd.xn--p1ai", "[email:1]"),
        ('{"token": "null"}', '{"token": "null"}'),
        ("export KEY=00jrPxE6rEb1xO6G9sAlF2R3Xs_-YYao", "export KEY=[credential:1]"),
        ("my key 00jrPxE6rEb1xO6G9sAlF2R3Xs_-YYao leaked", "my key [credential:1] leaked"),
        ("key: 550e8400-e29b-41d4-a716-446655440000", "key: 550e8400-e29b-41d4-a716-446655440000"),
        ("key=summer-sale-2026-shoes-and-boots-for-all", "key=summer-sale-2026-shoes-and-boots-for-all"),
        ("password: ********", "password: ********"),
        ("api_key: YOUR_API_KEY", "api_key: YOUR_API_KEY"),
        ("look @ example.com for it", "look @ example.com for it"),
    ],
)  # fmt: skip
def test_unusual_spellings(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "frame", ['{"v":"%s"}', "a,%s,b", r'"a\n%s\n"', "a—%s—b", "https://x.example/p/%s", "<td>%s</td>", "#%s"]
)
@pytest.mark.parametrize("value", ["+49 30 901820", "4111 1111 1111 1111", "ada@example.com", "DE89370400440532013000"])
def test_what_stands_around_a_value_does_not_hide_it(frame: str, value: str) -> None:
    redacted = Redactor().redact(frame % value)
    assert re.sub(r"\[\w+:1\]", "%s", redacted) == frame


@pytest.mark.parametrize(
    "text",
    [
        "PAN YKTPY1320V", "IdNr. 86095742719", "meu CPF é 52998224725", "RUT 12345678-5", "mi CUIL es 20-36882616-3",
        "RFC VIYZ850608QRP", "rodné číslo 8007239856", "SA ID 700915 2266 08 0", "PPSN 8476725JA", "OIB 12049731007",
        "EMŠO 1602946504681", "asmens kodas 49712032126", "isikukood 49506018148", "kennitala 280990-6129",
        "ІПН 3059142920", "ИНН 667635159601", "Thai ID 1-0216-44466-52-8", "NRIC 791027-10-3256", "CNIC 35287-7412176-8",
        "cédula 337-9696435-2", "주민등록번호 9404101366112",
    ],
)  # fmt: skip
def test_more_countries_numbers_are_found_behind_their_names(text: str) -> None:
    assert Redactor().redact(text).endswith(" [national_id:1]")


def test_standards_and_chips_are_no_papers() -> None:
    text = "RFC 2822 and RFC 793 say so; the IC 74LS00 is fine; the RUT 955 router restarts"
    assert Redactor().redact(text) == text
