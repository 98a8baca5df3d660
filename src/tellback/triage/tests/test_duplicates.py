"""Feedback that repeats an earlier one: found on arrival, suggested, decided by people, and never forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from tellback.intake.accept import Idempotency, Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.intake.subjects.erasing import BECAUSE_WITHDRAWN, erase_item
from tellback.kernel.errors import Conflict
from tellback.platform.tenancy import in_workspace
from tellback.triage.duplicates import confirm_duplicate, dismiss_duplicate, find_duplicates, undo_decision
from tellback.triage.models import DuplicateSuggestion, Feedback, FeedbackPrint, FeedbackStatus, SuggestionState
from tellback.understanding.duplicates import SAME_MEANING, meaning_score
from tellback.understanding.models import SignalVector
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = "The export of the monthly report crashes on my tablet every single time"
AGAIN = "the exprot of the monthly report crashes on my tablet EVERY single time!!"
MEANS = "Exporting the monthly report crashes my tablet each time"
OTHER = "Please add a dark mode, the white screen hurts my eyes at night"
Say = Callable[..., list[RawItem]]


@pytest.fixture
def say(workspace: Workspace, run_jobs: Callable[[], int]) -> Say:
    """Sends texts, each as another person, and works until nothing is left to do."""
    ensure_default_sources(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")
    sent = 0

    def say(*texts: str) -> list[RawItem]:
        nonlocal sent
        submissions = []
        for text in texts:
            sent += 1
            submissions.append(
                Submission(
                    source_id=source.id,
                    source_type="api",
                    channel="in-app",
                    text=text,
                    source_created_at=NOW,
                    author={"externalUserId": f"u{sent}"},
                    idempotency=Idempotency("key", str(uuid4()), "f", timedelta(hours=24)),
                    silent=True,
                )
            )
        accepted = accept_batch(workspace_id=workspace.id, submissions=submissions, now=NOW + timedelta(seconds=sent))
        run_jobs()
        return [RawItem.objects.get(id=one.raw_item_id) for one in accepted if one.raw_item_id]

    return say


@pytest.fixture
def kim(workspace: Workspace) -> Principal:
    return Principal.objects.create(workspace=workspace, display_name="Kim")


def found_for(item: RawItem) -> list[tuple[str, str]]:
    rows = DuplicateSuggestion.objects.filter(raw_item=item).order_by("kind", "-score")
    return [(one.kind, one.earlier.content["text"]) for one in rows.select_related("earlier")]


def test_the_same_again_and_the_same_meaning_are_suggested_when_they_arrive(say: Say) -> None:
    first, other, again, means = (say(text)[0] for text in (FIRST, OTHER, AGAIN, MEANS))
    assert found_for(first) == found_for(other) == []
    assert found_for(again) == [("same_again", FIRST)]
    assert ("same_meaning", FIRST) in found_for(means)
    assert not any(text == OTHER for _kind, text in found_for(means))
    assert Feedback.objects.filter(status=FeedbackStatus.DUPLICATE).count() == 0


def test_of_one_batch_the_later_ones_repeat_the_earlier(say: Say) -> None:
    items = say(FIRST, AGAIN)
    assert sorted(len(found_for(item)) for item in items) == [0, 1]


def test_two_people_who_say_thanks_do_not_mean_the_same(say: Say) -> None:
    items = say("I love this app, thank you so much", "Thank you so much, I really love this app")
    assert not any(kind == "same_meaning" for item in items for kind, _text in found_for(item))
    assert meaning_score(*(item.content["text"] for item in items), cosine=0.9) >= SAME_MEANING


def test_a_confirmed_duplicate_is_counted_at_the_first_and_can_be_taken_back(say: Say, kim: Principal) -> None:
    first, again = say(FIRST)[0], say(AGAIN)[0]
    suggestion = DuplicateSuggestion.objects.get(raw_item=again)
    confirm_duplicate(suggestion=suggestion, actor=kim, now=NOW)
    marked, kept = Feedback.objects.get(raw_item=again), Feedback.objects.get(raw_item=first)
    assert (marked.status, marked.duplicate_of, kept.vote_count) == (FeedbackStatus.DUPLICATE, kept, 1)
    with pytest.raises(Conflict):
        dismiss_duplicate(suggestion=suggestion, actor=kim, now=NOW)
    undo_decision(suggestion=suggestion, actor=kim, now=NOW)
    marked.refresh_from_db()
    kept.refresh_from_db()
    assert (marked.status, marked.duplicate_of, kept.vote_count) == (FeedbackStatus.IN_REVIEW, None, 0)


def test_a_duplicate_of_a_duplicate_is_one_of_the_first(say: Say, kim: Principal) -> None:
    first, again, third = (say(text)[0] for text in (FIRST, AGAIN, AGAIN))
    for item, earlier in ((again, first), (third, again)):
        confirm_duplicate(
            suggestion=DuplicateSuggestion.objects.get(raw_item=item, earlier=earlier), actor=kim, now=NOW
        )
    assert Feedback.objects.get(raw_item=third).duplicate_of_id == first.id


def test_what_was_told_apart_is_not_suggested_again(say: Say, kim: Principal) -> None:
    say(FIRST)
    again = say(AGAIN)[0]
    dismiss_duplicate(suggestion=DuplicateSuggestion.objects.get(raw_item=again), actor=kim, now=NOW)
    find_duplicates(item_ids=[again.id])
    assert [one.state for one in DuplicateSuggestion.objects.filter(raw_item=again)] == [SuggestionState.DISMISSED]


@pytest.mark.parametrize("which", [0, 1], ids=["the earlier one", "the later one"])
def test_what_is_withdrawn_is_suggested_no_more(say: Say, which: int) -> None:
    pair = [say(FIRST)[0], say(AGAIN)[0]]
    assert DuplicateSuggestion.objects.count() == 1
    erase_item(item=pair[which], because=BECAUSE_WITHDRAWN, now=NOW)
    assert DuplicateSuggestion.objects.count() == 0
    assert not FeedbackPrint.objects.filter(id=pair[which].id).exists()
    assert not SignalVector.objects.filter(raw_feedback_item_id=pair[which].id).exists()
    assert SignalVector.objects.filter(raw_feedback_item_id=pair[1 - which].id).exists()


def test_the_look_up_by_letters_keeps_to_its_workspace(say: Say, other_workspace_id: object) -> None:
    items = [say(FIRST)[0], say(AGAIN)[0]]

    def look() -> list[object]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM tellback_prints_like(%s, 5)", [[item.id for item in items]])
            return list(cursor.fetchall())

    assert look() == [(items[1].id, items[0].id)]
    with in_workspace(other_workspace_id):  # type: ignore[arg-type]
        assert look() == []


def test_the_stream_shows_it_and_a_person_decides_there(say: Say, as_role: Callable[[str], Client]) -> None:
    say(FIRST)
    again = say(AGAIN)[0]
    client = as_role("contributor")
    page = client.get("/admin/feedback/stream").content.decode()
    assert "The same again as" in page
    suggestion = DuplicateSuggestion.objects.get(raw_item=again)
    part = client.post(f"/admin/feedback/duplicates/{suggestion.id}/confirm", headers={"HX-Request": "true"})
    assert "Marked as a duplicate of" in part.content.decode()
    answer = client.post(f"/admin/feedback/duplicates/{suggestion.id}/undo", {"next": "https://evil.example"})
    assert answer["Location"] == f"/admin/feedback/stream/{again.id}"
    client.post(f"/admin/feedback/duplicates/{suggestion.id}/dismiss")
    page = client.get(f"/admin/feedback/stream/{again.id}").content.decode()
    assert "Not the same as" in page
    assert "Mark as duplicate" not in page
