"""Writes of triage: opening a record for each raw item, scoring it, moving it through its statuses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer
from tellback.platform.loop_config import get_loop_config
from tellback.triage import rules
from tellback.triage.models import Feedback, FeedbackStatus, RoutingDecision, StatusChange
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal


@transaction.atomic
def open_feedback(*, items: Sequence[RawItem]) -> list[Feedback]:
    """Make the triage record of each raw item that has none yet. Safe to repeat.

    Scored by document 1's formula with the keyword intent; `rescore` follows when the item has been understood.
    """
    known = set(Feedback.objects.filter(raw_item__in=items).values_list("raw_item_id", flat=True))
    fresh = [item for item in items if item.id not in known]
    drafts = [_draft(item) for item in fresh]
    made = Feedback.objects.bulk_create([feedback for feedback, _ in drafts], ignore_conflicts=True)
    stored = {
        feedback.raw_item_id: feedback
        for feedback in Feedback.objects.filter(raw_item__in=fresh, id__in=[feedback.id for feedback in made])
    }
    opened = [stored[item.id] for item in fresh if item.id in stored]
    StatusChange.objects.bulk_create(
        StatusChange(
            workspace_id=feedback.workspace_id,
            feedback=feedback,
            status=feedback.status,
            created_at=feedback.created_at,
        )
        for feedback in opened
    )
    RoutingDecision.objects.bulk_create([decision for feedback, decision in drafts if feedback.raw_item_id in stored])
    loud = [str(feedback.id) for feedback in opened if not _item_of(feedback, fresh).silent]
    if loud:
        defer("loop.acknowledge", queue=Queue.EFFECTS, workspace_id=opened[0].workspace_id, feedback_ids=loud)
    return opened


def configured_thresholds() -> rules.Thresholds:
    """What document 1's `routing.score_thresholds` say, or its defaults."""
    scores = get_loop_config().routing.score_thresholds
    return rules.Thresholds(critical=scores.critical, high=scores.high, medium=scores.medium, low=scores.low)


def _item_of(feedback: Feedback, items: Sequence[RawItem]) -> RawItem:
    return next(item for item in items if item.id == feedback.raw_item_id)


def _draft(item: RawItem) -> tuple[Feedback, RoutingDecision]:
    text = str(item.content.get("text", ""))
    inputs = _inputs(item, intent=rules.keyword_intent(text))
    result = rules.score(inputs)
    priority = rules.priority_of(result.value, severity=item.severity, thresholds=configured_thresholds())
    feedback = Feedback(
        workspace_id=item.workspace_id,
        raw_item=item,
        type=rules.canonical_type(item.category),
        severity=item.severity,
        priority=priority,
        intent=inputs.intent,
        score=result.value,
        status=FeedbackStatus.NEW,
        summary=rules.summary_of(str(item.content.get("subject", "")), text),
        tags=item.context_envelope.get("tags", []),
        rating=item.context_envelope.get("rating"),
        response_due_at=rules.response_due(item.created_at, priority=priority, hours=rules.BusinessHours()),
        created_at=item.source_created_at,
    )
    return feedback, _decision(feedback, inputs, result)


def _inputs(item: RawItem, *, intent: str) -> rules.ScoreInputs:
    metadata = item.context_envelope.get("metadata", {})
    return rules.ScoreInputs(
        severity=item.severity,
        channel=item.channel,
        intent=intent,
        app_version=str(metadata.get("appVersion") or ""),
    )


def _decision(feedback: Feedback, inputs: rules.ScoreInputs, result: rules.Score) -> RoutingDecision:
    return RoutingDecision(
        workspace_id=feedback.workspace_id,
        feedback=feedback,
        rule=rules.RULE_SET,
        inputs=rules.inputs_as_record(inputs),
        outcome={"score": result.value, "parts": result.parts, "priority": feedback.priority},
    )


@transaction.atomic
def rescore(*, item_ids: Sequence[UUID]) -> int:
    """Score again the items whose signals say another intent than the keywords did; returns how many changed."""
    types: dict[UUID, list[str]] = {}
    for item_id, kind in Signal.objects.filter(raw_feedback_item_id__in=item_ids).values_list(
        "raw_feedback_item_id", "signal_type"
    ):
        types.setdefault(item_id, []).append(kind)
    changed = []
    decisions = []
    for feedback in Feedback.objects.select_for_update().filter(raw_item_id__in=types).select_related("raw_item"):
        intent = rules.intent_of_signals(types[feedback.raw_item_id])
        if intent == feedback.intent:
            continue
        inputs = _inputs(feedback.raw_item, intent=intent)
        result = rules.score(inputs)
        feedback.intent, feedback.score = intent, result.value
        feedback.priority = rules.priority_of(
            result.value, severity=feedback.severity, thresholds=configured_thresholds()
        )
        feedback.response_due_at = rules.response_due(
            feedback.raw_item.created_at, priority=feedback.priority, hours=rules.BusinessHours()
        )
        changed.append(feedback)
        decisions.append(_decision(feedback, inputs, result))
    update_rows(changed, ["intent", "score", "priority", "response_due_at"])
    RoutingDecision.objects.bulk_create(decisions)
    return len(changed)


@transaction.atomic
def change_status(
    *, feedback: Feedback, status: FeedbackStatus, actor: Principal | None, note: str, now: datetime
) -> StatusChange | None:
    """Move feedback to a status and record who did it and the public note. None when it is there already.

    Raises `Conflict` when the workflow does not allow the move.
    """
    current = Feedback.objects.select_for_update().get(pk=feedback.pk)
    if current.status == status:
        return None
    if not rules.may_follow(current.status, status):
        raise Conflict(f"Feedback that is {current.get_status_display().lower()} cannot become {status.label.lower()}.")
    change = StatusChange.objects.create(
        workspace_id=current.workspace_id,
        feedback=current,
        previous=current.status,
        status=status,
        actor=actor,
        note=note,
        created_at=now,
    )
    current.status = feedback.status = status
    current.completed_at = now if status == FeedbackStatus.COMPLETED else None
    if current.responded_at is None:
        current.responded_at = now
    current.save(update_fields=["status", "completed_at", "responded_at", "updated_at"])
    return change


def move_with_post(
    *, item_ids: Sequence[UUID], post_category: str, actor: Principal | None, note: str, now: datetime
) -> list[StatusChange]:
    """Move the feedback behind a post along with it; what cannot follow (declined, duplicate) stays where it is."""
    wanted = rules.STATUS_OF_POST.get(post_category)
    if wanted is None:
        return []
    status = FeedbackStatus(wanted)
    moved = []
    for feedback in Feedback.objects.filter(raw_item_id__in=item_ids).order_by("id"):
        if rules.may_follow(feedback.status, status):
            change = change_status(feedback=feedback, status=status, actor=actor, note=note, now=now)
            moved += [change] if change else []
    return moved
