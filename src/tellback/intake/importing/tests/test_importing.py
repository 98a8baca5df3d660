"""Files as people have them become feedback, once, however often and however brokenly they are imported."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.db import connection

from tellback.intake.accept import Submission, accept_batch
from tellback.intake.importing.looking import look_at
from tellback.intake.importing.reading import open_file
from tellback.intake.importing.recognising import plan_import
from tellback.intake.importing.running import BATCH, ImportReport, Refusal, rehearse
from tellback.intake.importing.services import undo_import
from tellback.intake.importing.tests.conftest import NOW, Importer, nothing
from tellback.intake.models import ImportRefusal, ImportRevision, ImportRun, ImportState, RawItem
from tellback.intake.services import enrich_items
from tellback.platform.jobs import IN_SPARE_TIME
from tellback.triage.models import Feedback
from tellback.understanding.models import Signal
from tellback.workspaces.models import Workspace


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "export.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_row_keeps_its_author_its_rating_its_tags_and_what_is_not_known(
    import_file: Importer, tmp_path: Path
) -> None:
    text = 'text,email,name,stars,Country,Type,Labels\nToo slow,Ada@Example.com,Ada,2,DE,Feature Request,"slow, app"\n'
    assert import_file(write(tmp_path, text)).added == 1
    item = RawItem.objects.get()
    assert item.author == {"email": "ada@example.com", "name": "Ada"}
    assert item.context_envelope["rating"] == 2
    assert item.context_envelope["tags"] == ["slow", "app"]
    assert item.context_envelope["metadata"] == {"Country": "DE", "Type": "Feature Request"}
    assert (item.category, item.channel, item.silent) == ("feature_request", "review", True)


def test_a_second_run_adds_nothing(import_file: Importer, tmp_path: Path) -> None:
    path = write(tmp_path, "text\n" + "".join(f"Number {number}\n" for number in range(250)))
    assert import_file(path).added == 250
    again = import_file(path)
    assert (again.added, again.updated, again.known, again.read) == (0, 0, 250, 250)
    assert RawItem.objects.count() == 250


def test_a_longer_export_adds_only_what_is_new(import_file: Importer, tmp_path: Path) -> None:
    import_file(write(tmp_path, "id,text\n1,One\n2,Two\n"))
    report = import_file(write(tmp_path, "id,text\n1,One\n2,Two\n3,Three\n"))
    assert (report.added, report.known) == (1, 2)


def test_changed_text_under_the_same_id_is_said_anew(
    import_file: Importer, tmp_path: Path, run_jobs: Callable[[], int]
) -> None:
    import_file(write(tmp_path, "id,text,tags\n1,The export is slow,a\n2,Two is fine,\n"))
    run_jobs()
    before = RawItem.objects.get(external_id="1")
    Feedback.objects.filter(raw_item=before).update(status="planned")
    report = import_file(write(tmp_path, "id,text,tags\n1,The invoice cannot be printed,b\n2,Two is fine,\n"))
    assert (report.added, report.updated, report.known) == (0, 1, 1)
    run_jobs()
    after = RawItem.objects.get(external_id="1")
    assert after.id == before.id and after.receipt_token == before.receipt_token
    assert after.content["text"] == "The invoice cannot be printed"
    assert after.processing_state == "completed"
    feedback = Feedback.objects.get(raw_item=after)
    assert (feedback.summary, feedback.tags, feedback.status) == ("The invoice cannot be printed", ["b"], "planned")
    assert {
        one.raw_feedback_item_id for one in Signal.objects.filter(evidence__contains=["The export is slow"])
    } == set()
    assert ImportRevision.objects.get().before["content"]["text"] == "The export is slow"


def test_what_was_erased_is_not_said_anew(import_file: Importer, tmp_path: Path) -> None:
    from tellback.intake.subjects.erasing import erase_item

    import_file(write(tmp_path, "id,text\n1,Delete me\n"))
    erase_item(item=RawItem.objects.get(), because="withdrawn", now=NOW)
    report = import_file(write(tmp_path, "id,text\n1,I am back\n"))
    assert (report.added, report.updated, report.known) == (0, 0, 1)
    assert RawItem.objects.get().content["text"] == ""


def test_one_id_with_two_texts_in_one_file_is_told(import_file: Importer, tmp_path: Path) -> None:
    rows = "".join(f"{number},Number {number}\n" for number in range(BATCH))
    report = import_file(write(tmp_path, f"id,text\n7,Seven\n7,Seven\n7,Also seven\n{rows}"))
    assert (report.added, report.known, report.refused) == (BATCH, 1, 2)
    assert ImportRefusal.objects.earliest("id").reason == "has the id of row 1 and says something else"


def test_equal_words_of_nobody_are_several_peoples(import_file: Importer, tmp_path: Path) -> None:
    path = write(tmp_path, "score,comment\n5,Great\n5,Great\n4,Great\n5,Great\n")
    assert import_file(path).added == 4
    assert import_file(path).known == 4
    assert RawItem.objects.count() == 4


def test_a_row_that_stands_twice_comes_in_once(import_file: Importer, tmp_path: Path) -> None:
    row = "Great,ada@example.com,2026-03-04T05:06:07Z\n"
    assert import_file(write(tmp_path, f"text,email,date\n{row}{row}")).added == 1


@pytest.mark.parametrize("header", ["id,text", "no,text"])
def test_a_killed_import_goes_on_where_it_stood(import_file: Importer, tmp_path: Path, header: str) -> None:
    rows = "".join(f"{number},{'Same' if number % 50 == 0 else f'Number {number}'}\n" for number in range(850))
    path = write(tmp_path, f"{header}\n{rows}")

    def killed(report: ImportReport, refused: Sequence[Refusal]) -> None:
        if report.read == 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(path, watch=killed)
    assert ImportRun.objects.get().rows_read == RawItem.objects.count() == 2 * BATCH
    report = import_file(path)
    assert (report.resumed_after, report.added, report.known) == (2 * BATCH, 850, 0)
    assert RawItem.objects.count() == 850
    assert ImportRun.objects.get().state == ImportState.FINISHED


def test_bad_rows_are_refused_with_a_reason_and_the_others_taken(import_file: Importer, tmp_path: Path) -> None:
    text = f"text,date\nGood,\n,2026-01-01\nBad,some day\n{'x' * 20_001},\nA\x00B,\nToo,,much\nFine too,,,\n"
    report = import_file(write(tmp_path, text))
    assert (report.read, report.added, report.refused) == (7, 2, 5)
    reasons = list(ImportRefusal.objects.order_by("row").values_list("row", "reason"))
    assert [(row, reason.partition(":")[0]) for row, reason in reasons[:2]] == [
        (2, "has no text"),
        (3, "has a date that cannot be read"),
    ]
    assert reasons[-1][1].startswith("has a cell more than the header;")


def test_stars_without_words_come_in(import_file: Importer, tmp_path: Path, run_jobs: Callable[[], int]) -> None:
    report = import_file(write(tmp_path, "id,stars,text\n1,4,\n2,,\n3,5,Good\n"))
    assert (report.added, report.refused) == (2, 1)
    assert "no rating" in ImportRefusal.objects.get().reason
    run_jobs()
    item = RawItem.objects.get(external_id="1")
    assert (item.content["text"], item.context_envelope["rating"], item.processing_state) == ("", 4, "completed")
    assert Feedback.objects.get(raw_item=item).rating == 4
    assert not Signal.objects.filter(raw_feedback_item=item).exists()


def test_a_large_cell_harms_no_other_row(import_file: Importer, tmp_path: Path) -> None:
    large = "y" * 1_500_000
    report = import_file(write(tmp_path, f'id,text,shot\n1,One,{large}\n2,{large},\n3,"{large * 6}",\n4,Four,\n'))
    assert (report.added, report.refused) == (2, 2)
    assert len(RawItem.objects.get(external_id="1").context_envelope["metadata"]["shot"]) == 2_000


def test_what_arrives_meanwhile_is_understood_before_what_was_imported(
    workspace: Workspace, import_file: Importer, tmp_path: Path
) -> None:
    import_file(write(tmp_path, "id,text\n1,The export is slow\n"))
    source = ImportRun.objects.get().source
    assert source
    said = Submission(source.id, "csv", "api", "The invoice is late", NOW)
    accept_batch(workspace_id=workspace.id, submissions=[said], now=NOW)
    enrich_items(item_ids=list(RawItem.objects.values_list("id", flat=True)), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, priority FROM procrastinate_jobs ORDER BY priority DESC, id")
        jobs = cursor.fetchall()
    for name in ("intake.enrich", "triage.open_feedback", "understanding.understand"):
        assert [priority for task, priority in jobs if task == name] == [0, IN_SPARE_TIME], name


def test_the_status_that_feedback_had_is_kept(
    import_file: Importer, tmp_path: Path, run_jobs: Callable[[], int]
) -> None:
    import_file(
        write(tmp_path, "id,text,status,date\n1,One,Solved,2024-02-03\n2,Two,open,2024-02-03\n3,C,odd,2024-02-03\n")
    )
    run_jobs()
    found = {one.raw_item.external_id: one for one in Feedback.objects.select_related("raw_item")}
    assert {key: one.status for key, one in found.items()} == {"1": "completed", "2": "new", "3": "new"}
    assert found["1"].response_due_at is None and found["1"].created_at.year == 2024


def test_a_rehearsal_stores_nothing(workspace: Workspace, tmp_path: Path) -> None:
    with open_file(write(tmp_path, 'text\nOne\nTwo\n" "\n')) as file:
        report = rehearse(
            workspace_id=workspace.id,
            file=file,
            plan=plan_import(look=look_at(file), wanted={}),
            now=NOW,
            watch=nothing,
        )
    assert (report.read, report.added, len(report.samples)) == (2, 2, 2)
    assert RawItem.objects.count() == ImportRun.objects.count() == 0


def test_an_import_is_taken_back(
    workspace: Workspace, import_file: Importer, tmp_path: Path, run_jobs: Callable[[], int]
) -> None:
    import_file(write(tmp_path, "id,text\n1,The export is slow\n"))
    run_jobs()
    rows = "".join(f"{number},The invoice {number} is late\n" for number in range(2, 40))
    import_file(write(tmp_path, f"id,text\n1,The export is fast now\n{rows}"))
    run_jobs()
    second = ImportRun.objects.latest("id")
    gone = undo_import(workspace_id=workspace.id, run_id=second.id, actor=None, now=NOW)
    assert gone == {"restored": 1, "feedback": 38}
    run_jobs()
    assert [item.content["text"] for item in RawItem.objects.all()] == ["The export is slow"]
    assert Feedback.objects.get().summary == "The export is slow"
    assert Signal.objects.exclude(raw_feedback_item__external_id="1").count() == 0
    second.refresh_from_db()
    assert second.state == ImportState.UNDONE
    assert import_file(write(tmp_path, f"id,text\n{rows}")).added == 38


def test_the_sample_file_of_the_docs_comes_in_whole(import_file: Importer) -> None:
    sample = Path(__file__).parents[5] / "docs" / "samples" / "feedback.csv"
    report = import_file(sample)
    assert (report.added, report.refused) == (20, 0)
    item = RawItem.objects.get(external_id="s-01")
    assert item.source_created_at.date().isoformat() == "2026-10-02"
    assert item.author["email"] == "ines@example.com"
    assert item.context_envelope["rating"] == 2
