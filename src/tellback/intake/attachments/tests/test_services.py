"""Files and the items they came with: kept together, seen by those who may, removed together."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from tellback.intake.accept import Accepted, Idempotency, Outcome, Submission, accept_batch
from tellback.intake.arrivals.services import set_aside
from tellback.intake.attachments.cleaning import CleanFile, Upload
from tellback.intake.attachments.links import LIFETIME, public_address
from tellback.intake.attachments.services import (
    KeptFile,
    discard_files,
    erase_attachments,
    keep_files,
    remove_orphans,
    take_files,
)
from tellback.intake.attachments.tests import samples
from tellback.intake.models import Attachment, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.kernel.errors import Invalid, NotFound, Unavailable
from tellback.platform.files import Folder, get_files
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Workspace

NOW = datetime.now(UTC)
TEXT = CleanFile("notes.txt", "text/plain", b"Rows are missing.")
PICTURE = CleanFile("shot.png", "image/png", samples.png(), 8, 6)


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "files"


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def accept(workspace: Workspace, kept: tuple[KeptFile, ...], *, key: str = "") -> Accepted:
    from tellback.intake.models import FeedbackSource

    ensure_default_sources(workspace=workspace)
    submission = Submission(
        source_id=FeedbackSource.objects.get(source_type="api").id,
        source_type="api",
        channel="api",
        text="See the files.",
        source_created_at=NOW,
        files=kept,
        idempotency=Idempotency("scope", key or str(uuid4()), "same", timedelta(hours=1)),
    )
    return accept_batch(workspace_id=workspace.id, submissions=[submission], now=NOW)[0]


@pytest.fixture
def item(workspace: Workspace) -> RawItem:
    kept = keep_files(workspace_id=workspace.id, files=[TEXT, PICTURE])
    return RawItem.objects.get(receipt_token=accept(workspace, kept).receipt_token)


def test_files_are_stored_with_their_item_and_named_in_its_context(item: RawItem) -> None:
    text, picture = item.attachments.order_by("position")
    assert (text.name, text.media_type, text.size_bytes) == ("notes.txt", "text/plain", 17)
    assert (picture.width, picture.height, picture.is_picture) == (8, 6, True)
    assert get_files().get(text.file_key) == TEXT.content
    assert item.context_envelope["attachments"][0] == {
        "id": text.public_id,
        "name": "notes.txt",
        "mimeType": "text/plain",
        "sizeBytes": 17,
    }


def test_a_repetition_stores_no_file_again(workspace: Workspace, own_folder: Path) -> None:
    first = accept(workspace, keep_files(workspace_id=workspace.id, files=[TEXT]), key="k")
    kept = keep_files(workspace_id=workspace.id, files=[TEXT])
    second = accept(workspace, kept, key="k")
    assert (second.outcome, second.raw_item_id) == (Outcome.DUPLICATE, first.raw_item_id)
    discard_files(kept)
    assert Attachment.objects.count() == len(files_of(own_folder)) == 1


def test_no_two_items_share_a_file(workspace: Workspace, own_folder: Path) -> None:
    for _ in range(2):
        accept(workspace, keep_files(workspace_id=workspace.id, files=[TEXT]))
    assert len(files_of(own_folder)) == 2
    assert len(set(Attachment.objects.values_list("digest", flat=True))) == 1


def test_a_disk_that_fills_up_between_two_files_keeps_neither(
    workspace: Workspace, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Folder.put

    def second_fails(self: Folder, key: str, content: bytes) -> None:
        if content == PICTURE.content:
            raise Unavailable("The file could not be kept: No space left on device.")
        put(self, key, content)

    monkeypatch.setattr(Folder, "put", second_fails)
    with pytest.raises(Unavailable):
        keep_files(workspace_id=workspace.id, files=[TEXT, PICTURE])
    assert files_of(own_folder) == []


def test_more_than_five_files_are_refused(workspace: Workspace) -> None:
    with pytest.raises(Invalid):
        keep_files(workspace_id=workspace.id, files=[TEXT] * 6)


def test_a_wrong_file_does_not_cost_the_others(workspace: Workspace) -> None:
    uploads = [Upload("a.txt", b"hi"), Upload("evil.exe", b"MZ\x00"), *[Upload("b.txt", b"ho")] * 5]
    kept, refused = take_files(workspace_id=workspace.id, uploads=uploads)
    assert [file.name for file in kept] == ["a.txt"] + ["b.txt"] * 4
    assert [note.partition(":")[0] for note in refused] == ["evil", "b"]


def test_erased_attachments_are_gone_with_their_files(
    item: RawItem, own_folder: Path, run_jobs: Callable[[], int]
) -> None:
    assert erase_attachments(item_ids=[item.id]) == 2
    assert Attachment.objects.count() == 0
    assert len(files_of(own_folder)) == 2, "the content goes when the transaction has committed, by a job"
    run_jobs()
    assert files_of(own_folder) == []
    assert erase_attachments(item_ids=[item.id]) == 0


def test_files_without_an_item_are_swept_after_three_days_and_others_never(
    item: RawItem, workspace: Workspace, own_folder: Path
) -> None:
    keep_files(workspace_id=workspace.id, files=[TEXT])
    assert remove_orphans(workspace_id=workspace.id, now=NOW) == 0
    assert remove_orphans(workspace_id=workspace.id, now=NOW + timedelta(days=4)) == 1
    assert len(files_of(own_folder)) == item.attachments.count() == 2


def test_files_of_an_item_that_was_set_aside_are_not_swept(workspace: Workspace, own_folder: Path) -> None:
    (kept,) = keep_files(workspace_id=workspace.id, files=[TEXT])
    row = {"id": str(uuid4()), "files": [{"file_key": kept.file_key}]}
    set_aside(workspace_id=workspace.id, row=row, why="its source is gone")
    assert remove_orphans(workspace_id=workspace.id, now=NOW + timedelta(days=4)) == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert remove_orphans(workspace_id=workspace.id, now=NOW + timedelta(days=4)) == 1


def test_another_workspaces_files_are_not_swept(workspace: Workspace, other_workspace_id: UUID) -> None:
    keep_files(workspace_id=other_workspace_id, files=[TEXT])
    assert remove_orphans(workspace_id=workspace.id, now=NOW + timedelta(days=4)) == 0
    with in_workspace(other_workspace_id):
        assert remove_orphans(workspace_id=other_workspace_id, now=NOW + timedelta(days=4)) == 1


def test_another_workspace_sees_no_attachment(item: RawItem, other_workspace_id: UUID) -> None:
    with in_workspace(other_workspace_id):
        assert Attachment.objects.count() == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM attachment")
            assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(("name", "shown"), [("notes.txt", "attachment"), ("shot.png", "inline")])
def test_a_file_is_served_so_that_a_browser_runs_none_of_it(
    item: RawItem, as_role: Callable[[str], Client], name: str, shown: str
) -> None:
    found = item.attachments.get(name=name)
    response = as_role("contributor").get(f"/admin/feedback/files/{found.id}")
    assert response.content == get_files().get(found.file_key)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Disposition"] == f'{shown}; filename="{name}"'
    assert "private" in response["Cache-Control"]


def test_a_name_in_a_header_stays_in_its_header(workspace: Workspace, as_role: Callable[[str], Client]) -> None:
    odd = CleanFile('a"; filename="b\\.txt größe.txt', "text/plain", b"hi")
    item_id = accept(workspace, keep_files(workspace_id=workspace.id, files=[odd])).raw_item_id
    found = Attachment.objects.get(raw_item_id=item_id)
    header = as_role("contributor").get(f"/admin/feedback/files/{found.id}")["Content-Disposition"]
    assert header.startswith("attachment; filename*=utf-8''")
    assert header.isascii()


def test_a_file_that_is_gone_is_not_found_and_no_error(item: RawItem, as_role: Callable[[str], Client]) -> None:
    found = item.attachments.get(name="notes.txt")
    get_files().delete([found.file_key])
    assert as_role("contributor").get(f"/admin/feedback/files/{found.id}").status_code == 404


def test_a_signed_address_opens_one_file_for_an_hour(item: RawItem, client: Client, settings: Settings) -> None:
    found = item.attachments.get(name="notes.txt")
    address = public_address(found).removeprefix(settings.BASE_URL)
    assert client.get(address).content == TEXT.content
    assert client.get(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 404
    assert client.get(f"/files/{found.id}").status_code == 404
    with time_machine.travel(datetime.now(UTC) + LIFETIME + timedelta(minutes=1)):
        assert client.get(address).status_code == 404


def test_a_signed_address_holds_in_whichever_workspace_the_visitor_is(
    workspace: Workspace, other_workspace_id: UUID, client: Client, settings: Settings
) -> None:
    with in_workspace(other_workspace_id):
        other = Workspace.objects.get()
        kept = keep_files(workspace_id=other.id, files=[TEXT])
        found = Attachment.objects.get(raw_item_id=accept(other, kept).raw_item_id)
        address = public_address(found).removeprefix(settings.BASE_URL)
    assert client.get(address).content == TEXT.content


def test_the_stream_and_the_raw_page_show_what_came_along(item: RawItem, as_role: Callable[[str], Client]) -> None:
    client = as_role("contributor")
    for address in ("/admin/feedback/stream", f"/admin/feedback/stream/{item.id}"):
        page = client.get(address).content.decode()
        for found in item.attachments.all():
            assert f"/admin/feedback/files/{found.id}" in page
            assert found.name in page


def test_the_author_sees_their_own_files_on_the_receipt(item: RawItem, client: Client) -> None:
    page = client.get(f"/r/{item.receipt_token}").content.decode()
    addresses = set(re.findall(r'href="(/files/[^"]+)"', page))
    assert {client.get(address).content for address in addresses} == {TEXT.content, PICTURE.content}


def test_a_key_in_the_database_cannot_lead_out_of_the_folder(item: RawItem) -> None:
    with pytest.raises(ValueError, match="no key"):
        get_files().get("../../etc/passwd")
    with pytest.raises(NotFound):
        get_files().get("nobody/ab/none")
