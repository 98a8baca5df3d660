"""What somebody hears of their feedback, and who else does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tellback.boards.models import Board, Post, Status
from tellback.boards.services import ensure_defaults, promote_theme
from tellback.effects.models import Effect, KeptMail
from tellback.intake.accept import Submission, accept_batch
from tellback.intake.models import FeedbackSource
from tellback.intake.services import ensure_default_sources
from tellback.loop.models import Notification, Subscription
from tellback.themes.models import Theme
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.triage.services import change_status
from tellback.triage.votes import vote
from tellback.triage.workflow import respond
from tellback.workspaces.models import Principal, PrincipalType, Workspace

NOW = timezone.now()
Said = Callable[..., Feedback]


@pytest.fixture
def said(workspace: Workspace, run_jobs: Callable[[], int]) -> Said:
    """Accepts what somebody said and lets it be understood."""
    ensure_default_sources(workspace=workspace)
    ensure_defaults(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")

    def say(
        text: str = "Please add a dark mode to the settings.", *, email: str = "ada@example.com", silent: bool = False
    ) -> Feedback:
        author = {"email": email} if email else {}
        submission = Submission(
            source_id=source.id,
            source_type="api",
            channel="api",
            text=text,
            source_created_at=NOW,
            author=author,
            silent=silent,
        )
        (accepted,) = accept_batch(workspace_id=workspace.id, submissions=[submission], now=NOW)
        run_jobs()
        return Feedback.objects.select_related("raw_item__principal").get(raw_item_id=accepted.raw_item_id)

    return say


def mails(prefix: str) -> list[Effect]:
    return list(Effect.objects.filter(kind="mail", key__startswith=prefix).order_by("id"))


def move(feedback: Feedback, status: FeedbackStatus, note: str = "", actor: Principal | None = None) -> None:
    change_status(feedback=feedback, status=status, actor=actor, note=note, now=NOW)


def test_an_answer_stands_on_the_receipt_and_reaches_whoever_asked_once(
    said: Said, run_jobs: Callable[[], int], client: object
) -> None:
    feedback = said()
    for _ in range(2):
        respond(feedback=feedback, answer="It is **there** now, under Looks.", actor=None, now=NOW)
        run_jobs()
    (mail,) = mails("answered:")
    assert mail.payload["to"] == "ada@example.com"
    assert "It is **there** now, under Looks." in mail.payload["text"]
    assert "<strong>there</strong>" in mail.payload["html"]
    assert "Please add a dark mode" in mail.payload["text"]
    assert KeptMail.objects.filter(subject="An answer to your feedback").count() == 1
    assert Notification.objects.filter(type="feedback_answered").count() == 1
    feedback.refresh_from_db()
    assert (feedback.status, feedback.responded_at) == ("acknowledged", NOW)
    page = client.get(f"/r/{feedback.raw_item.receipt_token}").content.decode()  # type: ignore[attr-defined]
    assert "<strong>there</strong>" in page


def test_another_answer_is_another_mail_and_the_first_one_counts_for_the_time(
    said: Said, run_jobs: Callable[[], int]
) -> None:
    feedback = said()
    respond(feedback=feedback, answer="We are looking at it.", actor=None, now=NOW)
    run_jobs()
    respond(feedback=feedback, answer="It is solved.", actor=None, now=NOW + timedelta(hours=1))
    run_jobs()
    assert [mail.payload["text"].count("It is solved.") for mail in mails("answered:")] == [0, 1]
    feedback.refresh_from_db()
    assert (feedback.public_response, feedback.responded_at) == ("It is solved.", NOW)


def test_an_answer_gets_through_where_other_mail_has_had_its_share_but_not_against_somebodys_will(
    said: Said, run_jobs: Callable[[], int]
) -> None:
    first, second = said(), said("The export loses its last rows.")
    for feedback in (first, second):
        move(feedback, FeedbackStatus.PLANNED)
        move(feedback, FeedbackStatus.COMPLETED)
    run_jobs()
    assert len(mails("acknowledged:")) + len(mails("feedback_moved:")) == 3
    respond(feedback=first, answer="Thank you.", actor=None, now=NOW)
    run_jobs()
    assert len(mails("answered:")) == 1
    Principal.objects.update(unsubscribed_at=NOW)
    respond(feedback=second, answer="Thank you.", actor=None, now=NOW)
    run_jobs()
    assert len(mails("answered:")) == 1
    assert Notification.objects.filter(type="feedback_answered").count() == 2


def test_a_move_is_told_to_its_author_and_to_who_voted_each_what_is_theirs(
    said: Said, run_jobs: Callable[[], int], workspace: Workspace
) -> None:
    feedback = said()
    bo = Principal.objects.create(workspace=workspace, email="bo@example.com")
    robot = Principal.objects.create(workspace=workspace, type=PrincipalType.SERVICE, email="robot@example.com")
    for voter in (bo, robot):
        vote(feedback=feedback, principal=voter)
    move(feedback, FeedbackStatus.PLANNED, "In spring.")
    run_jobs()
    by_person = {mail.payload["to"]: mail.payload for mail in mails("feedback_moved:")}
    assert set(by_person) == {"ada@example.com", "bo@example.com"}
    token = feedback.raw_item.receipt_token
    assert token in by_person["ada@example.com"]["text"]
    assert token not in str(by_person["bo@example.com"])
    assert all("In spring." in payload["text"] for payload in by_person.values())
    assert token not in str(list(Notification.objects.filter(principal=bo).values()))


@pytest.mark.parametrize("status", [FeedbackStatus.IN_REVIEW, FeedbackStatus.DUPLICATE])
def test_what_is_ours_alone_is_told_to_nobody(said: Said, run_jobs: Callable[[], int], status: FeedbackStatus) -> None:
    feedback = said()
    move(feedback, status)
    run_jobs()
    assert mails("feedback_moved:") == []
    assert not Notification.objects.exists()
    feedback.refresh_from_db()
    assert feedback.responded_at is None


def test_having_been_read_is_told_in_the_product_and_not_by_a_second_mail(
    said: Said, run_jobs: Callable[[], int]
) -> None:
    feedback = said()
    move(feedback, FeedbackStatus.ACKNOWLEDGED)
    run_jobs()
    assert mails("feedback_moved:") == []
    assert Notification.objects.get().url == f"/r/{feedback.raw_item.receipt_token}"


def test_nobody_hears_of_what_they_did_themselves_and_imports_tell_nobody(
    said: Said, run_jobs: Callable[[], int]
) -> None:
    own = said()
    move(own, FeedbackStatus.PLANNED, actor=own.raw_item.principal)
    imported = said("The export loses its last rows.", email="bo@example.com", silent=True)
    assert imported.response_due_at is None
    move(imported, FeedbackStatus.PLANNED)
    run_jobs()
    assert mails("feedback_moved:") == []


def test_who_voted_for_feedback_hears_about_the_post_that_came_of_it_whenever_that_was(
    said: Said, run_jobs: Callable[[], int], workspace: Workspace
) -> None:
    feedback = said()
    said("A dark mode in the settings would be lovely, please add it.", email="cleo@example.com")
    bo, dan, actor = (
        Principal.objects.create(workspace=workspace, email=f"{name}@example.com") for name in ("bo", "dan", "team")
    )
    vote(feedback=feedback, principal=bo)
    theme = Theme.objects.get(id__in=feedback.raw_item.signals.values("theme_id"))
    Theme.objects.filter(pk=theme.pk).update(status="active")
    board = Board.objects.get()
    assert Status.objects.exists()
    post: Post = promote_theme(theme=theme, board=board, title="Dark mode", body="", tags=[], actor=actor, now=NOW)
    run_jobs()
    vote(feedback=feedback, principal=dan)
    run_jobs()
    reasons = dict(Subscription.objects.filter(post=post).values_list("principal__email", "reason"))
    assert reasons["bo@example.com"] == reasons["dan@example.com"] == "vote"
    assert reasons["ada@example.com"] == "feedback_author"
