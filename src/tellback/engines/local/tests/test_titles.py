"""What a theme is called: words that people said, that name a thing, and that read as somebody would write them."""

import pytest

from tellback.engines.local import titles
from tellback.engines.local.engine import LocalEngine
from tellback.engines.local.titles import _reads_well, is_telling

THEMES = {
    "offline": [
        "The job sheet is lost when I work offline in a basement.",
        "Please make the sheets work offline, there is no signal underground.",
        "Offline mode for job sheets would save us hours.",
        "I filled in a sheet offline and it never came back.",
    ],
    "calendar": [
        "The calendar jumps to the top after I edit a job.",
        "After editing a job the calendar scrolls up and I lose my place.",
        "Saving a job throws the calendar back to the first day.",
    ],
    "refund": [
        "My refund has not arrived after three weeks.",
        "Still waiting for the refund of my cancelled booking.",
        "When will I get the refund you promised?",
        "refund is pending forever",
    ],
    "french": [
        "Je voudrais exporter mes factures en PDF.",
        "L'export des factures en PDF serait vraiment utile.",
        "Pouvoir exporter les factures en PDF, merci.",
    ],
    "mood": ["Terrible.", "So disappointed.", "It is just bad, really bad."],
}


@pytest.mark.parametrize("name", THEMES)
def test_a_title_is_short_whole_and_of_the_peoples_own_words(engine: LocalEngine, name: str) -> None:
    texts = THEMES[name]
    words = engine.describe(texts, engine.embed(texts), background=engine.background)
    said = {word.lower() for text in texts for word in titles._TOKEN.findall(text)}
    assert {word.lower() for word in titles._TOKEN.findall(words.title)} <= said
    assert words.title[0].isupper()
    assert len(words.title.split()) <= 8
    assert words.summary.rstrip(".!?…").lower() in {text.rstrip(".!?…").lower() for text in texts}
    assert texts[words.cited[0]].rstrip(".!?").lower() in words.summary.lower()


def test_two_themes_are_not_called_the_same(engine: LocalEngine) -> None:
    named = [
        engine.describe(texts, engine.embed(texts), background=engine.background).title for texts in THEMES.values()
    ]
    assert len(set(named)) == len(THEMES)


def test_a_name_alone_is_no_title(engine: LocalEngine) -> None:
    texts = [
        "With Notely my notes vanish after every sync.",
        "My Notely notes vanish when two devices sync.",
        "The sync of Notely lost my notes again.",
    ]
    title = engine.describe(texts, engine.embed(texts), background=None).title
    assert title != "Notely"
    assert {"notes", "sync"} & set(title.lower().split())


@pytest.mark.parametrize(
    "run", ["can't open", "job into an invoice", "photos in the pdf", "no notifications", "not syncing", "dark mode",
            "reminder texts to customers", "create an invoice", "freezing", "notifications"],
)  # fmt: skip
def test_what_reads_well_may_be_a_title(run: str) -> None:
    assert _reads_well(tuple(run.split()))


@pytest.mark.parametrize(
    "run",
    [
        "job the calendar",
        "music work",
        "not through dropbox",
        "plan lose the map",
        "photos of for",
        "no open",
        "log",
        "understands",
    ],
)
def test_what_is_a_piece_of_a_sentence_may_not(run: str) -> None:
    assert not _reads_well(tuple(run.split()))


@pytest.mark.parametrize(
    "text", ["Terrible.", "Please fix it!", "Good, but could be a lot better", "10/10", "So sad 😢"]
)
def test_mood_alone_tells_nothing(text: str) -> None:
    assert not is_telling(text)


@pytest.mark.parametrize(
    "text",
    [
        "Crashes.",
        "Dark mode",
        "It takes too long to get help, a phone number would be good.",
        "Les factures ?",
        "导出发票",
    ],
)
def test_whatever_names_a_thing_tells(text: str) -> None:
    assert is_telling(text)
