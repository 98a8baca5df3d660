"""Storing what was accepted elsewhere: each row once, and nothing lost that cannot be stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection
from pytest_django.fixtures import Settings

from tellback.intake.accept import (
    Idempotency,
    Submission,
    accept_batch,
    fingerprint,
    prepare,
    with_repeatable_names,
)
from tellback.intake.arrivals import services
from tellback.intake.arrivals.messages import write_messages, write_row
from tellback.intake.arrivals.services import Arrived, store_messages, store_or_set_aside
from tellback.intake.models import FeedbackSource, IdempotencyKey, RawItem
from tellback.intake.selectors import StreamFilter, list_items
from tellback.intake.services import ensure_default_sources
from tellback.intake.subjects.erasing import erase_person
from tellback.kernel.ids import parse_id, to_public
from tellback.platform.dead_letters import clear_failed, discard_jobs, list_jobs, retry_jobs, show_job
from tellback.platform.sealing import unseal
from tellback.workspaces.models import ExternalIdentity, Principal, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture
def source(workspace: Workspace) -> FeedbackSource:
    ensure_default_sources(workspace=workspace)
    with connection.cursor() as cursor:
        # As at a commit, which a test has not.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return FeedbackSource.objects.get(source_type="api")


def submission(source: FeedbackSource, *, key: str = "", text: str = "Rows are missing.") -> Submission:
    same = Idempotency("scope", key or str(uuid4()), fingerprint(text.encode()), timedelta(hours=1))
    made = Submission(
        source_id=source.id,
        source_type="api",
        channel="api",
        text=text,
        source_created_at=NOW,
        external_id=same.key,
        idempotency=same,
    )
    return with_repeatable_names(made)


def row_of(source: FeedbackSource, *, key: str = "", text: str = "Rows are missing.", **changes: Any) -> Row:
    return {**prepare(submission(source, key=key, text=text), now=NOW), **changes}


def store(workspace: Workspace, *rows: Row) -> Arrived:
    return store_messages(list(write_messages(workspace.id, [write_row(row) for row in rows])))


def failed() -> list[tuple[int, str]]:
    return [(job.id, job.error or "") for job in list_jobs(statuses=["failed"], queue=None, limit=100)]


def test_equal_requests_have_equal_names_and_others_have_not(source: FeedbackSource) -> None:
    names = submission(source, key="k").names
    assert names == submission(source, key="k").names
    others = [submission(source, key="other"), submission(source, key="k", text="Another text.")]
    assert names not in {other.names for other in others}
    assert names
    assert (names.item_id.version, names.item_id.variant) == (8, "specified in RFC 4122")
    assert len(names.receipt_token) == 32
    assert parse_id("raw_fb", to_public("raw_fb", names.item_id)) == names.item_id


def test_what_arrives_is_stored_with_the_names_that_its_sender_was_told(
    workspace: Workspace, source: FeedbackSource
) -> None:
    rows = [row_of(source), row_of(source)]
    assert store(workspace, *rows) == Arrived(stored=2)
    stored = {item.id: item.receipt_token for item in RawItem.objects.all()}
    assert stored == {row["id"]: row["receipt_token"] for row in rows}


def test_what_arrives_again_counts_once(workspace: Workspace, source: FeedbackSource) -> None:
    row, again = row_of(source, key="k"), row_of(source, key="k")
    assert store(workspace, row, again) == Arrived(stored=1, known=1)
    assert store(workspace, row) == Arrived(known=1)
    assert RawItem.objects.count() == 1


def test_what_was_stored_by_another_door_is_not_stored_again(workspace: Workspace, source: FeedbackSource) -> None:
    said = submission(source, key="k")
    accept_batch(workspace_id=workspace.id, submissions=[replace(said, names=None)], now=NOW)
    assert store(workspace, row_of(source, key="k")) == Arrived(known=1)
    assert RawItem.objects.count() == 1


def test_a_key_that_was_used_for_another_text_costs_nobody_their_words(
    workspace: Workspace, source: FeedbackSource
) -> None:
    one, other = row_of(source, key="k"), row_of(source, key="k", text="Another text.")
    assert store(workspace, one, other) == Arrived(stored=2)
    assert store(workspace, one, other) == Arrived(known=2)
    assert {item.receipt_token for item in RawItem.objects.all()} == {one["receipt_token"], other["receipt_token"]}


def test_a_wrong_row_is_set_aside_and_all_around_it_is_stored(workspace: Workspace, source: FeedbackSource) -> None:
    rows = [row_of(source) for _ in range(9)]
    wrong = [{**rows[2], "source_id": uuid4()}, {**rows[7], "receipt_token": "far too long" * 10}]
    rows[2], rows[7] = wrong
    assert store(workspace, *rows) == Arrived(stored=7, set_aside=2)
    assert len(failed()) == 2
    # Delivered again, it is set aside only once.
    assert store(workspace, *rows) == Arrived(known=7, set_aside=2)
    assert len(failed()) == 2


def test_what_was_set_aside_is_stored_when_it_is_tried_again(
    workspace: Workspace, source: FeedbackSource, run_jobs: Callable[[], int]
) -> None:
    row = row_of(source, content={"text": "A\x00B"})
    assert store(workspace, row) == Arrived(set_aside=1)
    ((job_id, _),) = failed()
    assert retry_jobs([job_id]) == 1
    run_jobs()
    item = RawItem.objects.get()
    assert (item.id, item.content["text"]) == (row["id"], "A\ufffdB")


def test_a_message_that_cannot_be_read_is_set_aside_without_showing_what_is_in_it(
    workspace: Workspace, source: FeedbackSource
) -> None:
    (good,) = write_messages(workspace.id, [write_row(row_of(source))])
    assert store_messages([b"Ada Reis, ada@example.com", good]) == Arrived(stored=1, set_aside=1)
    ((job_id, error),) = failed()
    assert "none that Tellback wrote" in error
    _, arguments = show_job(job_id)
    assert "ada@" not in json.dumps(arguments)
    assert bytes.fromhex(unseal(str(arguments["sealed"]), about=services.READ)).startswith(b"Ada Reis")


def test_what_is_set_aside_is_kept_until_a_person_decides(workspace: Workspace, source: FeedbackSource) -> None:
    store(workspace, row_of(source, source_id=uuid4()))
    ((job_id, _),) = failed()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '10 years'")
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, args, status) "
            "VALUES ('other', 'effects', '{}', 'failed') RETURNING id"
        )
        cursor.execute(
            "INSERT INTO procrastinate_events (job_id, type, at) "
            "SELECT max(id), 'failed', now() - interval '10 years' FROM procrastinate_jobs"
        )
    assert clear_failed(hours=1) == 1
    assert [id for id, _ in failed()] == [job_id]
    assert discard_jobs([job_id]) == 1


def test_a_fault_of_the_database_sets_nothing_aside(
    workspace: Workspace, source: FeedbackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Arrived:
        error = OperationalError("the database system is starting up")
        error.__cause__ = type("Cause", (Exception,), {"sqlstate": "57P03"})()
        raise error

    rows = [row_of(source), row_of(source)]
    with monkeypatch.context() as patched:
        patched.setattr(services, "store_arrivals", refuse)
        with pytest.raises(DatabaseError):
            store_or_set_aside(workspace_id=workspace.id, rows=rows)
    assert failed() == []
    assert store(workspace, *rows) == Arrived(stored=2)


def test_the_other_workspaces_rows_stay_its_own(
    workspace: Workspace, other_workspace_id: UUID, source: FeedbackSource
) -> None:
    """A row whose source is another workspace's is refused by the database, not stored there."""
    row = row_of(source)
    (body,) = write_messages(other_workspace_id, [write_row(row)])
    assert store_messages([body]) == Arrived(set_aside=1)
    assert RawItem.objects.count() == 0


