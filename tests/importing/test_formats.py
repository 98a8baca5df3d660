"""Every format that people arrive with is known by its headers, comes in whole, and comes in once."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tellback.boards.models import Comment, Post, PostStatusChange, PostTag, Vote
from tellback.boards.services import ensure_defaults
from tellback.effects.models import Effect
from tellback.intake.importing.looking import look_at
from tellback.intake.importing.reading import open_file
from tellback.intake.importing.recognising import plan_import
from tellback.intake.importing.running import ImportReport
from tellback.intake.importing.services import undo_import
from tellback.intake.models import ImportRefusal, ImportRun, RawItem
from tellback.loop.models import Subscription
from tellback.triage.models import Feedback
from tellback.workspaces.models import Principal, Workspace
from tests.importing.conftest import NOW, Importer

FILES = Path(__file__).parent / "files"

#: File -> format, rows read, added, left out on purpose, refused.
EXPECTED = {
    "google-play.csv": ("google-play", 4, 4, 0, 0),
    "google-play-api.json": ("google-play", 2, 2, 0, 0),
    "app-store.json": ("app-store", 2, 2, 0, 0),
    "uservoice-ideas.csv": ("uservoice", 5, 4, 1, 0),
    "uservoice-suggestions.csv": ("uservoice", 2, 2, 0, 0),
    "uservoice-users.csv": ("uservoice", 1, 1, 0, 0),
    "canny.json": ("canny", 12, 11, 1, 0),
    "canny-sheet.csv": ("canny", 2, 2, 0, 0),
    "productboard.csv": ("productboard", 2, 2, 0, 0),
    "productboard-api.json": ("productboard", 1, 1, 0, 0),
    "featurebase.json": ("featurebase", 1, 1, 0, 0),
    "featurebase.csv": ("featurebase", 1, 1, 0, 0),
    "intercom.json": ("intercom", 2, 1, 1, 0),
    "intercom-messages.csv": ("intercom", 2, 1, 1, 0),
    "intercom-outbound.csv": ("intercom-outbound", 1, 1, 0, 0),
    "zendesk.json": ("zendesk", 2, 2, 0, 0),
    "zendesk.csv": ("zendesk", 1, 1, 0, 0),
    "zendesk-satisfaction.json": ("zendesk", 3, 2, 1, 0),
    "fider.csv": ("fider", 3, 2, 1, 0),
    "fider-backup": ("fider", 8, 8, 0, 0),
    "clearflask": ("clearflask", 5, 5, 0, 0),
    "formbricks.csv": ("formbricks", 3, 3, 0, 0),
    "neutral": ("boards", 6, 4, 1, 1),
    "generic.csv": ("", 2, 2, 0, 0),
    "generic-helpdesk.csv": ("", 2, 2, 0, 0),
}


@pytest.fixture(autouse=True)
def boards(workspace: Workspace) -> None:
    ensure_defaults(workspace=workspace)


def file_of(name: str, folder: Path) -> Path:
    """The file, or a zip of the folder."""
    source = FILES / name
    if source.is_file():
        return source
    packed = folder / f"{name}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(source.iterdir()):
            archive.write(member, f"export/{member.name}")
    return packed


def figures() -> dict[str, Any]:
    """Everything that an import may change."""
    return {
        "items": sorted((one.external_id, one.content["text"]) for one in RawItem.objects.all()),
        "posts": sorted(Post.objects.values_list("title", "body", "vote_count", "comment_count", "status__slug")),
        "votes": Vote.objects.count(),
        "comments": sorted(Comment.objects.values_list("body", "is_from_team")),
        "moves": PostStatusChange.objects.count(),
        "tags": PostTag.objects.count(),
        "people": Principal.objects.count(),
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_known_comes_in_whole_and_comes_in_once(import_file: Importer, tmp_path: Path, name: str) -> None:
    format_, read, added, left_out, refused = EXPECTED[name]
    path = file_of(name, tmp_path)
    with open_file(path) as file:
        assert plan_import(look=look_at(file), wanted={}).format == format_
    report = import_file(path)
    told = list(ImportRefusal.objects.values_list("table_index", "row", "reason"))
    assert (report.read, report.added, report.left_out, report.refused) == (read, added, left_out, refused), told
    before = figures()
    again = import_file(path)
    assert (again.added, again.updated, again.known) == (0, 0, read - left_out - refused)
    assert figures() == before


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_taken_back_whole_and_nobody_is_told(
    workspace: Workspace, import_file: Importer, tmp_path: Path, run_jobs: Callable[[], int], name: str
) -> None:
    before = {**figures(), "people": 0}
    import_file(file_of(name, tmp_path))
    run_jobs()
    assert not Effect.objects.exists()
    undo_import(workspace_id=workspace.id, run_id=ImportRun.objects.get().id, actor=None, now=NOW)
    assert {**figures(), "people": 0} == before
    run_jobs()


def counts(report: ImportReport) -> tuple[int, ...]:
    return report.read, report.added, report.updated, report.known, report.left_out, report.refused


@pytest.mark.parametrize("name", EXPECTED)
def test_a_rehearsal_counts_what_the_import_then_does(
    import_file: Importer, rehearse_file: Importer, tmp_path: Path, name: str
) -> None:
    path = file_of(name, tmp_path)
    assert counts(rehearse_file(path)) == counts(import_file(path))
    assert counts(rehearse_file(path)) == counts(import_file(path))


def test_every_format_has_a_file() -> None:
    from tellback.intake.importing.formats import FORMATS

    assert {one.key for one in FORMATS} - {"ideas"} == {row[0] for row in EXPECTED.values()} - {""}
    assert {path.name for path in FILES.iterdir()} - set(EXPECTED) == {"uservoice-comments.csv", "uservoice-notes.csv"}


def test_reviews_of_a_store_keep_stars_language_device_and_link(import_file: Importer) -> None:
    import_file(FILES / "google-play.csv")
    item = RawItem.objects.get(external_id="gp:1")
    assert item.content == {
        "text": "Die Suche braucht ewig, seit dem letzten Update.",
        "subject": "Langsam",
        "language": "de",
    }
    assert item.context_envelope["rating"] == 2
    assert item.context_envelope["metadata"]["device"] == "panther"
    assert item.context_envelope["metadata"]["appVersion"] == "4.1.2"
    assert item.source_created_at == datetime(2026, 9, 3, 8, 10, 1, tzinfo=UTC)
    assert item.channel == "review"
    assert sorted(one.context_envelope["rating"] for one in RawItem.objects.filter(content__text="")) == [1, 4]


def test_a_title_joined_by_a_tab_is_taken_apart(import_file: Importer) -> None:
    import_file(FILES / "google-play-api.json")
    item = RawItem.objects.get(external_id="gp-api-1")
    assert item.content["subject"] == "Great app"
    assert item.content["text"] == "But the widget forgets my list every night."
    assert item.source_created_at.year == 2026


def test_one_row_for_each_voter_becomes_one_post_with_their_votes(
    import_file: Importer, run_jobs: Callable[[], int]
) -> None:
    import_file(FILES / "uservoice-ideas.csv")
    run_jobs()
    post = Post.objects.get(title="Dark mode")
    assert post.body == "My eyes hurt at night."
    assert (post.vote_count, post.carried_votes, post.votes.count()) == (5, 2, 3)
    assert (post.board.name, post.status.category) == ("Mobile app", "planned")
    assert post.official_response == "We will build this in spring."
    assert post.author and post.author.email == "noor@customer.example"
    assert post.created_at == datetime(2025, 2, 3, 10, 20, 30, tzinfo=UTC)
    assert sorted(one.tag.name for one in post.post_tags.select_related("tag")) == ["night", "ui"]
    assert sorted(vote.created_at.day for vote in post.votes.all()) == [3, 5, 5]
    assert Subscription.objects.filter(post=post).count() == 3
    assert not Post.objects.filter(title="Cheap watches").exists()


def test_comments_and_notes_follow_their_posts(import_file: Importer) -> None:
    import_file(FILES / "uservoice-suggestions.csv", source_name="UserVoice")
    assert import_file(FILES / "uservoice-comments.csv", source_name="UserVoice").added == 1
    notes = import_file(FILES / "uservoice-notes.csv", source_name="UserVoice")
    assert (notes.added, notes.left_out) == (0, 1)
    first, second = Post.objects.order_by("created_at")
    assert [one.body for one in Comment.objects.all()] == ["Also for the metro, please."]
    assert second.canonical_post == first
    assert second.created_at == datetime(2024, 6, 6, 5, 8, 9, tzinfo=UTC)


def test_an_api_dump_brings_people_votes_answers_and_history(import_file: Importer) -> None:
    import_file(FILES / "canny.json")
    post = Post.objects.get(title="Week numbers")
    assert (post.vote_count, post.votes.count(), post.carried_votes) == (7, 2, 5)
    assert post.status.category == "in_progress"
    assert post.board.name == "Feature requests"
    first, second = (
        post.comment_set.order_by("created_at")
        if hasattr(post, "comment_set")
        else Comment.objects.order_by("created_at")
    )
    assert (second.parent, second.is_from_team, first.is_from_team) == (first, True, False)
    assert Principal.objects.get(email="mia@customer.example").company == "Fern GmbH"
    assert PostStatusChange.objects.filter(status__category="planned").get().actor is not None


def test_a_backup_of_tables_is_put_together(import_file: Importer, tmp_path: Path) -> None:
    import_file(file_of("fider-backup", tmp_path))
    post = Post.objects.get()
    assert post.author and post.author.email == "sam@customer.example"
    assert (post.status.category, post.vote_count, post.comment_count) == ("planned", 2, 1)
    assert [one.tag.name for one in post.post_tags.all()] == ["mail"]


def test_the_teams_words_are_no_feedback(import_file: Importer, run_jobs: Callable[[], int]) -> None:
    import_file(FILES / "intercom.json")
    run_jobs()
    item = RawItem.objects.get()
    assert item.content["text"] == "I was charged twice & nobody answers."
    assert item.author["externalUserId"] == "cust-7"
    assert item.context_envelope["tags"] == ["billing"]
    assert Feedback.objects.get().status == "completed"


def test_tickets_keep_status_priority_tags_and_satisfaction(import_file: Importer, run_jobs: Callable[[], int]) -> None:
    import_file(FILES / "zendesk.json")
    run_jobs()
    found = Feedback.objects.get(raw_item__external_id="5001")
    assert (found.status, found.severity, found.tags, found.rating) == ("completed", "critical", ["login", "code"], 5)
    assert found.raw_item.channel == "support"


def test_windows_text_with_semicolons_and_dates_by_day(import_file: Importer) -> None:
    import_file(FILES / "generic.csv")
    item = RawItem.objects.get(content__subject="Rechnung")
    assert (item.source_created_at.month, item.source_created_at.day) == (5, 13)
    assert RawItem.objects.get(content__subject="Lob").source_created_at.month == 6
    assert item.author == {"email": "änne@kunde.example"}


def test_posts_that_changed_there_change_here_and_back(
    workspace: Workspace, import_file: Importer, tmp_path: Path
) -> None:
    header = "title,description,status,Total Likes,id\n"
    path = tmp_path / "ideas.csv"
    path.write_text(header + "Faster search,Typing lags,open,4,1\n")
    import_file(path)
    path.write_text(header + "Faster search,Typing lags a lot,planned,9,1\nFonts,,open,1,2\n")
    report = import_file(path)
    assert (report.added, report.updated) == (1, 1)
    post = Post.objects.get(title="Faster search")
    assert (post.body, post.status.category, post.vote_count) == ("Typing lags a lot", "planned", 9)
    undo_import(workspace_id=workspace.id, run_id=ImportRun.objects.latest("id").id, actor=None, now=NOW)
    post = Post.objects.get()
    assert (post.body, post.status.category, post.vote_count) == ("Typing lags", "open", 4)


def test_a_post_that_others_voted_for_since_stays_when_its_import_is_taken_back(
    workspace: Workspace, import_file: Importer
) -> None:
    from tellback.boards.services import vote

    import_file(FILES / "canny-sheet.csv")
    post = Post.objects.get(title="Faster search")
    vote(post=post, principal=Principal.objects.create(workspace=workspace, email="new@customer.example"))
    post.refresh_from_db()
    assert post.vote_count == 43
    gone = undo_import(workspace_id=workspace.id, run_id=ImportRun.objects.get().id, actor=None, now=NOW)
    assert gone == {"posts": 1, "posts kept": 1}
    assert Post.objects.get().vote_count == 1
