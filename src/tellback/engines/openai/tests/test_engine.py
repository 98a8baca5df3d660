"""The engine on a language model: what it sends, what it takes, what it remembers, and when the local one stands in."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tellback.engines.openai.engine import BATCH, GIVE_UP_AFTER
from tellback.engines.openai.fake import Asked, Sends, answers, evil, follows_orders, garbage, refuses, well
from tellback.engines.openai.prompts import Pass
from tellback.engines.openai.tests.conftest import Bench
from tellback.kernel.errors import Unavailable
from tellback.sdk.engine import CorrectionExample, Item, KnownTheme, Message, NamedThing, Taxonomy, Usage

ITEM = Item("The CSV export crashes. Please add dark mode.", subject="Two things", stars=2)
TAXONOMY = Taxonomy(
    boards=(NamedThing("board-of-exports", "Exports: everything that leaves"),),
    tags=(NamedThing("tag-of-csv", "csv"), NamedThing("tag-of-looks", "looks")),
    themes=(
        KnownTheme(
            "theme-of-exports", "Broken exports", "Exports lose rows", "board-of-exports", 4, ("It drops rows",), 0.8
        ),
        KnownTheme("theme-of-login", "Login", "People are logged out", None, 2, (), 0.1),
    ),
    corrections=(CorrectionExample("themeId", "Login", "Broken exports", "It is about files", "The file is empty"),),
    guidance="Money is always billing.",
)


def test_both_passes_keep_their_contract(bench: Bench) -> None:
    engine = bench.engine()
    (found,) = engine.extract([ITEM])
    assert [one.signal_type for one in found] == ["bug_report", "feature_request"]
    assert found.origin.usage == Usage(100, 20)
    assert (found.origin.model, found.origin.prompt_version, found.origin.fallback) == ("reader", "v1", "")
    meant = engine.interpret([ITEM] * 2, found, taxonomies=[TAXONOMY] * 2)
    assert meant[0].board_id == "board-of-exports"
    assert meant[0].tag_ids == ("tag-of-csv",)
    assert meant[0].theme is not None and meant[0].theme.theme_id == "theme-of-exports"
    assert meant[0].origin is not None and meant[0].origin.model == "sorter"
    assert bench.books.held == 0


def test_pass_one_sees_the_item_and_its_context_as_data(bench: Bench) -> None:
    thread = (Message("agent", "Have you tried <b>again</b>?"), Message("", "Yes"))
    bench.engine().extract([replace(ITEM, source="zendesk", page="Exports", thread=thread)])
    (asked,) = bench.model.asked
    assert asked.data == {
        "text": ITEM.text, "subject": "Two things", "category": "other", "stars": 2, "source": "zendesk",
        "page": "Exports",
        "thread": [{"role": "agent", "text": "Have you tried <b>again</b>?"}, {"role": None, "text": "Yes"}],
    }  # fmt: skip
    assert "<" not in asked.shown
    assert ITEM.text not in asked.system


def test_pass_two_sees_the_taxonomy_under_names_that_cannot_be_guessed_from_ids(bench: Bench) -> None:
    engine = bench.engine()
    (found,) = engine.extract([ITEM])
    engine.interpret([ITEM], found[:1], taxonomies=[TAXONOMY])
    asked = bench.model.asked[-1]
    known = asked.data["taxonomy"]
    assert known["boards"] == [{"id": "board-1", "name": "Exports: everything that leaves"}]
    assert known["themes"][0] == {
        "id": "theme-1", "title": "Broken exports", "summary": "Exports lose rows", "boardId": "board-1",
        "signalCount": 4, "topSignals": ["It drops rows"],
    }  # fmt: skip
    assert known["corrections"] == [
        {
            "about": "The file is empty",
            "field": "themeId",
            "from": "Login",
            "to": "Broken exports",
            "reason": "It is about files",
        }
    ]
    assert known["guidance"] == "Money is always billing."
    assert asked.data["candidateThemes"][0] == {"id": "theme-1", "title": "Broken exports", "similarity": 0.8}
    assert "-of-" not in json.dumps(asked.body)
    assert asked.data["signal"]["evidence"] == ["The CSV export crashes."]


def test_the_same_question_is_asked_once_however_often_it_comes(bench: Bench) -> None:
    same = [ITEM] * 3
    (first, second, third) = bench.engine().extract(same)
    assert list(first) == list(second) == list(third)
    assert [one.origin.usage.total for one in (first, second, third)] == [120, 0, 0]
    (again,) = bench.engine().extract([ITEM])
    assert list(again) == list(first)
    assert again.origin.usage.total == 0
    assert len(bench.model.asked) == 1
    assert [one.cached for one in bench.books.settled] == [False, True]


def test_another_model_or_another_context_is_another_question(bench: Bench) -> None:
    engine = bench.engine()
    engine.extract([ITEM])
    engine.extract([replace(ITEM, stars=5)])
    assert len(bench.model.asked) == 2


def test_a_remembered_answer_is_checked_again(bench: Bench) -> None:
    bench.engine().extract([ITEM])
    (key,) = bench.books.kept
    bench.books.kept[key] = '{"signals": [{"anything": 1}]}'
    (found,) = bench.engine().extract([ITEM])
    assert [one.signal_type for one in found] == ["bug_report", "feature_request"]
    assert len(bench.model.asked) == 2


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(answers(500), "unreachable"), (answers(401), "key"), (garbage("prose"), "rejected"), (refuses, "refused")],
)
def test_where_the_model_does_not_answer_the_local_engine_does_and_says_so(
    bench: Bench, behaviour: object, reason: str
) -> None:
    bench.model.behaviour = behaviour  # type: ignore[assignment]
    engine = bench.engine()
    (found,) = engine.extract([ITEM])
    (alone,) = bench.local.extract([ITEM])
    assert list(found) == alone
    assert (found.origin.fallback, found.origin.model) == (reason, bench.local.identity.model)
    meant = engine.interpret([ITEM] * len(found), found, taxonomies=[TAXONOMY] * len(found))
    assert {one.origin.fallback for one in meant if one.origin} == {reason}
    assert all(one.theme is None for one in meant)
    assert bench.books.held == 0


@pytest.mark.parametrize("refusal", ["budget", "paused"])
def test_without_leave_to_spend_nothing_is_sent(bench: Bench, refusal: str) -> None:
    bench.books.refusal = refusal
    (found,) = bench.engine().extract([ITEM])
    assert found.origin.fallback == refusal
    assert found
    assert bench.model.asked == []


def test_what_was_thrown_away_is_counted_with_what_it_cost(bench: Bench) -> None:
    bench.model.behaviour = garbage("prose")
    (found,) = bench.engine().extract([ITEM])
    assert bench.books.rejected == {"not_json": 2}
    assert found.origin.usage == Usage(200, 40)


def test_text_without_words_is_not_sent(bench: Bench) -> None:
    assert [list(found) for found in bench.engine().extract([Item("👍👍"), Item(""), Item(" \n")])] == [[], [], []]
    assert bench.model.asked == []


def test_private_text_does_not_leave_wherever_it_stands(bench: Bench) -> None:
    bench.books.secret = "4111 1111 1111 1111"
    leaky = [
        replace(ITEM, text=f"{ITEM.text} My card is 4111 1111 1111 1111."),
        replace(ITEM, subject="4111 1111 1111 1111"),
        replace(ITEM, page="4111 1111 1111 1111"),
        replace(ITEM, thread=(Message("agent", "Is it 4111 1111 1111 1111?"),)),
    ]
    found = bench.engine().extract(leaky)
    assert [one.origin.fallback for one in found] == ["private"] * 4
    bench.engine().describe([ITEM.text, "4111 1111 1111 1111"], bench.local.embed(["a", "b"]), background=None)
    assert bench.model.asked == []


def test_a_batch_gives_up_when_several_in_a_row_bring_nothing(bench: Bench) -> None:
    bench.model.behaviour = answers(500)
    items = [replace(ITEM, text=f"Export number {number} crashes.") for number in range(20)]
    found = bench.engine().extract(items)
    assert {one.origin.fallback for one in found} == {"unreachable"}
    assert len(bench.model.asked) <= 4 * (GIVE_UP_AFTER + BATCH)


def test_an_evil_model_adds_nothing_that_nobody_said(bench: Bench) -> None:
    bench.model.behaviour = evil
    items = [replace(ITEM, text=f"Export number {number} crashes. Dark mode please.") for number in range(8)]
    engine = bench.engine()
    extracted = engine.extract(items)
    flat = [one for found in extracted for one in found]
    assert flat
    for item, found in zip(items, extracted, strict=True):
        assert all(span.is_verbatim_in(item.text) for one in found for span in one.evidence)
        assert found.origin.fallback == "rejected"
    sources = [item for item, found in zip(items, extracted, strict=True) for _ in found]
    for meant in engine.interpret(sources, flat, taxonomies=[TAXONOMY] * len(flat)):
        assert meant.board_id in {None, "board-of-exports"}
        assert set(meant.tag_ids) <= {"tag-of-csv", "tag-of-looks"}
        assert meant.theme is None
    assert sum(bench.books.rejected.values()) >= 2 * len(items)


def test_a_model_that_follows_the_texts_orders_can_only_say_harmless_words(bench: Bench) -> None:
    bench.model.behaviour = follows_orders
    engine = bench.engine()
    (found,) = engine.extract([ITEM])
    meant = engine.interpret([ITEM] * len(found), found, taxonomies=[TAXONOMY] * len(found))
    words = engine.describe(["One", "Two"], bench.local.embed(["One", "Two"]), background=None)
    said = repr((list(found), meant, words.title, words.summary))
    assert not any(part in said.lower() for part in ("http", "evil.example", "<", "javascript:", "www.", "]("))
    assert all(span.is_verbatim_in(ITEM.text) for one in found for span in one.evidence)
    assert bench.books.rejected["unsafe_words"] > 0
    assert bench.books.rejected["unfound_quote"] == len(found)


def test_descriptions_cite_what_was_sent_and_fall_back(bench: Bench) -> None:
    texts = ["CSV export drops rows", "The CSV export drops the last rows", "Rows are missing in the CSV export"]
    vectors = bench.local.embed(texts)
    words = bench.engine().describe(texts, vectors, background=None)
    assert words.origin is not None and words.origin.model == "writer"
    assert set(words.cited) <= {0, 1, 2}
    bench.model.behaviour = answers(500)
    bench.books.kept.clear()
    instead = bench.engine().describe(texts, vectors, background=None)
    assert instead.origin is not None and instead.origin.fallback == "unreachable"
    assert (instead.title, instead.summary) == (
        bench.local.describe(texts, vectors, background=None).title,
        bench.local.describe(texts, vectors, background=None).summary,
    )


def test_vectors_come_from_the_endpoint_when_a_model_for_them_is_set(bench: Bench) -> None:
    engine = bench.engine(embedding="vectors")
    assert engine.identity.embedding_model == "vectors"
    vectors = engine.embed(["one", "two"])
    assert vectors.shape == (2, 96)
    assert [one.kind for one in bench.books.settled] == [Pass.EMBEDDING]
    assert bench.books.settled[0].usage == Usage(20, 0)
    assert bench.engine().embed(["one"]).shape == (1, bench.local.identity.dimensions)


def test_vectors_of_another_model_never_stand_in(bench: Bench) -> None:
    bench.model.behaviour = answers(500)
    with pytest.raises(Unavailable):
        bench.engine(embedding="vectors").embed(["one"])
    assert bench.books.held == 0


def test_words_are_made_on_this_machine_also_for_vectors_of_the_endpoint(bench: Bench) -> None:
    bench.model.behaviour = lambda asked: well(asked) if asked.kind == "embedding" else Sends(status=500)
    engine = bench.engine(embedding="vectors")
    texts = ["CSV export drops rows", "The CSV export drops the last rows"]
    words = engine.describe(texts, engine.embed(texts), background=np.zeros(96, dtype=np.float32))
    assert words.title and words.summary


def test_a_question_stands_alone_so_that_no_text_speaks_to_another(bench: Bench) -> None:
    items = [replace(ITEM, text=f"Number {number} is slow.") for number in range(5)]
    bench.engine().extract(items)
    for asked in bench.model.asked:
        assert sum(item.text in asked.shown for item in items) == 1


def test_what_it_costs_in_all_is_what_is_entered(bench: Bench) -> None:
    spent: Counter[str] = Counter()

    def counted(asked: Asked) -> Sends:
        spent["tokens"] += 120
        return well(asked)

    bench.model.behaviour = counted
    engine = bench.engine()
    (found,) = engine.extract([ITEM])
    engine.interpret([ITEM] * 2, found, taxonomies=[TAXONOMY] * 2)
    assert sum(one.usage.total for one in bench.books.settled) == spent["tokens"]
