"""Writes of triage: opening a record for each raw item, scoring it, moving it through its statuses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer
from tellback.platform.loop_config import LoopConfig
from tellback.platform.tenancy import current_workspace_id
from tellback.triage import rules
from tellback.triage.hours import due_of, get_hours
from tellback.triage.models import Feedback, FeedbackStatus, Priority, RoutingDecision, StatusChange
from tellback.triage.response_times import BusinessHours
from tellback.triage.ticketing import request_ticket
from tellback.understanding.models import Signal
from tellback.workspaces.loop_settings import get_workspace_config
from tellback.workspaces.models import Principal


@transaction.atomic
def open_feedback(*, items: Sequence[RawItem]) -> list[Feedback]:
    """Make the triage record of each raw item that has none yet; returns those made. Safe to repeat.

    Scored by document 1's formula with the keyword intent; `rescore` follows when the item has been understood.
    """
    # One at a time for each item, so that two jobs do not both tell its beginning.
    held = RawItem.objects.select_for_update(no_key=True).filter(id__in=[item.id for item in items])
    list(held.order_by("id").values_list("id", flat=True))
    known = set(Feedback.objects.filter(raw_item__in=items).values_list("raw_item_id", flat=True))
    fresh = [item for item in items if item.id not in known]
    if not fresh:
        return []
    hours = get_hours(fresh[0].workspace_id)
    config = get_workspace_config(fresh[0].workspace_id)
    drafts = [_draft(item, hours, config) for item in fresh]
    opened = Feedback.objects.bulk_create([feedback for feedback, _ in drafts])
    StatusChange.objects.bulk_create(
        StatusChange(
            workspace_id=feedback.workspace_id,
            feedback=feedback,
            status=feedback.status,
            created_at=feedback.created_at,
        )
        for feedback in opened
    )
    RoutingDecision.objects.bulk_create([decision for _, decision in drafts])
    _request_tickets([one for one, item in zip(opened, fresh, strict=True) if not item.silent], config)
    return opened


def draft_of(item: RawItem) -> Feedback:
    """The triage record as it will be opened, not stored: for whoever asks about an item that has just arrived."""
    return _draft(item, get_hours(item.workspace_id), get_workspace_config(item.workspace_id))[0]


def acknowledge_arrival(*, items: Sequence[RawItem]) -> None:
    """Have the authors of these items told that they arrived, except those of imports. Nobody is told twice."""
    loud = [item.id for item in items if not item.silent]
    ids = [str(id) for id in Feedback.objects.filter(raw_item__in=loud).order_by("id").values_list("id", flat=True)]
    if ids:
        defer("loop.acknowledge", queue=Queue.EFFECTS, workspace_id=items[0].workspace_id, feedback_ids=ids)


def thresholds_of(config: LoopConfig) -> rules.Thresholds:
    """What document 1's `routing.score_thresholds` say."""
    scores = config.routing.score_thresholds
    return rules.Thresholds(critical=scores.critical, high=scores.high, medium=scores.medium, low=scores.low)


def _request_tickets(records: Sequence[Feedback], config: LoopConfig) -> None:
    now = timezone.now()
    for feedback in records:
        request_ticket(feedback=feedback, route=_route(feedback, config), config=config, now=now)


def _route(feedback: Feedback, config: LoopConfig) -> rules.Route:
    return rules.route(feedback.score, severity=feedback.severity, type=feedback.type, thresholds=thresholds_of(config))


def _draft(item: RawItem, hours: BusinessHours, config: LoopConfig) -> tuple[Feedback, RoutingDecision]:
    text, envelope = str(item.content.get("text", "")), item.context_envelope
    inputs = _inputs(item, intent=rules.keyword_intent(text))
    result = rules.score(inputs)
    stated = envelope.get("priority") if envelope.get("priority") in Priority.values else None
    scored = rules.priority_of(result.value, severity=item.severity, thresholds=thresholds_of(config))
    feedback = Feedback(
        # One to one, and so the same in its id: whoever knows the item can name its record before there is one.
        id=item.id,
        workspace_id=item.workspace_id,
        raw_item=item,
        type=rules.canonical_type(item.category),
        severity=item.severity,
        priority=stated or scored,
        priority_is_set=stated is not None,
        intent=inputs.intent,
        score=result.value,
        status=FeedbackStatus.NEW,
        summary=rules.summary_of(str(item.content.get("subject", "")), text),
        source=str(envelope.get("calledSource") or item.source_type)[:40],
        tags=envelope.get("tags", []),
        rating=envelope.get("rating"),
        created_at=item.source_created_at,
    )
    feedback.response_due_at = due_of(feedback, hours=hours)
    return feedback, _decision(feedback, inputs, result, config)


