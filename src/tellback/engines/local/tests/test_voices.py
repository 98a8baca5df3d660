"""Whose words count: the person's own, not a machine's, a seller's, an agent's or a quoted answer's."""

import pytest

from tellback.engines.local import LocalEngine
from tellback.engines.local.voices import why_nobody_speaks
from tellback.sdk.engine import Item, Message


def quotes(engine: LocalEngine, text: str, subject: str = "") -> list[str]:
    return [span.quote for signal in engine.extract([Item(text=text, subject=subject)])[0] for span in signal.evidence]


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until Monday with limited access to email.",
        "Thank you for your message. This is an automated response, we will reply within two days.",
        "Ich bin derzeit nicht im Büro und ab dem 3. Mai wieder erreichbar.",
    ],
)
def test_an_automatic_reply_is_no_feedback(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) == []
    assert why_nobody_speaks(text) == "An automatic reply"


@pytest.mark.parametrize(
    "text",
    [
        "We offer affordable SEO services and high quality backlinks, visit our website https://example.com today",
        "Earn $500 per day from home with bitcoin trading! Click here www.example.com",
        "Best online casino, 100% guaranteed jackpot. Click the link https://example.com",
    ],
)
def test_what_sells_something_is_no_feedback(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) == []
    assert why_nobody_speaks(text) == "It sells something"


@pytest.mark.parametrize(
    "text",
    [
        "The out of office setting does not switch off, can you fix it?",
        "Your automatic reply in the chat is useless, it never understands me. Can I switch it off?",
        "When I click here nothing happens: https://app.example.com/settings",
        "The unsubscribe link does not work, see https://example.com/u",
        "Please add bitcoin as a way to pay.",
        "Our SEO suffered because the sitemap of the shop is broken: https://example.com/sitemap.xml",
    ],
)
def test_who_speaks_of_such_things_is_heard(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) != []


def test_an_agents_turns_are_not_the_customers_voice(engine: LocalEngine) -> None:
    text = (
        "Customer: The invoice export is empty since yesterday.\n"
        "Support agent: I am sorry that the app crashes. Could you send a screenshot?\n"
        "Customer: It also ignores the date filter."
    )
    found = " ".join(quotes(engine, text))
    assert "invoice export is empty" in found
    assert "date filter" in found
    assert "sorry" not in found
    assert "screenshot" not in found
    assert "Customer:" not in found


def test_what_an_answer_quotes_is_left_out(engine: LocalEngine) -> None:
    text = (
        "The new editor loses my changes.\n\n"
        "On Tue, 3 Nov 2026 at 10:12, Support <help@example.com> wrote:\n"
        "> Please try to clear the cache, we could not reproduce the crash."
    )
    assert quotes(engine, text) == ["The new editor loses my changes."]


def test_a_colon_in_a_sentence_is_no_speaker(engine: LocalEngine) -> None:
    assert quotes(engine, "Support: your agents are slow. Note: I waited three days.") != []
    assert "three days" in " ".join(quotes(engine, "One thing: the upload hangs. Result: I waited three days."))


def test_a_very_long_text_gives_a_bounded_number_of_signals(engine: LocalEngine) -> None:
    text = " ".join(
        f"The page number {n} crashes when I open it. Please add a filter for column {n}." for n in range(120)
    )
    (signals,) = engine.extract([Item(text=text)])
    assert 1 <= len(signals) <= 12
    assert all(span.is_verbatim_in(text) for signal in signals for span in signal.evidence)


def test_an_agents_message_that_was_copied_into_the_text_is_not_the_customers_voice(engine: LocalEngine) -> None:
    answer = "We are sorry that the invoice export is broken for you."
    thread = (Message(role="agent", text=answer), Message(role="customer", text="It is the calendar."))
    item = Item(text=f"{answer}\nIt is the calendar that does not sync.", thread=thread)
    (signal,) = engine.extract([item])[0]
    assert [span.quote for span in signal.evidence] == ["It is the calendar that does not sync."]


def test_two_runs_over_the_same_items_give_the_same_bytes(engine: LocalEngine) -> None:
    items = [Item(text="The export crashes. Please add a filter."), Item(text="Der Export stürzt ab, bitte helfen.")]
    whole = engine.extract(items)
    again = [engine.extract([item])[0] for item in reversed(items)][::-1]
    assert whole == again
    wording = [signal.wording for signals in whole for signal in signals]
    assert engine.embed(wording).tobytes() == b"".join(engine.embed([text]).tobytes() for text in wording)
