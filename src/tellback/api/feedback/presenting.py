"""Feedback as the API gives it."""

import hashlib
from datetime import datetime
from typing import Any, get_args

from django.conf import settings
from django.http import HttpResponse

from tellback.api.feedback import shapes
from tellback.kernel.ids import to_public
from tellback.triage import rules
from tellback.triage.models import Feedback, StatusChange
from tellback.triage.response_times import Answered, answered
from tellback.workspaces.models import Principal

#: Parts of the context envelope that have fields of their own, or are ours.
_APART = ("metadata", "tags", "rating", "priority", "calledSource", "attachments", "followUpTo")
_STATUSES: tuple[shapes.Status, ...] = get_args(shapes.Status)


def submitted(feedback: Feedback) -> shapes.SubmittedOut:
    """What a sender gets back."""
    return shapes.SubmittedOut(**_fields(feedback))


def seen(feedback: Feedback, *, now: datetime) -> shapes.FeedbackOut:
    """What the team sees in a list."""
    return shapes.FeedbackOut(**_fields(feedback), **_team_fields(feedback, now))


def in_detail(feedback: Feedback, *, now: datetime) -> shapes.FeedbackDetail:
    """What the team sees of one, with its history."""
    # By their ids, which are made while the record is held: times are those of the callers.
    changes = StatusChange.objects.filter(feedback_id=feedback.id).select_related("actor").order_by("id")
    return shapes.FeedbackDetail(
        **_fields(feedback),
        **_team_fields(feedback, now),
        transitions=[status for status in _STATUSES if rules.may_follow(feedback.status, status)],
        history=[_step(change) for change in changes],
    )


def shown(response: HttpResponse, feedback: Feedback, *, now: datetime) -> shapes.FeedbackDetail:
    """The detail, with the ETag of its state on the response."""
    response.headers["ETag"] = etag_of(feedback)
    return in_detail(feedback, now=now)


def etag_of(feedback: Feedback) -> str:
    """Tells one state of a piece of feedback from another (RFC 9110, section 8.8.3)."""
    states = (feedback.id, feedback.updated_at, feedback.score, feedback.priority, feedback.vote_count)
    return f'"{hashlib.sha256(repr(states).encode()).hexdigest()[:24]}"'


def _fields(feedback: Feedback) -> dict[str, Any]:
    item = feedback.raw_item
    person = item.principal
    author = item.author
    return {
        "id": feedback.public_id,
        "tenant_id": to_public("ws", feedback.workspace_id),
        "type": feedback.type,
        "feedback_type": feedback.type,
        "summary": feedback.summary,
        "description": item.content.get("text", ""),
        "priority": feedback.priority,
        "status": feedback.status,
        "submitted_by": person.public_id if person else None,
        "submitter_email": (person.email if person else author.get("email")) or None,
        "submitter_name": (person.display_name if person else author.get("name")) or None,
        "source": feedback.source or item.source_type,
        "context": _context(item.context_envelope),
        "tags": feedback.tags,
        "rating": feedback.rating,
        "github_issue_url": feedback.github_issue_url,
        "public_response": feedback.public_response,
        "created_at": feedback.created_at,
        "completed_at": feedback.completed_at,
        "response_due_at": feedback.response_due_at,
        "receipt": f"{settings.BASE_URL}/r/{item.receipt_token}",
    }


def _context(envelope: dict[str, Any]) -> dict[str, Any]:
    """What the sender said was around it: their own words for it, and the parts of document 3's envelope."""
    parts = {name: part for name, part in envelope.items() if name not in _APART and part}
    return {**parts, **envelope.get("metadata", {})}


def _team_fields(feedback: Feedback, now: datetime) -> dict[str, Any]:
    state = answered(
        due_at=feedback.response_due_at,
        responded_at=feedback.responded_at,
        is_open=feedback.status in rules.OPEN,
        now=now,
    )
    return {
        "severity": feedback.severity,
        "intent": feedback.intent,
        "score": feedback.score,
        "vote_count": feedback.vote_count,
        "assignee": _person(feedback.assignee),
        "duplicate_of": to_public(Feedback.id_prefix, feedback.duplicate_of_id) if feedback.duplicate_of_id else None,
        "responded_at": feedback.responded_at,
        "response_state": state.value,
        "sla_breached": state in {Answered.OVERDUE, Answered.LATE},
        "state": feedback.raw_item.processing_state,
        "updated_at": feedback.updated_at or feedback.raw_item.updated_at,
    }


def _person(principal: Principal | None) -> shapes.PersonOut | None:
    if principal is None:
        return None
    return shapes.PersonOut(id=principal.public_id, name=principal.display_name, email=principal.email)


def _step(change: StatusChange) -> shapes.StepOut:
    return shapes.StepOut.model_validate(
        {
            "at": change.created_at,
            "previous": change.previous,
            "status": change.status,
            "note": change.note,
            "actor": str(change.actor) if change.actor else None,
        }
    )
