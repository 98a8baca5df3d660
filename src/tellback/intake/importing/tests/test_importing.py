"""Files as people have them become feedback, once, however often and however brokenly they are imported."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tellback.intake.importing.columns import map_columns
from tellback.intake.importing.rows import parse_time
from tellback.intake.importing.services import (
    BATCH,
    ImportReport,
    Refusal,
    plan_import,
    rehearse_import,
    run_import,
)
from tellback.intake.importing.table import inspect, rows
from tellback.intake.models import ImportRun, RawItem
from tellback.kernel.errors import Invalid
from tellback.workspaces.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def nothing(report: ImportReport, refused: list[Refusal]) -> None:
    """Watches and does nothing."""


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "export.csv"
    path.write_bytes(text.encode(encoding))
    return path


def do_import(workspace: Workspace, path: Path, **options: Any) -> ImportReport:
    plan = plan_import(path=path, wanted=options.pop("wanted", {}), **options)
    return run_import(workspace_id=workspace.id, plan=plan, now=NOW, watch=nothing)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = f'id{delimiter}text\n1{delimiter}"Größe, fehlt; wirklich"\n'
    table = inspect(write(tmp_path, text, encoding))
    assert [row.cells for row in rows(table)] == [{"id": "1", "text": "Größe, fehlt; wirklich"}]


def test_cells_may_hold_line_breaks_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    table = inspect(write(tmp_path, 'text,stars\n"one\n\ntwo",5\n\nthree,4\n'))
    assert [(row.number, row.cells["text"]) for row in rows(table)] == [(1, "one\n\ntwo"), (2, "three")]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("id", "split", "text", "stars", "label"), {"text": "text", "id": "id", "rating": "stars"}),
        (
            ("Review Submit Date and Time", "Star Rating", "Review Title", "Review Text", "Review Link"),
            {
                "text": "Review Text", "subject": "Review Title", "date": "Review Submit Date and Time",
                "rating": "Star Rating", "url": "Review Link",
            },
        ),
        (("Title", "created_at"), {"text": "Title", "date": "created_at"}),
        (("E-Mail Address", "FEEDBACK"), {"text": "FEEDBACK", "email": "E-Mail Address"}),
    ],
)  # fmt: skip
def test_headers_are_understood_as_people_write_them(header: tuple[str, ...], expected: dict[str, str]) -> None:
    assert map_columns(header, wanted={}) == expected


def test_a_wrong_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="Did you mean “Comment text”"):
        map_columns(["Comment text", "when"], wanted={"text": "Comment txt"})


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("2026-03-04T05:06:07Z", False, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04 05:06", False, datetime(2026, 3, 4, 5, 6, tzinfo=UTC)),
        ("04.03.2026", False, datetime(2026, 3, 4, tzinfo=UTC)),
        ("3/4/2026", False, datetime(2026, 3, 4, tzinfo=UTC)),
        ("3/4/2026", True, datetime(2026, 4, 3, tzinfo=UTC)),
        ("31/1/2026", False, datetime(2026, 1, 31, tzinfo=UTC)),
        ("1772600767", False, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("1772600767000", False, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("Wed, 04 Mar 2026 05:06:07 +0000", False, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_files_write_them(text: str, day_first: bool, expected: datetime) -> None:
    assert parse_time(text, day_first=day_first) == expected


def test_an_unreadable_time_refuses_the_row() -> None:
    with pytest.raises(Invalid, match="some day"):
        parse_time("some day", day_first=False)


def test_a_row_keeps_its_author_its_rating_and_what_is_not_known(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, "text,email,name,stars,Country,Type\nToo slow,Ada@Example.com,Ada,2,DE,Feature Request\n")
    assert do_import(workspace, path).added == 1
    item = RawItem.objects.get()
    assert item.author == {"email": "ada@example.com", "name": "Ada"}
    assert item.context_envelope["rating"] == 2
    assert item.context_envelope["metadata"]["Country"] == "DE"
    assert (item.category, item.channel, item.silent) == ("feature_request", "review", True)


def test_a_second_run_adds_nothing(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, "text\n" + "".join(f"Number {number}\n" for number in range(250)))
    assert do_import(workspace, path).added == 250
    again = do_import(workspace, path)
    assert (again.added, again.known, again.read) == (0, 250, 250)
    assert RawItem.objects.count() == 250


def test_a_longer_export_adds_only_what_is_new(workspace: Workspace, tmp_path: Path) -> None:
    do_import(workspace, write(tmp_path, "id,text\n1,One\n2,Two\n"))
    report = do_import(workspace, write(tmp_path, "id,text\n1,One\n2,Two\n3,Three\n"))
    assert (report.added, report.known) == (1, 2)


def test_a_killed_import_goes_on_where_it_stood(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, "id,text\n" + "".join(f"{number},Number {number}\n" for number in range(350)))
    plan = plan_import(path=path, wanted={})

    def killed(report: ImportReport, refused: list[Refusal]) -> None:
        if report.read == 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(workspace_id=workspace.id, plan=plan, now=NOW, watch=killed)
    assert ImportRun.objects.get().rows_read == RawItem.objects.count() == 2 * BATCH
    report = run_import(workspace_id=workspace.id, plan=plan, now=NOW, watch=nothing)
    assert (report.resumed_after, report.added, report.known) == (2 * BATCH, 350, 0)
    assert RawItem.objects.count() == 350


def test_bad_rows_are_refused_with_a_reason_and_the_others_taken(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, f"text,date\nGood,\n,2026-01-01\nBad,some day\n{'x' * 20_001},\nA\x00B,\nGood too,,,\n")
    report = do_import(workspace, path)
    assert (report.read, report.added, report.refused) == (6, 1, 5)
    messages = [error["message"] for error in ImportRun.objects.get().errors]
    assert [message.split(":")[0] for message in messages[:2]] == ["has no text", "has a date that cannot be read"]


def test_a_rehearsal_stores_nothing(workspace: Workspace, tmp_path: Path) -> None:
    plan = plan_import(path=write(tmp_path, "text\nOne\nTwo\n"), wanted={})
    report = rehearse_import(plan=plan, now=NOW, watch=nothing)
    assert (report.read, report.added, len(report.samples)) == (2, 2, 2)
    assert RawItem.objects.count() == ImportRun.objects.count() == 0


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_answered_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="is empty"):
        inspect(write(tmp_path, text))


def test_a_file_that_is_not_there_is_answered_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Cannot read"):
        inspect(tmp_path / "none.csv")


def test_the_sample_file_of_the_docs_comes_in_whole(workspace: Workspace) -> None:
    sample = Path(__file__).parents[5] / "docs" / "samples" / "feedback.csv"
    report = do_import(workspace, sample)
    assert (report.added, report.refused) == (20, 0)
    item = RawItem.objects.get(external_id="s-01")
    assert item.source_created_at.date().isoformat() == "2026-10-02"
    assert item.author["email"] == "ines@example.com"
    assert item.context_envelope["rating"] == 2
