"""An import of the page runs in jobs: from upload to undo, sealed while it waits, whole after any kill."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from tellback.intake.importing import background, keeping
from tellback.intake.importing.desk import (
    discard,
    go_on,
    receive_file,
    set_plan,
    start_import,
    start_rehearsal,
    start_undo,
)
from tellback.intake.importing.plan import plan_from_json
from tellback.intake.importing.services import save_mapping, stop_import
from tellback.intake.importing.tests.conftest import NOW
from tellback.intake.models import ImportRefusal, ImportRun, ImportState, RawItem
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.platform.sealing import WrongSeal
from tellback.workspaces.models import Workspace


def work(run: ImportRun) -> None:
    """Do what the import's own jobs do, and none of the jobs about what came in."""
    background.advance_import(workspace_id=run.workspace_id, run_id=run.id, now=NOW)
    run.refresh_from_db()


ROWS = "".join(f"{number},Number {number} is said,4\n" for number in range(450))


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def pieces(text: str) -> Iterator[bytes]:
    content = text.encode()
    yield from (content[at : at + 1000] for at in range(0, len(content), 1000))


def receive(workspace: Workspace, text: str, name: str = "export.csv") -> ImportRun:
    return receive_file(workspace=workspace, name=name, content=pieces(text), actor=None, now=NOW)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("imports/**/*") if path.is_file()]


def test_a_file_goes_from_upload_to_undo(workspace: Workspace, run_jobs: Callable[[], int], data: Path) -> None:
    run = receive(workspace, "id,text,stars\n1,One,4\n2,Two,5\n,,\n")
    assert run.state == ImportState.DRAFT
    start_rehearsal(run=run)
    run_jobs()
    run.refresh_from_db()
    assert run.state == ImportState.DRAFT and run.checked
    assert (run.checked["added"], run.checked["refused"], RawItem.objects.count()) == (2, 0, 0)
    start_import(run=run, actor=None, now=NOW)
    run_jobs()
    run.refresh_from_db()
    assert (run.state, run.rows_added, run.done_share) == (ImportState.FINISHED, 2, 1)
    assert not files(data)
    start_undo(run=run, actor=None)
    run_jobs()
    run.refresh_from_db()
    assert (run.state, run.undone, RawItem.objects.count()) == (ImportState.UNDONE, {"feedback": 2}, 0)


def test_nothing_that_waits_can_be_read_and_no_part_is_another(workspace: Workspace, data: Path) -> None:
    run = receive(workspace, "id,text\n1,My secret is beryllium\n")
    kept = files(data)
    assert len(kept) == 2
    assert not any(b"beryllium" in path.read_bytes() for path in kept)
    assert "beryllium" not in str(run.plan)
    first, look = sorted(kept)
    look.write_bytes(first.read_bytes())
    with pytest.raises(WrongSeal):
        keeping.get_look(run)


def test_a_job_that_runs_again_and_again_adds_nothing_twice(workspace: Workspace, run_jobs: Callable[[], int]) -> None:
    run = receive(workspace, f"id,text,stars\n{ROWS}")
    start_import(run=run, actor=None, now=NOW)
    for turn in range(1, 3):
        background.advance_import(workspace_id=workspace.id, run_id=run.id, now=NOW, turn=0)
        assert RawItem.objects.count() == 200 * turn
    background.put_up_unfinished()
    work(run)
    work(run)
    assert (run.state, run.rows_added, run.rows_known, RawItem.objects.count()) == (ImportState.FINISHED, 450, 0, 450)


