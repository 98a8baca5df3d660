"""Sealing: what a former secret sealed still opens, new seals are the present one's, and nothing opens elsewhere."""

import pytest
from pytest_django.fixtures import Settings

from tellback.platform.sealing import (
    Ring,
    WrongSeal,
    as_bytes,
    as_text,
    decrypt,
    encrypt,
    is_sealed,
    new_key,
    seal,
    secret_ring,
    text_prefix,
    unseal,
)

OLD, NEW = Ring("tests", ("old",)), Ring("tests", ("new", "old"))


def test_what_was_sealed_opens_where_it_belongs_and_nowhere_else() -> None:
    key = new_key()
    sealed = encrypt(b"words", key=key, about=b"here")
    assert decrypt(sealed, key=key, about=b"here") == b"words"
    for other, about in ((key, b"there"), (new_key(), b"here")):
        with pytest.raises(WrongSeal):
            decrypt(sealed, key=other, about=about)
    for broken in (sealed[:-1], sealed[:20], b"", bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(WrongSeal):
            decrypt(broken, key=key, about=b"here")


def test_the_same_words_are_sealed_differently_each_time() -> None:
    assert len({NEW.seal(b"words", about=b"") for _ in range(50)}) == 50


def test_a_former_secret_opens_and_only_the_present_one_seals() -> None:
    before = OLD.seal(b"words", about=b"row")
    assert NEW.unseal(before, about=b"row") == b"words"
    after = NEW.seal(b"words", about=b"row")
    assert after.startswith(NEW.name)
    assert not after.startswith(OLD.name)
    assert Ring("tests", ("new",)).unseal(after, about=b"row") == b"words"
    with pytest.raises(WrongSeal, match=r"TELLBACK_SECRET_KEY_FORMER"):
        OLD.unseal(after, about=b"row")


def test_another_purpose_has_other_keys() -> None:
    with pytest.raises(WrongSeal):
        Ring("others", ("old",)).unseal(OLD.seal(b"words", about=b""), about=b"")


def test_the_name_of_the_key_cannot_be_changed_to_another_that_is_there() -> None:
    sealed = OLD.seal(b"words", about=b"")
    with pytest.raises(WrongSeal):
        NEW.unseal(NEW.name + sealed[4:], about=b"")


def test_a_text_goes_there_and_back_and_begins_as_its_key_is_named(settings: Settings) -> None:
    sealed = seal("the token ü", about="row 1")
    assert sealed.startswith(text_prefix(secret_ring()))
    assert is_sealed(sealed)
    assert as_text(as_bytes(sealed)) == sealed
    assert unseal(sealed, about="row 1") == "the token ü"
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert unseal(sealed, about="row 1") == "the token ü"
    assert not sealed.startswith(text_prefix(secret_ring()))


@pytest.mark.parametrize("text", ["", "s2.", "s2.zz.!!", "s1.abc", "a public key", "s2.00000000.AAAA"])
def test_what_is_no_sealed_text_says_so(text: str) -> None:
    with pytest.raises(WrongSeal):
        unseal(text, about="")


def test_keys_are_not_in_a_representation() -> None:
    assert "old" not in repr(NEW)
