"""What triage holds of a person: the record of each item, what was answered, and what they joined in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.scrubbing import Scrubber
from tellback.intake.subjects.subject import Subject
from tellback.triage.duplicates import forget_likeness
from tellback.triage.models import Feedback, FeedbackVote, RoutingDecision, StatusChange
from tellback.triage.ticketing import withdraw_tickets


def _list(subject: Subject) -> Iterator[Record]:
    records = Feedback.objects.filter(raw_item__in=subject.item_ids).select_related("raw_item").order_by("id")
    for record in records.prefetch_related("status_changes").iterator(chunk_size=500):
        content = {
            "feedback": record.raw_item.public_id,
            "type": record.type,
            "severity": record.severity,
            "priority": record.priority,
            "score": record.score,
            "status": record.status,
            "summary": record.summary,
            "tags": record.tags,
            "rating": record.rating,
            "answer": record.public_response,
            "issue": record.github_issue_url,
            "history": [
                {"at": change.created_at.isoformat(), "status": change.status, "note": change.note}
                for change in record.status_changes.all()
            ],
        }
        yield Record("triage", record.public_id, content)
    joined = FeedbackVote.objects.filter(principal__in=subject.principal_ids).select_related("feedback")
    for vote in joined.order_by("id"):
        content = {"at": vote.created_at.isoformat(), "feedback": vote.feedback.public_id}
        yield Record("feedback_vote", vote.public_id, content)


def _erase(subject: Subject, now: datetime) -> Mapping[str, int]:
    """The record loses every word. Votes stay counted: they are those of a person without a name."""
    records = Feedback.objects.filter(raw_item__in=subject.item_ids)
    StatusChange.objects.filter(feedback__in=records).update(note="")
    RoutingDecision.objects.filter(feedback__in=records).update(inputs={})
    withdraw_tickets(feedback=records, now=now)
    counts = {
        "triage records": records.update(
            summary="", source="", public_response=None, tags=[], github_issue_url=None, updated_at=now
        )
    }
    counts["duplicate suggestions"] = forget_likeness(subject.item_ids)
    scrubber = Scrubber(subject)
    counts["triage notes"] = scrubber.rows("feedback_status_change", ["note"])
    counts["triage records"] += scrubber.rows("feedback", ["public_response"])
    counts["feedback votes"] = FeedbackVote.objects.filter(principal__in=subject.principal_ids).count()
    return counts


def _forget(item_ids: Sequence[UUID]) -> None:
    forget_likeness(item_ids)


holds(Holding("triage", _list, _erase, expire=forget_likeness, forget=_forget))