def test_an_import_that_never_gets_any_further_ends(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run = receive(workspace, "id,text\n1,One\n")
    start_import(run=run, actor=None, now=NOW)

    def killed(*_: object, **__: object) -> None:
        raise SystemError("the worker died")

    monkeypatch.setattr(background, "run_import", killed)
    for _ in range(background.MAX_TRIES):
        with pytest.raises(SystemError):
            background.advance_import(workspace_id=workspace.id, run_id=run.id, now=NOW)
    background.advance_import(workspace_id=workspace.id, run_id=run.id, now=NOW)
    run.refresh_from_db()
    assert run.state == ImportState.FAILED and "five times" in run.problem
    monkeypatch.undo()
    go_on(run=run)
    background.advance_import(workspace_id=workspace.id, run_id=run.id, now=NOW)
    assert RawItem.objects.count() == 1


def test_a_stopped_import_goes_on_behind_its_last_row(workspace: Workspace) -> None:
    run = receive(workspace, f"id,text,stars\n{ROWS}")
    start_import(run=run, actor=None, now=NOW)
    background.advance_import(workspace_id=workspace.id, run_id=run.id, now=NOW, turn=0)
    stop_import(run=run, now=NOW)
    work(run)
    assert (run.state, run.rows_added) == (ImportState.STOPPED, 200)
    go_on(run=run)
    work(run)
    assert (run.state, run.rows_added, RawItem.objects.count()) == (ImportState.FINISHED, 450, 450)


def test_a_file_with_refused_rows_stays_a_week_and_then_goes(
    workspace: Workspace, run_jobs: Callable[[], int], data: Path
) -> None:
    run = receive(workspace, "id,text,date\n1,One,\n2,Two,some day\n")
    start_import(run=run, actor=None, now=NOW)
    run_jobs()
    assert ImportRefusal.objects.count() == 1
    assert keeping.drop_idle_files(before=NOW) == 0
    run.refresh_from_db()
    with keeping.open_kept(run) as file:
        assert len(list(file.tables[0].rows())) == 2
    assert keeping.drop_idle_files(before=NOW + timedelta(seconds=1)) == 1
    run_jobs()
    assert not files(data)
    run.refresh_from_db()
    with pytest.raises(NotFound):
        keeping.get_look(run)


def test_an_erased_person_is_in_no_file_that_waits(
    workspace: Workspace, run_jobs: Callable[[], int], data: Path
) -> None:
    from tellback.intake.subjects.erasing import erase_person
    from tellback.workspaces.models import Principal

    receive(workspace, "text,email\nHello,ada@example.com\n")
    person = Principal.objects.create(workspace=workspace, email="ada@example.com")
    erase_person(person=person, actor=None, now=NOW)
    run_jobs()
    assert not files(data)
    assert ImportRun.objects.get().file_parts == 0


def test_what_is_no_table_leaves_nothing_behind(workspace: Workspace, data: Path) -> None:
    for name, text in {"a.csv": "", "b.pdf": "%PDF-1.7 no table", "c.json": '["a"'}.items():
        with pytest.raises(Invalid):
            receive(workspace, text, name)
    assert not files(data)
    assert not ImportRun.objects.exists()


def test_a_large_file_is_looked_at_by_a_job(
    workspace: Workspace, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tellback.intake.importing.desk.AT_ONCE", 100)
    monkeypatch.setattr(keeping, "PART", 1_000)
    run = receive(workspace, f"id,text,stars\n{ROWS}")
    assert (run.state, run.plan) == (ImportState.CHECKING, {}) and run.file_parts > 5
    run_jobs()
    run.refresh_from_db()
    assert run.state == ImportState.DRAFT
    assert plan_from_json(run.plan).rows == 450


def test_a_large_file_that_is_no_table_says_so(
    workspace: Workspace, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr("tellback.intake.importing.desk.AT_ONCE", 1)
    run = receive(workspace, "%PDF-1.7 no table")
    run_jobs()
    run.refresh_from_db()
    assert run.state == ImportState.FAILED and run.problem.startswith("export.csv is not a table")
    assert not files(data)


def test_a_file_beyond_the_limit_is_cut_off_as_it_arrives(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr(keeping, "MAX_UPLOAD", 5_000)
    monkeypatch.setattr(keeping, "PART", 1_000)
    with pytest.raises(Invalid, match="tellback import"):
        receive(workspace, "text\n" + "word\n" * 2_000)
    assert not files(data)


def test_a_saved_mapping_is_used_for_the_next_file_like_it(workspace: Workspace) -> None:
    from tellback.intake.importing.fields import Kind
    from tellback.intake.importing.recognising import remap

    text = "Was,Wer,Wann\nZu langsam,Ada,03/04/2026\n"
    run = receive(workspace, text.replace("Was,", "text,"))
    run = receive(workspace, text.replace("Was,", "opinion,"))
    look = keeping.get_look(run)
    plan = remap(
        look=look,
        plan=plan_from_json(run.plan),
        place=0,
        kind=Kind.FEEDBACK,
        wanted={"text": "opinion", "name": "Wer", "date": "Wann"},
    )
    assert plan.open_dates
    save_mapping(workspace=workspace, name="Umfrage", plan=plan)
    again = receive(workspace, text.replace("Was,", "opinion,"))
    assert plan_from_json(again.plan).tables[0].columns == {"text": "opinion", "name": "Wer", "date": "Wann"}


def test_a_file_whose_headers_say_nothing_waits_for_a_person(workspace: Workspace) -> None:
    run = receive(workspace, "Preis,Gewicht\n1,2\n")
    with pytest.raises(Invalid, match="holds the text"):
        start_import(run=run, actor=None, now=NOW)
    long = receive(workspace, "Preis,Was fehlt\n1,Die Suche ist zu langsam\n2,Ein dunkles Design\n")
    assert plan_from_json(long.plan).tables[0].columns == {"text": "Was fehlt"}


def test_dates_that_can_be_read_two_ways_are_asked_about_first(workspace: Workspace) -> None:
    run = receive(workspace, "text,date\nOne,03/04/2026\n")
    with pytest.raises(Invalid, match="two ways"):
        start_import(run=run, actor=None, now=NOW)
    with pytest.raises(Invalid, match="two ways"):
        start_rehearsal(run=run)


def test_an_import_that_has_begun_cannot_be_changed_or_discarded(workspace: Workspace) -> None:
    run = receive(workspace, "id,text\n1,One\n")
    start_import(run=run, actor=None, now=NOW)
    with pytest.raises(Conflict):
        set_plan(run=run, plan=plan_from_json(run.plan))
    with pytest.raises(Conflict):
        discard(run=run)
    with pytest.raises(Conflict):
        start_import(run=run, actor=None, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'intake.advance_import'")
        assert cursor.fetchone() == (1,)


def test_a_discarded_draft_takes_its_file_with_it(
    workspace: Workspace, run_jobs: Callable[[], int], data: Path
) -> None:
    discard(run=receive(workspace, "id,text\n1,One\n"))
    run_jobs()
    assert not files(data) and not ImportRun.objects.exists()


def test_parts_of_an_upload_that_was_cut_off_are_removed(workspace: Workspace, data: Path) -> None:
    from django.utils import timezone

    run = receive(workspace, "id,text\n1,One\n")
    ImportRun.objects.all().delete()
    later = timezone.now() + timedelta(days=2)
    assert keeping.remove_lost_parts(workspace_id=workspace.id, now=timezone.now()) == 0
    assert keeping.remove_lost_parts(workspace_id=workspace.id, now=later) == 2
    assert run and not files(data)