def _inputs(item: RawItem, *, intent: str) -> rules.ScoreInputs:
    metadata = item.context_envelope.get("metadata", {})
    return rules.ScoreInputs(
        severity=item.severity,
        channel=item.channel,
        intent=intent,
        app_version=str(metadata.get("appVersion") or ""),
    )


def _decision(
    feedback: Feedback, inputs: rules.ScoreInputs, result: rules.Score, config: LoopConfig
) -> RoutingDecision:
    route = _route(feedback, config)
    return RoutingDecision(
        workspace_id=feedback.workspace_id,
        feedback=feedback,
        rule=rules.RULE_SET,
        inputs=rules.inputs_as_record(inputs),
        outcome={
            "score": result.value,
            "parts": result.parts,
            "priority": feedback.priority,
            "route": {"queue": route.queue, "labels": route.labels},
        },
    )


@transaction.atomic
def rescore(*, item_ids: Sequence[UUID]) -> int:
    """Score again the items whose signals say another intent than the keywords did; returns how many changed.

    A priority that somebody has set stays.
    """
    types: dict[UUID, list[str]] = {}
    for item_id, kind in Signal.objects.filter(raw_feedback_item_id__in=item_ids).values_list(
        "raw_feedback_item_id", "signal_type"
    ):
        types.setdefault(item_id, []).append(kind)
    if not types:
        return 0
    config = get_workspace_config(current_workspace_id())
    changed: list[Feedback] = []
    decisions = []
    hours = get_hours(current_workspace_id())
    for feedback in Feedback.objects.select_for_update().filter(raw_item_id__in=types).select_related("raw_item"):
        intent = rules.intent_of_signals(types[feedback.raw_item_id])
        if intent == feedback.intent:
            continue
        inputs = _inputs(feedback.raw_item, intent=intent)
        result = rules.score(inputs)
        feedback.intent, feedback.score = intent, result.value
        if not feedback.priority_is_set:
            feedback.priority = rules.priority_of(
                result.value, severity=feedback.severity, thresholds=thresholds_of(config)
            )
            feedback.response_due_at = due_of(feedback, hours=hours)
        changed.append(feedback)
        decisions.append(_decision(feedback, inputs, result, config))
    update_rows(changed, ["intent", "score", "priority", "response_due_at"])
    RoutingDecision.objects.bulk_create(decisions)
    _request_tickets([feedback for feedback in changed if not feedback.raw_item.silent], config)
    return len(changed)


@transaction.atomic
def change_status(
    *, feedback: Feedback, status: FeedbackStatus, actor: Principal | None, note: str, now: datetime
) -> StatusChange | None:
    """Move feedback to a status, record who did it and the public note, and have its author told. None if it is there.

    Raises `Conflict` when the workflow does not allow the move.
    """
    change = _move(feedback, status, actor=actor, note=note, now=now)
    if change is not None and status in rules.TOLD_TO_AUTHOR:
        defer(
            "loop.on_feedback_moved",
            queue=Queue.EFFECTS,
            workspace_id=change.workspace_id,
            lock=f"feedback:{change.feedback_id}",
            change_id=str(change.id),
        )
    return change


def _move(
    feedback: Feedback, status: FeedbackStatus, *, actor: Principal | None, note: str, now: datetime
) -> StatusChange | None:
    current = Feedback.objects.select_for_update().get(pk=feedback.pk)
    if current.status == status:
        return None
    if not rules.may_follow(current.status, status):
        raise Conflict(
            f"Feedback that is {current.get_status_display().lower()} cannot become {status.label.lower()}.",
            code="transition-not-allowed",
        )
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
    current.completed_at = feedback.completed_at = now if status == FeedbackStatus.COMPLETED else None
    current.duplicate_of = None
    if current.responded_at is None and status in rules.TOLD_TO_AUTHOR:
        current.responded_at = feedback.responded_at = now
    current.save(update_fields=["status", "completed_at", "responded_at", "duplicate_of", "updated_at"])
    return change


def move_with_post(
    *, item_ids: Sequence[UUID], post_category: str, actor: Principal | None, note: str, now: datetime
) -> list[StatusChange]:
    """Move the feedback behind a post along with it; what cannot follow (declined, duplicate) stays where it is.

    Its authors hear of it as subscribers of the post.
    """
    wanted = rules.STATUS_OF_POST.get(post_category)
    if wanted is None:
        return []
    status = FeedbackStatus(wanted)
    moved = []
    for feedback in Feedback.objects.filter(raw_item_id__in=item_ids).order_by("id"):
        if rules.may_follow(feedback.status, status):
            change = _move(feedback, status, actor=actor, note=note, now=now)
            moved += [change] if change else []
    return moved
