"""The measure of corrections: what it draws, what it says, and what it refuses."""

from pathlib import Path

import pytest

from tellback.kernel.errors import Invalid
from tellback.understanding.engine import get_engine
from tellback.understanding.evaluation import evaluate_corrections

QUESTIONS = ["The {} on my bill is new to me.", "There is a {} on the bill that I do not know.", "My bill shows a {}."]
REQUESTS = ["Please add a {} to the search.", "I would love a {} in the calendar.", "It would be great to have a {}."]
THINGS = ["fee", "filter", "charge", "line", "tax", "field", "code", "note", "limit", "badge"]


def write(folder: Path, rows: list[str]) -> Path:
    path = folder / "labelled.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


def test_what_people_call_things_here_is_learnt(tmp_path: Path) -> None:
    rows = [f"{text.format(thing)},question" for thing in THINGS for text in QUESTIONS]
    rows += [f"{text.format(thing)},feature" for thing in THINGS for text in REQUESTS]
    figures = evaluate_corrections(write(tmp_path, rows), engine=get_engine(), runs=2)
    before, after = figures["macro_f1_before"], figures["macro_f1"]
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert after > before + 0.03
    assert figures["rows"] == 30
    again = evaluate_corrections(write(tmp_path, rows), engine=get_engine(), runs=2)
    assert {**again, "fit_seconds": 0} == {**figures, "fit_seconds": 0}


def test_a_label_that_is_no_type_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="weather"):
        evaluate_corrections(write(tmp_path, ["It rains.,weather", "It snows.,bug"]), engine=get_engine())
