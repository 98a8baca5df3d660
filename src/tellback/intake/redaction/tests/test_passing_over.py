"""What a text does not need is not searched: that never costs a find."""

import pytest

from tellback.intake.redaction import addresses, contacts
from tellback.intake.redaction.detect import find_spans
from tellback.intake.redaction.finding import Text


@pytest.mark.parametrize(
    "announcement",
    sorted(contacts._PHONE_WORDS)
    + [*contacts._PHONE_PHRASES, *contacts._UNSPACED_PHONE_WORDS]
    + [f"{stem}x" for stem in contacts._PHONE_STEMS]
    + ["Handynummer ist", "phonenumber is", "answered", "desk:", "registered"],
)
def test_whatever_announces_a_telephone_number_does_so_after_the_first_look(announcement: str) -> None:
    found = find_spans(f"Well, {announcement.capitalize()} 4471 90 62 83")
    assert [span.type for span in found] == ["phone"]


@pytest.mark.parametrize(
    ("text", "digits", "row"),
    [
        ("", 0, 0),
        ("no digit", 0, 0),
        ("room 7, 4111 1111-1111.1111 and 12", 19, 17),
        ("5 items of 12\nfor 3", 4, 2),
        ("٣ and 12", 3, 3),
    ],
)
def test_digits_are_counted_in_rows(text: str, digits: int, row: int) -> None:
    """A row may be longer than it should, never shorter: "room 7, 4111 …" reads on over the comma."""
    searched = Text(text)
    assert (searched.digits, searched.row) == (digits, row)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("carta 4111.1111.1111.1111", "card"),
        ("carta 4111/1111/1111/1111", "card"),
        ("carte ٤111111111111111", "card"),
        ("it was 512-45-6789", "ssn"),
        ("ring (030) 12 34 567", "phone"),
        ("XS AB 12 12 12 C", "national_id"),
        ("1 85 05 2A 068 123 76", "national_id"),
        ("IBAN de89 3704 0044 0532 0130 00", "iban"),
    ],
)
def test_however_a_number_is_grouped_it_is_found(text: str, type_: str) -> None:
    assert [span.type for span in find_spans(text)] == [type_]


@pytest.mark.parametrize("suffix", addresses._SUFFIXES)
def test_every_suffix_of_a_street_is_seen_at_the_first_look(suffix: str) -> None:
    assert [span.type for span in find_spans(f"Send it to Lange{suffix} 12 please")] == ["address"]


@pytest.mark.parametrize("size", [1, 64])
def test_a_mail_address_begins_where_its_letters_begin(size: int) -> None:
    local = "a.b_c+d-e'f0"[:size].ljust(size, "x")
    assert find_spans(f"(<{local}@example.com>")[0][:2] == (2, 14 + size)


def test_a_key_is_found_whatever_it_begins_with() -> None:
    """A run of letters and digits alone holds only those that begin with such; "sk_" needs its mark."""
    plain, marked = "AKIAQX7Z" + "A1B2C3D4E5F6", "rk_" + "live_" + "a1B2c3D4e5F6g7H8"
    assert [span.type for span in find_spans(f"Use {plain} now.")] == ["credential"]
    assert [span.type for span in find_spans(f"Use {marked} now.")] == ["credential"]
