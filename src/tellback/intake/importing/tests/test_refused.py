"""The file of refused rows runs nothing in a spreadsheet and is the same rows again when it is imported."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.importing.reading import open_file
from tellback.intake.importing.refused import FORMULA, RefusedFile, neutral, original

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", " =1", "＝1", "'=1", "''=1", "'\t"]


@pytest.mark.parametrize("cell", HOSTILE)
def test_what_could_run_is_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    assert original(neutral(cell)) == cell


@pytest.mark.parametrize("cell", ["", "fine", "'tis fine", "1-2", "a=b", "'quoted'"])
def test_what_cannot_run_is_left_alone(cell: str) -> None:
    assert neutral(cell) == cell == original(cell)


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n \x00aé＝"), max_size=8))
def test_every_text_comes_back_and_no_written_one_can_run(cell: str) -> None:
    assert original(neutral(cell)) == cell
    assert neutral(cell).startswith("'") or not FORMULA.match(neutral(cell))


def test_a_file_of_refused_rows_is_the_same_rows_again(tmp_path: Path) -> None:
    path = tmp_path / "export.errors.csv"
    columns = ("=text", "date", "note")
    told = {"=text": "=HYPERLINK(1)", "date": "some day", "note": "'=quoted"}
    with path.open("w", encoding="utf-8", newline="") as file:
        refused = RefusedFile(file, columns)
        refused.write_header()
        refused.write(told, reason="has a date that cannot be read: “some day”", number=7)
    with path.open(encoding="utf-8", newline="") as file:
        header, written = csv.reader(file)
    assert header == ["'=text", "date", "note", "why refused", "row"]
    assert written[0] == "'=HYPERLINK(1)"
    with open_file(path) as opened:
        (table,) = opened.tables
        assert table.columns == columns
        assert [row.cells for row in table.rows()] == [told]


def test_an_apostrophe_in_a_file_of_somebody_elses_stays(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("text,note\n'=1+1,x\n", encoding="utf-8")
    with open_file(path) as opened:
        assert [row.cells["text"] for row in opened.tables[0].rows()] == ["'=1+1"]
