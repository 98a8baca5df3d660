"""What the local engine promises: verbatim quotes, one signal per need, sensible kinds and titles."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from tellback.engines.local import LocalEngine
from tellback.engines.local.model import ensure_model, find_model_files
from tellback.kernel.errors import Unavailable
from tellback.sdk.engine import Item


def kinds(engine: LocalEngine, text: str, stars: int | None = None) -> list[str]:
    return [signal.signal_type for signal in engine.extract([Item(text=text, stars=stars)])[0]]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please add an option to export the report as a spreadsheet.", "feature_request"),
        ("The app crashes whenever I open a large file.", "bug_report"),
        ("How do I transfer a project to somebody else?", "question"),
        ("Your team is wonderful and the new editor is a joy.", "praise"),
        ("We are cancelling our subscription at the end of the month.", "churn_risk"),
    ],
)
def test_a_plain_sentence_is_the_kind_that_a_person_would_say(engine: LocalEngine, text: str, kind: str) -> None:
    assert kinds(engine, text) == [kind]


def test_two_needs_in_one_text_are_two_signals_in_the_order_of_the_text(engine: LocalEngine) -> None:
    found = kinds(
        engine, "I love how fast the search has become. The CSV export crashes with more than 500 rows though."
    )
    assert found == ["praise", "bug_report"]


def test_a_question_about_a_fault_stays_one_signal_with_it(engine: LocalEngine) -> None:
    (signal,) = engine.extract([Item(text="My card payment was declined this morning. Why is that?")])[0]
    assert len(signal.evidence) == 1
    assert signal.evidence[0].quote == "My card payment was declined this morning. Why is that?"


def test_greeting_and_sign_off_are_no_evidence(engine: LocalEngine) -> None:
    (signal,) = engine.extract([Item(text="Hi team,\n\nThe invoice total is wrong.\n\nBest regards")])[0]
    assert [span.quote for span in signal.evidence] == ["The invoice total is wrong."]


@pytest.mark.parametrize("text", ["", "   \n", "👍👍👍", "!!! ... ???"])
def test_a_text_without_words_has_no_signal(engine: LocalEngine, text: str) -> None:
    assert engine.extract([Item(text=text)]) == [[]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=400))
def test_every_quote_of_any_text_is_verbatim(engine: LocalEngine, text: str) -> None:
    for signal in engine.extract([Item(text=text)])[0]:
        assert all(span.is_verbatim_in(text) for span in signal.evidence)
        assert 0 < signal.confidence <= 1


def test_answers_keep_the_order_of_the_batch_and_do_not_depend_on_it(engine: LocalEngine) -> None:
    items = [Item(text="Login fails."), Item(text=""), Item(text="Please add dark mode. It would help at night.")]
    together = engine.extract(items)
    assert [len(signals) for signals in together] == [1, 0, 1]
    alone = [engine.extract([item])[0] for item in items]
    assert [[s.evidence for s in signals] for signals in together] == [[s.evidence for s in one] for one in alone]


def test_feeling_and_pressure_follow_the_words(engine: LocalEngine) -> None:
    items = [Item(text="Wonderful, thank you!"), Item(text="Data loss: it deleted all our data, this is terrible.")]
    signals = [signals[0] for signals in engine.extract(items)]
    happy, upset = engine.interpret(items, signals)
    assert (happy.sentiment, happy.urgency) == ("positive", "low")
    assert (upset.sentiment, upset.urgency) == ("negative", "critical")


def test_vectors_have_length_one_and_likeness_means_likeness(engine: LocalEngine) -> None:
    vectors = engine.embed(["The app crashes on start", "It crashes when I open it", "Please add dark mode", ""])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_title_names_what_the_sentences_share(engine: LocalEngine) -> None:
    texts = [
        "Camera upload has stopped since the update",
        "My camera upload has stopped",
        "camera upload does not start any more",
        "Why has camera upload stopped?",
    ]
    words = engine.describe(texts, engine.embed(texts), background=engine.background)
    assert words.title.lower().startswith("camera upload")
    assert texts[words.cited[0]].rstrip("?.") in words.summary


def test_mood_alone_is_no_title(engine: LocalEngine) -> None:
    texts = ["Terrible support for invoices", "Terrible, invoices again", "terrible invoices"]
    assert "invoices" in engine.describe(texts, engine.embed(texts), background=None).title.lower()


def test_the_engine_is_loaded_without_its_training_and_building_tools(tmp_path: Path) -> None:
    ensure_model(find_model_files(None), cache_dir=tmp_path)
    code = (
        "import sys; from pathlib import Path; from tellback.engines.local import load_local_engine;"
        f"load_local_engine(cache_dir=Path({str(tmp_path)!r})).embed(['x']);"
        "print(sorted({'onnx', 'sklearn', 'scipy', 'django', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_no_thread_is_kept_turning_beside_the_one_it_was_given(engine: LocalEngine) -> None:
    items = [
        Item(text=f"The export of the {word} report fails. Please add a filter.") for word in ("daily", "big") * 20
    ]
    assert engine.extract(items)
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


def test_the_model_is_built_once(tmp_path: Path) -> None:
    files = find_model_files(None)
    first = ensure_model(files, cache_dir=tmp_path)
    made = first.stat().st_mtime_ns
    assert ensure_model(files, cache_dir=tmp_path) == first
    assert first.stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"config\.json, model\.safetensors, tokenizer\.json"):
        find_model_files(tmp_path)
