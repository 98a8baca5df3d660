"""The reports: right figures on files small enough to check by hand, and one sentence for a file that is no use."""

import csv
import json
from pathlib import Path

import pytest

from tellback.engines.local import LocalEngine, load_local_engine
from tellback.kernel.errors import Invalid, NotFound
from tellback.themes.evaluation import evaluate_stream, evaluate_themes
from tellback.understanding import evaluation


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    return load_local_engine(cache_dir=tmp_path_factory.mktemp("models"))


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_intent_is_measured_on_the_test_rows_only(tmp_path: Path, engine: LocalEngine) -> None:
    rows = [
        {"split": "test", "text": "It crashes every time I open it, please fix this bug", "stars": "1", "label": "bug"},
        {"split": "test", "text": "Please add an option to sort the list by date", "stars": "4", "label": "feature"},
        {"split": "train", "text": "Please add an option to sort the list", "stars": "4", "label": "bug"},
    ]
    report = evaluation.evaluate_intent(table(tmp_path / "a.csv", rows), engine=engine)
    assert (report["macro_f1"], report["rows"]) == (1, 2)


def test_sentiment_and_issues_are_measured_in_folds(tmp_path: Path, engine: LocalEngine) -> None:
    rows = [{"text": f"great work, thank you {n}", "label": "positive"} for n in range(10)]
    rows += [{"text": f"this is terrible and wrong {n}", "label": "negative"} for n in range(10)]
    assert evaluation.evaluate_sentiment(table(tmp_path / "a.csv", rows), engine=engine)["macro_f1"] == 1
    issues = [{"title": row["text"], "body": "", "label": row["label"]} for row in rows]
    assert evaluation.evaluate_issues(table(tmp_path / "b.csv", issues), engine=engine)["macro_f1"] == 1


def test_too_few_rows_of_a_label_are_refused(tmp_path: Path, engine: LocalEngine) -> None:
    rows = [{"text": "a", "label": "positive"}, {"text": "b", "label": "negative"}]
    with pytest.raises(Invalid, match="five rows of each label"):
        evaluation.evaluate_sentiment(table(tmp_path / "a.csv", rows), engine=engine)


def test_duplicates_get_a_figure_for_each_signal(tmp_path: Path, engine: LocalEngine) -> None:
    rows = [
        {"a": "The export crashes on my tablet", "b": "the export crashes on my tablet!!", "duplicate": "1"},
        {"a": "The export crashes on my tablet", "b": "Please add dark mode", "duplicate": "0"},
    ]
    report = evaluation.evaluate_duplicates(table(tmp_path / "a.csv", rows), engine=engine)
    assert report["recall_at_p99"] == report["auc"] == report["semantic_auc"] == 1


def test_themes_are_found_and_noise_stays_alone(tmp_path: Path, engine: LocalEngine) -> None:
    needs = {
        "dark": [
            "Please add dark mode",
            "We need a dark mode",
            "Dark mode please",
            "I want dark mode",
            "Add dark mode",
        ],
        "pin": [
            "How do I change my PIN?",
            "Change my PIN",
            "I want to change the PIN",
            "PIN change",
            "Can I change PIN?",
        ],
    }
    rows = [{"text": text, "label": label} for label, texts in needs.items() for text in texts]
    rows.append({"text": "Which wine goes with salmon?", "label": "__noise__"})
    path = table(tmp_path / "a.csv", rows)
    for report in (evaluate_themes(path, engine=engine), evaluate_stream(path, engine=engine)):
        assert report["true_themes_of_five"] == 2
        assert float(str(report["bcubed_f1"])) > 0.8


def test_signals_are_scored_by_their_place(tmp_path: Path, engine: LocalEngine) -> None:
    text = "I love the new search. The CSV export crashes with more than 500 rows."
    wanted = [
        {"start": 0, "end": 22, "quote": text[:22], "label": "rating"},
        {"start": 23, "end": len(text), "quote": text[23:], "label": "bug"},
    ]
    rows: list[dict[str, object]] = [{"text": text, "signals": wanted}, {"text": "It freezes.", "signals": []}]
    report = evaluation.evaluate_signals(lines(tmp_path / "a.jsonl", rows), engine=engine)
    assert report["span_f1"] == report["segment_iou80"] == report["label_accuracy"] == report["precision"] == 1
    assert report["precision_all_rows"] == pytest.approx(2 / 3)


def test_what_a_file_does_not_label_is_not_held_against_the_engine(tmp_path: Path, engine: LocalEngine) -> None:
    text = "I love the new search. The CSV export crashes with more than 500 rows."
    crash = {"start": 23, "end": len(text), "quote": text[23:], "label": "Crashing Issues"}
    report = evaluation.evaluate_signals(
        lines(tmp_path / "a.jsonl", [{"text": text, "signals": [crash]}]), engine=engine
    )
    assert report["precision"] == report["tight_f1"] == 1


def test_pii_is_scored_by_type_and_place(tmp_path: Path) -> None:
    text = "Write to ann@example.org"
    rows: list[dict[str, object]] = [
        {"text": text, "spans": [{"start": 9, "end": len(text), "type": "EMAIL"}]},
        {"text": "It is 24 degrees", "spans": []},
    ]
    report = evaluation.evaluate_pii(lines(tmp_path / "a.jsonl", rows))
    assert (report["precision"], report["recall"], report["rows"]) == (1, 1, 2)


def test_a_file_that_is_no_use_is_refused_in_one_sentence(tmp_path: Path, engine: LocalEngine) -> None:
    with pytest.raises(NotFound):
        evaluation.evaluate_intent(tmp_path / "none.csv", engine=engine)
    with pytest.raises(Invalid, match="no column label"):
        evaluation.evaluate_intent(table(tmp_path / "a.csv", [{"text": "x"}]), engine=engine)
    broken = tmp_path / "b.jsonl"
    broken.write_text("{}\nnot json", encoding="utf-8")
    with pytest.raises(Invalid, match="line 1"):
        evaluation.evaluate_pii(broken)
