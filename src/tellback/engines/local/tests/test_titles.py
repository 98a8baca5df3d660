"""What a theme is called: words that people said, that name a thing, and that read as somebody would write them."""

import pytest

from tellback.engines.local import titles
from tellback.engines.local.engine import LocalEngine
from tellback.engines.local.needs import find_needs
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


#: What a title may say beside people's words: what kind of need it is.
TOLD = {"trouble", "with", "since", "add", "app", "how", "to", "can't", "is", "are", "when", "will"}


@pytest.mark.parametrize("name", THEMES)
def test_a_title_is_short_whole_and_of_the_peoples_own_words(engine: LocalEngine, name: str) -> None:
    texts = THEMES[name]
    words = engine.describe(texts, engine.embed(texts), background=engine.background)
    said = {word.lower() for text in texts for word in titles._TOKEN.findall(text)}
    assert {word.lower() for word in titles._TOKEN.findall(words.title)} <= said | TOLD
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


NAMED = {
    "Homework upload fails": [
        "The homework upload fails with an error every time my son tries to hand in a PDF.",
        "Homework upload broken again.",
        "My daughter could not submit her homework because the upload stopped at 99 percent.",
        "I can't upload photos of the homework, it says file too large.",
    ],
    "Add dark mode": ["Please add a dark mode.", "Would you add dark mode? My eyes hurt.", "Dark mode would be great."],
    "How to change PIN": ["How do I change my PIN?", "Where can I change the PIN?", "how to change my pin"],
    "Card payment declined": [
        "Why was my card payment declined?",
        "My card payment has been declined.",
        "Card payment was declined twice today.",
    ],
    "Crashes when opening calendar": [
        "The app crashes when I open the calendar.",
        "It crashes every time I open the calendar.",
        "App crashed again when I opened my calendar.",
    ],
    "Can't log in": ["I can't log in since Monday.", "Cannot log in to my account.", "We could not log in today."],
}


@pytest.mark.parametrize("title", NAMED)
def test_a_title_says_what_is_wanted_or_what_fails(engine: LocalEngine, title: str) -> None:
    texts = NAMED[title]
    assert engine.describe(texts, engine.embed(texts), background=engine.background).title == title


@pytest.mark.parametrize(
    ("said", "need"),
    [
        ("i can't open the pdf files", "can't open pdf files"),
        ("the photos don't upload to the album", "photos don't upload to album"),
        ("dropbox no longer accepts files", "dropbox doesn't accept files"),
        ("my messages to the teacher never arrive", "messages to teacher never arrive"),
        ("crashes as soon as i tap on the map", "crashes when tapping on map"),
        ("it keeps crashing on start", "crashes on start"),
        ("please let me export invoices to excel", "export invoices to excel"),
        ("i wish i could sort by date", "sort by date"),
        ("add a way to undo a booking", "undo a booking"),
        ("we need notifications when a grade is posted", "notifications when grade is posted"),
        ("why hasn't my transfer arrived", "transfer hasn't arrived"),
        ("when will my card arrive", "when card will arrive"),
        ("how can i get refunded", "how to get refunded"),
        ("the schedule on my phone was wrong this morning", "schedule on phone is wrong"),
        ("they charged me twice in october", "charged twice"),
        ("it deleted all my notes", "deletes notes"),
    ],
)
def test_a_need_is_read_out_of_a_clause(said: str, need: str) -> None:
    assert need in {" ".join(found.words) for found in find_needs(said.split())}


@pytest.mark.parametrize(
    "said",
    ["no push is sent to installers", "i don't want to export invoices", "it is what it is", "i can't believe it",
     "i don't know", "the best app ever", "how are you", "please help", "why me"],
)  # fmt: skip
def test_what_is_no_need_gives_none(said: str) -> None:
    assert find_needs(said.split()) == []


def test_a_theme_that_only_speaks_of_an_update_says_that_something_is_wrong_since(engine: LocalEngine) -> None:
    texts = [
        "The October update is a disaster.",
        "This October update ruined it.",
        "Not happy with the October update.",
    ]
    title = engine.describe(texts, engine.embed(texts), background=engine.background).title
    assert title == "Trouble since October update"
