"""Triage of imported feedback: the status that it had where it comes from, and changes that a later import brings."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from tellback.intake.models import RawItem
from tellback.platform.bulk import update_rows
from tellback.triage import rules
from tellback.triage.models import Feedback, FeedbackStatus, StatusChange

#: What other tools call a status, compared in lower case with single blanks.
STATUS_WORDS: dict[str, FeedbackStatus] = {
    word: status
    for status, words in {
        FeedbackStatus.NEW: ("new", "open", "unread", "received"),
        FeedbackStatus.ACKNOWLEDGED: ("acknowledged", "pending", "hold", "on hold", "snoozed", "answered", "replied"),
        FeedbackStatus.IN_REVIEW: ("in review", "under review", "under consideration", "reviewing", "triaged"),
        FeedbackStatus.PLANNED: ("planned", "backlog", "accepted", "scheduled", "todo", "to do"),
        FeedbackStatus.IN_PROGRESS: ("in progress", "started", "doing", "in development", "building"),
        FeedbackStatus.COMPLETED: (
            "completed", "complete", "solved", "closed", "resolved", "done", "shipped", "released", "fixed",
        ),
        FeedbackStatus.DECLINED: ("declined", "rejected", "won't do", "won't fix", "wont fix", "not planned"),
        FeedbackStatus.DUPLICATE: ("duplicate", "merged"),
    }.items()
    for word in words
}  # fmt: skip
#: Nobody waits for an answer any more.
ENDED = frozenset({FeedbackStatus.COMPLETED, FeedbackStatus.DECLINED, FeedbackStatus.DUPLICATE})


def status_of_words(said: str) -> FeedbackStatus | None:
    """The status that another tool's word means; None when it means none of ours."""
    return STATUS_WORDS.get(re.sub(r"[\s_-]+", " ", said.strip().casefold()))


@transaction.atomic
def take_stated_status(*, items: Sequence[RawItem]) -> int:
    """Give imported feedback the status it had; returns how many. Nobody is told. Safe to repeat.

    Only what nobody has touched here yet.
    """
    stated = {item.id: status_of_words(str(item.context_envelope.get("status", ""))) for item in items if item.silent}
    wanted = {item_id: status for item_id, status in stated.items() if status and status != FeedbackStatus.NEW}
    found = list(
        Feedback.objects.select_for_update()
        .select_related("raw_item")
        .filter(raw_item__in=wanted, status=FeedbackStatus.NEW)
    )
    touched = set(
        StatusChange.objects.filter(feedback__in=found).exclude(previous=None).values_list("feedback_id", flat=True)
    )
    moved = [one for one in found if one.id not in touched]
    for one in moved:
        _move(one, wanted[one.raw_item_id] or FeedbackStatus.NEW, one.raw_item.source_created_at)
    update_rows(moved, ["status", "completed_at", "responded_at", "response_due_at"])
    StatusChange.objects.bulk_create(
        StatusChange(
            workspace_id=one.workspace_id,
            feedback=one,
            previous=FeedbackStatus.NEW,
            status=one.status,
            created_at=one.raw_item.source_created_at,
        )
        for one in moved
    )
    return len(moved)


def _move(feedback: Feedback, status: FeedbackStatus, at: datetime) -> None:
    feedback.status = status
    if status in ENDED:
        feedback.response_due_at = None
    if status == FeedbackStatus.COMPLETED:
        feedback.completed_at = at


@transaction.atomic
def refresh_from_items(*, items: Sequence[RawItem]) -> int:
    """Have the records of these items say what the items now say: summary, tags, rating, type, severity.

    What the team decided stays: status, priority, assignee, answer. Returns how many. Safe to repeat.
    """
    by_id = {item.id: item for item in items}
    found = list(Feedback.objects.select_for_update().filter(raw_item__in=by_id))
    for feedback in found:
        item = by_id[feedback.raw_item_id]
        subject, text = str(item.content.get("subject", "")), str(item.content.get("text", ""))
        feedback.summary = rules.summary_of(subject, text)
        feedback.tags = item.context_envelope.get("tags", [])
        feedback.rating = item.context_envelope.get("rating")
        feedback.type, feedback.severity = rules.canonical_type(item.category), item.severity
    update_rows(found, ["summary", "tags", "rating", "type", "severity"])
    return len(found) + take_stated_status(items=items)
