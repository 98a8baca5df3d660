"""The loop whole, inside one process: accepted, understood, themed, scored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tellback.boards.models import Board, Status, StatusCategory
from tellback.boards.services import ensure_defaults, move_post, promote_theme
from tellback.effects.models import KeptMail
from tellback.intake.accept import Idempotency, Outcome, Submission, accept_batch
from tellback.intake.models import FeedbackSource, ItemState, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.loop.changelog import publish_entry, save_entry, tell_recipients
from tellback.loop.following import subscribe
from tellback.loop.models import SubscriptionReason
from tellback.loop.selectors import get_receipt, recipients_of
from tellback.themes.models import Theme, ThemeStatus
from tellback.triage.models import Feedback
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = [
    "The CSV export is broken, it misses the last rows. Write me at ada@example.com",
    "Exporting to CSV loses rows at the end of the file.",
    "CSV export drops the last three rows every time",
    "Could you add a dark mode? My eyes hurt at night.",
    "Please add dark mode, the app is too bright in the evening.",
    "Thank you, great app!",
]


def submit(workspace: Workspace, texts: list[str]) -> list[Submission]:
    ensure_default_sources(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")
    return [
        Submission(
            source_id=source.id,
            source_type="api",
            channel="in-app",
            text=text,
            source_created_at=NOW,
            author={"externalUserId": f"u{number % 4}", "email": f"u{number % 4}@example.com"},
            idempotency=Idempotency(scope="key", key=str(uuid4()), fingerprint="f", window=timedelta(hours=24)),
            silent=True,
        )
        for number, text in enumerate(texts)
    ]


def test_feedback_becomes_themes_with_verbatim_quotes(workspace: Workspace, run_jobs: Callable[[], int]) -> None:
    answers = accept_batch(workspace_id=workspace.id, submissions=submit(workspace, TEXTS), now=NOW)
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    run_jobs()
    items = RawItem.objects.all()
    assert {item.processing_state for item in items} == {ItemState.COMPLETED}
    assert "ada@example.com" not in str([item.content for item in items])
    for signal in Signal.objects.select_related("raw_feedback_item"):
        text = signal.raw_feedback_item.content["text"]
        for span, quote in zip(signal.evidence_spans, signal.evidence, strict=True):
            assert text[span["start"] : span["end"]] == quote
    active = Theme.objects.filter(status=ThemeStatus.ACTIVE).order_by("-signal_count")
    assert [theme.unique_author_count for theme in active] == [3, 2]
    assert "export" in active[0].title.lower()
    assert "dark mode" in active[1].title.lower()
    assert Feedback.objects.filter(intent="bug").count() == 3
    assert Principal.objects.exclude(email="").count() == 4


def test_shipping_tells_every_author_once_with_their_own_words(
    workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    ensure_defaults(workspace=workspace)
    accept_batch(workspace_id=workspace.id, submissions=submit(workspace, TEXTS), now=NOW)
    run_jobs()
    owner = Principal.objects.create(workspace=workspace, display_name="Owner", email="owner@example.com")
    theme = Theme.objects.filter(status=ThemeStatus.ACTIVE).order_by("-signal_count")[0]
    post = promote_theme(
        theme=theme, board=Board.objects.get(), title=theme.title, body="", tags=["export"], actor=owner, now=NOW
    )
    run_jobs()
    entry = save_entry(
        workspace_id=workspace.id, entry=None, title="Exports are whole", body="", posts=[post], author=owner, now=NOW
    )
    promised = {recipient.principal_id for recipient in recipients_of(entry)}
    assert len(promised) == 3
    assert publish_entry(entry=entry, actor=owner, now=NOW) == 3
    run_jobs()
    shipped = KeptMail.objects.filter(subject="Shipped: Exports are whole")
    assert {mail.to for mail in shipped} == {"u0@example.com", "u1@example.com", "u2@example.com"}
    assert all("CSV" in mail.text for mail in shipped)
    assert all(mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for mail in shipped)
    tell_recipients(entry=entry, now=NOW)
    run_jobs()
    assert shipped.count() == 3
    item = RawItem.objects.get(content__text__startswith="Exporting")
    receipt = get_receipt(item)
    assert "".join(piece.text for piece in receipt.pieces) == item.content["text"]
    assert receipt.steps[-1].title == "It has shipped"
    assert receipt.themes[0].others == 2


def test_a_move_is_told_with_the_persons_own_words(workspace: Workspace, run_jobs: Callable[[], int]) -> None:
    ensure_defaults(workspace=workspace)
    accept_batch(workspace_id=workspace.id, submissions=submit(workspace, TEXTS), now=NOW)
    run_jobs()
    owner = Principal.objects.create(workspace=workspace, display_name="Owner", email="owner@example.com")
    follower = Principal.objects.create(workspace=workspace, display_name="Fay", email="fay@example.com")
    theme = Theme.objects.filter(status=ThemeStatus.ACTIVE).order_by("-signal_count")[0]
    post = promote_theme(
        theme=theme, board=Board.objects.get(), title=theme.title, body="", tags=[], actor=owner, now=NOW
    )
    run_jobs()
    subscribe(post=post, principal=follower, reason=SubscriptionReason.MANUAL)
    for status in Status.objects.filter(category__in=(StatusCategory.PLANNED, StatusCategory.CLOSED)):
        move_post(post=post, status=status, note="", actor=owner, now=NOW)
    run_jobs()
    planned, closed = (KeptMail.objects.filter(subject__endswith=f": {word}") for word in ("planned", "closed"))
    assert "Exporting to CSV loses rows" in planned.get(to="u1@example.com").text
    assert "you told us" not in planned.get(to="fay@example.com").text
    assert "hear from us again" in planned.get(to="fay@example.com").text
    assert "hear from us again" not in closed.get(to="fay@example.com").text


def test_the_same_request_again_is_a_duplicate_with_the_same_receipt(workspace: Workspace) -> None:
    submissions = submit(workspace, TEXTS[:1])
    [first] = accept_batch(workspace_id=workspace.id, submissions=submissions, now=NOW)
    [second] = accept_batch(workspace_id=workspace.id, submissions=submissions, now=NOW)
    assert second.outcome == Outcome.DUPLICATE
    assert (second.raw_item_id, second.receipt_token) == (first.raw_item_id, first.receipt_token)
    assert RawItem.objects.count() == 1
    [later] = accept_batch(workspace_id=workspace.id, submissions=submissions, now=NOW + timedelta(hours=25))
    assert later.outcome == Outcome.ACCEPTED
