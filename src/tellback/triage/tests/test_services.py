"""Triage records, as they are opened, scored and moved."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tellback.intake.models import FeedbackSource, RawItem
from tellback.kernel.errors import Conflict
from tellback.triage import services
from tellback.triage.models import Feedback, FeedbackStatus, RoutingDecision, StatusChange
from tellback.understanding.models import Signal
from tellback.workspaces.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MakeItem = Callable[..., RawItem]


@pytest.fixture
def make_item(workspace: Workspace) -> MakeItem:
    """Makes raw items of one source."""
    source = FeedbackSource.objects.create(workspace=workspace, source_type="api", delivery_mode="passive", name="API")
    count = 0

    def make(text: str = "It crashes", *, severity: str = "high", silent: bool = True) -> RawItem:
        nonlocal count
        count += 1
        return RawItem.objects.create(
            workspace=workspace,
            source=source,
            source_type="api",
            external_id=str(count),
            dedupe_key=str(count),
            source_created_at=NOW,
            content={"text": text},
            channel="support",
            category="bug",
            severity=severity,
            receipt_token=f"token-{count}",
            silent=silent,
        )

    return make


def test_opening_twice_makes_one_record_with_its_reasons(make_item: MakeItem) -> None:
    item = make_item()
    assert len(services.open_feedback(items=[item])) == 1
    assert services.open_feedback(items=[item]) == []
    feedback = Feedback.objects.get()
    assert (feedback.score, feedback.priority, feedback.type) == (90, "urgent", "bug")
    decision = RoutingDecision.objects.get(feedback=feedback)
    assert decision.outcome["parts"]["says it is broken"] == 15
    assert StatusChange.objects.get(feedback=feedback).status == FeedbackStatus.NEW


def test_the_score_follows_what_was_understood(make_item: MakeItem) -> None:
    item = make_item("Where do I find the export", severity="medium")
    services.open_feedback(items=[item])
    Signal.objects.create(
        workspace_id=item.workspace_id,
        raw_feedback_item=item,
        signal_type="bug_report",
        summary="Export is gone",
        extraction_confidence=0.9,
    )
    assert services.rescore(item_ids=[item.id]) == 1
    assert services.rescore(item_ids=[item.id]) == 0
    feedback = Feedback.objects.get()
    assert (feedback.intent, feedback.score) == ("bug", 75)
    assert RoutingDecision.objects.filter(feedback=feedback).count() == 2


def test_a_move_that_the_workflow_does_not_know_is_refused_and_changes_nothing(make_item: MakeItem) -> None:
    [feedback] = services.open_feedback(items=[make_item()])
    services.change_status(feedback=feedback, status=FeedbackStatus.COMPLETED, actor=None, note="", now=NOW)
    with pytest.raises(Conflict, match="completed cannot become new"):
        services.change_status(feedback=feedback, status=FeedbackStatus.NEW, actor=None, note="", now=NOW)
    assert Feedback.objects.get().status == FeedbackStatus.COMPLETED


def test_feedback_moves_with_its_post_except_where_it_was_decided_otherwise(make_item: MakeItem) -> None:
    first, second = make_item(), make_item()
    _, declined = services.open_feedback(items=[first, second])
    services.change_status(feedback=declined, status=FeedbackStatus.DUPLICATE, actor=None, note="", now=NOW)
    moved = services.move_with_post(
        item_ids=[first.id, second.id], post_category="complete", actor=None, note="Shipped", now=NOW
    )
    assert [change.status for change in moved] == ["completed"]
    assert Feedback.objects.get(raw_item=first).completed_at == NOW
    assert Feedback.objects.get(raw_item=second).status == FeedbackStatus.DUPLICATE
