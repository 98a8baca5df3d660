"""The widget's code keeps its promises: small, in every language, and without what a strict or broken page refuses."""

import re

import pytest

from tellback.widget import assets
from tellback.widget.options import KINDS, LANGUAGES, WidgetOptions, read_options, sent_options

KB = 1024
FORM = ("form", "style", "courier")
#: Needs markup as text, evaluation, or an inline style attribute: a strict policy refuses it.
REFUSED_BY_POLICY = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createPolicy|setAttribute\(.style"
    r"|cssText|\.src\s*=|importScripts|https?://(?!www\.w3\.org/)"
)
#: Goes through Array.prototype, which a page may have changed.
NEEDS_ARRAYS = re.compile(
    r"\.(push|forEach|map|filter|find|includes|indexOf|join|some|reduce|splice|concat|every|entries|flat)\("
    r"|\bfor \((?:const|let) [^;)]* (?:of|in) |Array\.|Promise\.(?:all|race|any)|\[\.\.\.|\(\.\.\.|(?:const|let) \["
)


def size(*names: str) -> int:
    return sum(len(assets.chunks()[name].zipped) for name in names)


def full_options() -> dict[str, object]:
    options = WidgetOptions(
        accent="#123456", theme="dark", position="start", offset_x=1, offset_y=399, label="x" * 24, language="de",
        kinds=list(KINDS), rating=False, screenshot=False, launcher=False,
    )  # fmt: skip
    return {"key": "pk_" + "Zk3" * 11, **sent_options(options)}


def test_the_loader_is_at_most_3_kb_also_with_every_option_in_it() -> None:
    plain = assets.loader(base_url="https://feedback.customer.example", options={"key": "pk_" + "Zk3" * 11})
    assert len(plain.zipped) <= 3 * KB
    assert len(assets.loader(base_url="https://feedback.customer.example", options=full_options()).zipped) <= 3 * KB


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_is_at_most_9_kb_in_every_language(language: str) -> None:
    assert size(*FORM, f"words-{language}") <= 9 * KB


def test_the_screenshots_are_at_most_6_kb() -> None:
    assert size("shot") <= 6 * KB


def test_every_language_has_a_word_for_everything() -> None:
    words = {
        language: set(re.findall(r"(\w+): \"", (assets.CLIENT / f"words-{language}.js").read_text()))
        for language in LANGUAGES
    }
    assert words["en"] == words["de"] == words["ar"]
    assert set(KINDS) <= words["en"]
    used = set(re.findall(r"\bsay\.(\w+)", (assets.CLIENT / "form.js").read_text()))
    assert used <= words["en"]
    assert words["en"] - set(KINDS) <= used, "nothing is translated that is not said"


@pytest.mark.parametrize("path", sorted(assets.CLIENT.glob("*.js")), ids=lambda path: path.stem)
def test_nothing_is_used_that_a_strict_or_a_broken_page_refuses(path) -> None:  # type: ignore[no-untyped-def]
    code = "\n".join(line for line in path.read_text().splitlines() if not line.strip().startswith("//"))
    assert not REFUSED_BY_POLICY.findall(code)
    assert not NEEDS_ARRAYS.findall(code)


def test_the_probe_for_what_is_refused_can_find_it() -> None:
    assert REFUSED_BY_POLICY.search("place.innerHTML = text")
    for code in ("for (const a of b) {", "list.push(1)", "const [a, b] = c", "f(...a)", "Promise.all(x)"):
        assert NEEDS_ARRAYS.search(code), code


def test_what_is_stored_and_not_readable_becomes_the_defaults() -> None:
    assert read_options(None) == read_options({"accent": "red; }"}) == read_options(["x"]) == WidgetOptions()
    assert sent_options(WidgetOptions()) == {}


def test_a_version_names_the_whole_of_the_chunks() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", assets.version())
    assert {"form", "courier", "style", "shot", "words-en", "words-de", "words-ar"} == set(assets.chunks())
