"""The import page: upload, mapping, rehearsal, progress, refused rows, undo; plain forms first."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from tellback.intake.importing.plan import plan_from_json
from tellback.intake.models import ImportMapping, ImportRun, ImportState, RawItem
from tellback.workspaces.models import AuditEntry, Workspace

LIST = "/admin/settings/imports"


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def admin(as_role: Callable[[str], Client]) -> Client:
    return as_role("admin")


def upload(client: Client, text: str, name: str = "export.csv") -> str:
    """The address of the import that follows."""
    answer = client.post(LIST, {"file": SimpleUploadedFile(name, text.encode())})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_file_is_brought_started_and_taken_back(
    admin: Client, run_jobs: Callable[[], int], workspace: Workspace
) -> None:
    address = upload(admin, "id,text,email,stars\n1,The export is slow,ada@example.com,2\n2,,,\n")
    page = shown(admin, address)
    assert "How the first rows come in" in page and "★★☆☆☆" in page and "Import 2 rows" in page
    assert admin.post(address, {"do": "start"})["Location"] == address
    assert "every 1s" in shown(admin, address)
    run_jobs()
    page = shown(admin, address)
    assert "1 row did not come in" in page and "every 1s" not in page
    refused = b"".join(admin.get(f"{address}/refused").streaming_content)  # type: ignore[attr-defined]
    assert refused.decode().splitlines() == ["id,text,email,stars,why refused,row", "2,,,,has no text and no rating,2"]
    assert "says again" not in shown(admin, f"{address}/undo")
    admin.post(f"{address}/undo")
    run_jobs()
    assert not RawItem.objects.exists()
    assert "pieces of feedback" in shown(admin, address)
    actions = list(AuditEntry.objects.filter(action__startswith="import.").values_list("action", "actor__email"))
    assert actions == [("import.started", "admin@example.com"), ("import.undone", "admin@example.com")]


def test_what_columns_mean_is_changed_and_shown_at_once(admin: Client) -> None:
    address = upload(admin, "opinion,mood,when\nThe search is far too slow,glad,03/04/2026\n")
    changed = {
        "kind-0": "feedback",
        "column-0-0": "text",
        "column-0-1": "tags",
        "column-0-2": "date",
        "source": "  Survey  ",
        "channel": "community",
        "do": "plan",
    }
    part = admin.post(address, changed, HTTP_HX_REQUEST="true")
    assert part.status_code == 200 and "<html" not in part.content.decode()
    assert "can be read two ways" in part.content.decode()
    part = admin.post(address, {**changed, "order-0-date": "day"}, HTTP_HX_REQUEST="true")
    assert "3 Apr 2026" in part.content.decode()
    plan = plan_from_json(ImportRun.objects.get().plan)
    assert plan.tables[0].columns == {"text": "opinion", "tags": "mood", "date": "when"}
    assert (plan.source_name, plan.channel, plan.open_dates) == ("Survey", "community", [])


def test_a_column_that_is_given_a_meaning_takes_it_from_the_other(admin: Client) -> None:
    address = upload(admin, "text,more\nOne is here,Two is there\n")
    admin.post(address, {"column-0-0": "text", "column-0-1": "text", "do": "plan"})
    assert plan_from_json(ImportRun.objects.get().plan).tables[0].columns == {"text": "more"}


def test_two_columns_cannot_be_given_the_same_meaning_at_once(admin: Client) -> None:
    address = upload(admin, "text,more\nOne is here,Two is there\n")
    answer = admin.post(address, {"column-0-0": "subject", "column-0-1": "subject", "do": "start"})
    assert answer.status_code == 422
    assert "cannot both mean the same" in answer.content.decode()
    assert ImportRun.objects.get().state == ImportState.DRAFT


def test_rows_can_be_said_to_be_posts(admin: Client, run_jobs: Callable[[], int]) -> None:
    from tellback.boards.models import Post
    from tellback.boards.services import ensure_defaults

    ensure_defaults(workspace=Workspace.objects.get(slug="harbour"))
    address = upload(admin, "subject,text,Punkte\nDark mode,For my eyes,12\n")
    admin.post(address, {"kind-0": "posts", "do": "plan"})
    assert "Number of votes" in shown(admin, address)
    admin.post(address, {"column-0-0": "title", "column-0-1": "text", "column-0-2": "votes", "do": "start"})
    run_jobs()
    post = Post.objects.get()
    assert (post.title, post.body, post.vote_count) == ("Dark mode", "For my eyes", 12)


def test_a_rehearsal_shows_what_would_happen(admin: Client, run_jobs: Callable[[], int]) -> None:
    address = upload(admin, "id,text\n1,One\n2,\n")
    admin.post(address, {"do": "rehearse"})
    assert "nothing is stored" in shown(admin, address)
    run_jobs()
    page = shown(admin, address)
    assert "would be added" in page and "has no text" in page
    assert not RawItem.objects.exists()


def test_the_next_file_of_a_series_and_its_mended_rows_go_to_the_same_source(
    admin: Client, run_jobs: Callable[[], int]
) -> None:
    admin.post(upload(admin, "id,text\n1,One\n2,\n", "reviews_202610.csv"), {"source": "Store", "do": "start"})
    run_jobs()
    admin.post(upload(admin, "id,text\n1,One changed\n3,Three\n", "reviews_202611 (2).csv"), {"do": "start"})
    admin.post(
        upload(admin, "id,text,why refused,row\n2,Two,has no text,2\n", "reviews_202610.errors.csv"), {"do": "start"}
    )
    run_jobs()
    assert sorted(RawItem.objects.values_list("external_id", "content__text")) == [
        ("1", "One changed"),
        ("2", "Two"),
        ("3", "Three"),
    ]
    assert {run.source.name for run in ImportRun.objects.select_related("source") if run.source} == {"Store"}


def test_private_data_is_shown_as_it_will_be_stored(admin: Client) -> None:
    page = shown(admin, upload(admin, "text\nWrite to me at ada.lovelace@example.com please\n"))
    preview = page[page.index("How the first rows") :]
    assert "[email:1]" in preview and "ada.lovelace" not in preview


def test_a_mapping_is_saved_used_and_removed(admin: Client) -> None:
    text = "opinion,mood\nThe search is far too slow,glad\n"
    address = upload(admin, text)
    admin.post(address, {"column-0-0": "subject", "column-0-1": "text", "do": "plan"})
    admin.post(address, {"mapping": "Odd survey", "do": "save"})
    second = upload(admin, text)
    assert plan_from_json(ImportRun.objects.latest("id").plan).tables[0].columns["subject"] == "opinion"
    admin.post(second, {"column-0-0": "text", "column-0-1": "", "do": "plan"})
    admin.post(second, {"mapping": "Odd survey", "do": "use"})
    assert plan_from_json(ImportRun.objects.latest("id").plan).tables[0].columns["subject"] == "opinion"
    admin.post(second, {"mapping": "Odd survey", "do": "forget"})
    assert not ImportMapping.objects.exists()


@pytest.mark.parametrize("content", ["", "%PDF-1.7 is no table", "[1, 2", "\x00\x01\x02\x03"])
def test_what_is_no_table_is_refused_in_a_sentence(admin: Client, content: str) -> None:
    answer = admin.post(LIST, {"file": SimpleUploadedFile("x.csv", content.encode())})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_a_form_without_a_file_asks_for_one(admin: Client) -> None:
    assert "Choose a file first" in admin.post(LIST).content.decode()


def test_a_draft_is_forgotten(admin: Client) -> None:
    address = upload(admin, "id,text\n1,One\n")
    assert admin.post(address, {"do": "discard"})["Location"] == LIST
    assert not ImportRun.objects.exists()


def test_names_of_files_and_columns_are_text(admin: Client) -> None:
    address = upload(admin, "text,<b>bold</b>\nOne,<script>alert(1)</script>\n", "<img src=x>.csv")
    page = shown(admin, address) + shown(admin, LIST)
    assert "<img src=x>" not in page and "<b>bold" not in page and "<script>alert" not in page


def test_the_list_takes_few_queries(admin: Client, django_assert_max_num_queries: Callable[..., object]) -> None:
    for number in range(5):
        upload(admin, f"id,text\n{number},One\n", f"{number}.csv")
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        admin.get(LIST)
