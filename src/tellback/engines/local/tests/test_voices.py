"""Whose words count: the person's own, not a machine's, a seller's, an agent's or a quoted answer's."""

import time

import pytest

from tellback.engines.local import LocalEngine
from tellback.engines.local.machines import why_nobody_speaks
from tellback.sdk.engine import Item, Message


def quotes(engine: LocalEngine, text: str, subject: str = "") -> list[str]:
    return [span.quote for signal in engine.extract([Item(text=text, subject=subject)])[0] for span in signal.evidence]


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until Monday with limited access to email.",
        "Hi, I'm on PTO this week and will respond when I return on Monday.",
        "Thank you for your message. This is an automated response, we will reply within two days.",
        "Thanks for reaching out! We have received your request and our team will get back to you within 24 hours.",
        "Mail delivery failed: returning message to sender. The following address failed: bob@example.com",
        "Ich bin derzeit nicht im Büro und ab dem 3. Mai wieder erreichbar.",
        "Guten Tag, ich befinde mich bis zum 12. August im Urlaub. In dringenden Fällen hilft Frau Keller.",
        "Ihre Anfrage ist bei uns eingegangen. Dies ist eine automatisch erstellte E-Mail.",
        "Gracias por su correo. Estaré fuera de la oficina hasta el lunes sin acceso al correo.",
        "Este es un mensaje automático, por favor no responda.",
        "Bonjour, je suis actuellement en congés jusqu'au 15 août. En cas d'urgence, appelez le standard.",
        "Sono in ferie fino al 20 agosto e risponderò al mio rientro.",
        "Estou de férias até dia 10 e não terei acesso ao e-mail.",
        "Ik ben afwezig tot en met 3 mei en lees mijn e-mail niet.",
        "Jestem na urlopie do 12 lipca, odpowiem po powrocie.",
        "Jag är på semester till den 5 augusti och läser inte min e-post.",
        "自動返信メールです。ただいま不在にしております。",
    ],
)
def test_an_automatic_reply_is_no_feedback(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) == []
    assert why_nobody_speaks(text) == "An automatic reply"


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Your invoice", "Abwesenheitsnotiz: Umfrage", "Undeliverable: hello"]
)
def test_a_subject_of_machines_is_enough(engine: LocalEngine, subject: str) -> None:
    assert quotes(engine, "I am back on the third.", subject) == []
    assert quotes(engine, "The export is empty.", "No reply to my invoice") != []


@pytest.mark.parametrize(
    "text",
    [
        "Our October newsletter is here! Register for our webinar. View this email in your browser. Unsubscribe here.",
        "This week at Acme: tips and events. You are receiving this because you subscribed. Unsubscribe.",
        "Unser Newsletter im Mai: 30 % Rabatt auf alle Kurse. Jetzt sichern. Newsletter abbestellen: https://example.com",
    ],
)
def test_a_newsletter_is_no_feedback(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) == []
    assert why_nobody_speaks(text) == "A newsletter"


@pytest.mark.parametrize(
    "text",
    [
        "We offer affordable SEO services and high quality backlinks, visit our website https://example.com today",
        "Earn $500 per day from home with bitcoin trading! Click here www.example.com",
        "Best online casino, 100% guaranteed jackpot. Click the link https://example.com",
        "Gana 500 € al día desde casa con criptomonedas. Haz clic aquí https://example.com",
        "I came across your website. Our agency can get you 50 quality leads a month. Quick call this week?",
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
        "Your automatic email arrives three times for every order.",
        "I am on the annual leave page and it shows 0 days until I reload.",
        "Die App zeigt meinen Urlaub falsch an, ich bin bis Montag im Urlaub eingetragen, war aber krank.",
        "La app no deja registrar las vacaciones del equipo fuera de la oficina hasta marzo.",
        "The message says 'we have received your request' but nobody gets back to us.",
        "Delivery has failed twice for my order.",
        "I never subscribed to your newsletter and the unsubscribe button does nothing.",
        "The webinar page says save 20% but the price is the same.",
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


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (
            "Geht nicht.\n\nAm 03.11.2026 um 10:12 schrieb Support <help@example.com>:\n> Bitte erneut versuchen.",
            ["Geht nicht."],
        ),
        (
            "Geht nicht.\n\nVon: Support <help@example.com>\nGesendet: Dienstag, 3. November 2026 10:12\nAn: Mich\n"
            "Betreff: AW: kaputt\n\nBitte leeren Sie den Cache.",
            ["Geht nicht."],
        ),
        (
            "FYI\n\n---------- Forwarded message ---------\nFrom: Ann <ann@example.com>\nSubject: Exports\nTo: Sam\n\n"
            "The PDF export cuts off the last column.",
            ["The PDF export cuts off the last column."],
        ),
        (
            "Begin forwarded message:\n\nFrom: Tom <tom@example.com>\nDate: 3 November 2026\n\nI cannot log in.",
            ["I cannot log in."],
        ),
        ("The report page is empty.\n\n-- \nJane Doe\nHead of Ops, Acme\nTel. 555 0100", ["The report page is empty."]),
        (
            "Please add an API for invoices.\n\nMit freundlichen Grüßen\nMax Mustermann\nGeschäftsführer\n"
            "Diese E-Mail ist vertraulich und nur für den Empfänger bestimmt.",
            ["Please add an API for invoices."],
        ),
        (
            "Ticket #1234\n\nMaria Gomez, Nov 3, 10:12:\nThe app logs me out.\n\nJohn (Acme Support), Nov 3, 11:00:\n"
            "Sorry! Could you try again?",
            ["The app logs me out."],
        ),
        ("Chatbot: Welcome!\nYou: the checkout fails\nChatbot: Choose a topic.", ["the checkout fails"]),
        ("Kunde: Die Rechnung lädt nicht.\nMitarbeiter: Das tut uns leid.", ["Die Rechnung lädt nicht."]),
        ("Things I miss:\n1. Dark mode\n2. An export to Excel", ["Dark mode", "An export to Excel"]),
        (
            "a) login fails on iPad b) cannot change the avatar c) please add CSV export",
            ["login fails on iPad", "cannot change the avatar", "please add CSV export"],
        ),
    ],
)
def test_only_the_persons_own_words_are_quoted(engine: LocalEngine, text: str, own: list[str]) -> None:
    assert quotes(engine, text) == own


@pytest.mark.parametrize(
    "text",
    [
        "Thanks\nThe export still fails. Could you look into it?",
        "From: the list I pick a name. To: the form it never gets.",
        "Regards is what the template says, but the name is missing!",
    ],
)
def test_what_only_looks_like_a_head_or_a_sign_off_is_heard(engine: LocalEngine, text: str) -> None:
    assert len(" ".join(quotes(engine, text))) > 40


@pytest.mark.parametrize("text", ["12345", "https://example.com/app", "+1", "❤️❤️ 5⭐", "me@example.com"])
def test_numbers_and_addresses_say_nothing(engine: LocalEngine, text: str) -> None:
    assert quotes(engine, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20_000,
        "应用经常崩溃" * 3_300,
        "> " * 10_000,
        "a. " * 6_600,
        "x@" * 10_000,
        "a) " * 6_600,
        "ich bin " * 2_500,
    ],
)
def test_long_texts_of_any_making_are_bounded_in_time(engine: LocalEngine, text: str) -> None:
    began = time.process_time()
    (signals,) = engine.extract([Item(text=text)])
    assert time.process_time() - began < 5
    assert len(signals) <= 12


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