def test_the_stream_is_in_the_order_in_which_it_was_said_whatever_the_ids(
    workspace: Workspace, source: FeedbackSource
) -> None:
    times = [NOW + timedelta(seconds=second // 2) for second in range(65)]
    rows = [{**row_of(source), "now": at, "expires_at": at + timedelta(hours=1)} for at in times]
    assert store(workspace, *rows) == Arrived(stored=65)
    seen, before = [], None
    while True:
        page, before = list_items(StreamFilter(before=before), now=NOW)
        seen += page
        if before is None:
            break
    assert [item.created_at for item in seen] == sorted(times, reverse=True)
    assert {item.id for item in seen} == {row["id"] for row in rows}
    assert len(seen) == 65


@pytest.fixture
def ada(workspace: Workspace, settings: Settings, tmp_path: Path) -> Principal:
    """Somebody who is known by an address and by an id, and may be erased."""
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"
    made = Principal.objects.create(workspace=workspace, email="ada@example.com", display_name="Ada")
    ExternalIdentity.objects.create(workspace=workspace, principal=made, source_type="api", external_user_id="u-815")
    return made


def sent_by(source: FeedbackSource, author: dict[str, Any], *, at: datetime = NOW, text: str = "I am Ada.") -> Row:
    return {
        **row_of(source, text=text, author=author, context_envelope={"customer": {"company": f"{text[5:8]} Ltd"}}),
        "now": at,
    }


@pytest.mark.parametrize("author", [{"email": "ADA@example.com"}, {"externalUserId": "u-815"}, {"principalId": None}])
def test_what_somebody_sent_before_they_were_erased_arrives_without_their_words(
    workspace: Workspace, source: FeedbackSource, ada: Principal, author: dict[str, Any], run_jobs: Callable[[], int]
) -> None:
    author = {"principalId": str(ada.id)} if "principalId" in author else author
    before = {**sent_by(source, author), "external_url": "https://desk.example.com/ada"}
    after = sent_by(source, author, at=NOW + timedelta(hours=2), text="I am Ada, and I am back.")
    other = sent_by(source, {"email": "bob@example.com", "externalUserId": "u-81"}, text="I am Bob.")
    erase_person(person=ada, actor=None, now=NOW + timedelta(hours=1))
    assert store(workspace, before, after, other) == Arrived(stored=3)
    assert store(workspace, before) == Arrived(known=1)
    run_jobs()
    emptied = RawItem.objects.get(id=before["id"])
    assert (emptied.content["text"], emptied.content["erased"]["why"]) == ("", "request")
    assert (emptied.author, emptied.context_envelope, emptied.external_url, emptied.principal) == ({}, {}, None, None)
    assert (emptied.receipt_token, emptied.processing_state) == (before["receipt_token"], "completed")
    assert not IdempotencyKey.objects.filter(raw_item_id=emptied.id).exists()
    # The controls: what was sent afterwards, and by somebody else, is as it was said.
    texts = {str(item.id): item.content["text"] for item in RawItem.objects.exclude(id=before["id"])}
    assert texts == {str(after["id"]): after["content"]["text"], str(other["id"]): "I am Bob."}


def test_what_was_set_aside_is_emptied_with_its_sender(
    workspace: Workspace, source: FeedbackSource, ada: Principal, run_jobs: Callable[[], int]
) -> None:
    lost = {"source_id": str(uuid4())}
    first, later = ({**sent_by(source, {"email": "ada@example.com"}), **lost} for _ in range(2))
    other = {**sent_by(source, {"email": "bob@example.com"}, text="I am Bob."), **lost}
    assert store(workspace, first, other) == Arrived(set_aside=2)
    assert len(failed_with("I am Ada")) == 1
    erase_person(person=ada, actor=None, now=NOW + timedelta(hours=1))
    assert store(workspace, later) == Arrived(set_aside=1)
    assert failed_with("I am Ada", "ada@", "Ada Ltd") == []
    assert len(failed_with("I am Bob")) == 1
    assert len(failed()) == 3


def failed_with(*words: str) -> list[int]:
    """Failed jobs in whose arguments one of these words stands."""
    return [id for id, _ in failed() if any(word in json.dumps(show_job(id)[1]) for word in words)]


def test_files_of_what_arrives_empty_are_removed(
    workspace: Workspace, source: FeedbackSource, ada: Principal, settings: Settings, tmp_path: Path
) -> None:
    erase_person(person=ada, actor=None, now=NOW + timedelta(hours=1))
    file = {"file_key": f"{workspace.id}/shot.png", "name": "ada.png"}
    row = {**sent_by(source, {"email": "ada@example.com"}), "files": [file], "sealed": {"key_id": str(uuid4())}}
    assert store(workspace, row) == Arrived(stored=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->'keys' FROM procrastinate_jobs WHERE task_name = 'intake.remove_files'")
        assert [json.loads(keys) for (keys,) in cursor.fetchall()] == [[file["file_key"]]]
