"""What the team does with a piece of feedback: read it, answer it, decide about it, correct what triage said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from tellback.intake.services import author_of
from tellback.kernel.errors import Conflict, FieldError, Invalid, NotFound
from tellback.platform.jobs import Queue, defer
from tellback.triage.hours import due_of, get_hours
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.triage.selectors import find_feedback
from tellback.triage.services import change_status, open_feedback
from tellback.triage.votes import list_votes, vote
from tellback.workspaces.access import has_role
from tellback.workspaces.identity import resolve_author
from tellback.workspaces.models import Principal, Role
from tellback.workspaces.services import record_audit

LONGEST_ANSWER = 10_000
LONGEST_NOTE = 2_000


class Unset(Enum):
    """Says that a field stays as it is, where None would be a value."""

    KEEP = "keep"


KEEP: Final = Unset.KEEP
Keep = Literal[Unset.KEEP]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be different about a piece of feedback; what is left at `KEEP` stays."""

    type: str | Keep = KEEP
    priority: str | Keep = KEEP
    summary: str | Keep = KEEP
    tags: Sequence[str] | Keep = KEEP
    assignee: Principal | Keep | None = KEEP
    github_issue_url: str | Keep | None = KEEP


@transaction.atomic
def take_up(id: UUID, *, pointer: str = "") -> Feedback:
    """The record with this id, or of the raw item with it, opened when it was not yet.

    It is held until the transaction ends, so that what is decided from it still holds when it is written.
    Raises `NotFound`; where a `pointer` says which field named it, `Invalid` at that field.
    """
    try:
        feedback = find_feedback(id)
    except NotFound as error:
        if pointer:
            raise Invalid(error.detail, errors=[FieldError(pointer, "is no feedback here")]) from None
        raise
    if feedback._state.adding:
        open_feedback(items=[feedback.raw_item])
    hold([feedback.id])
    return find_feedback(feedback.id)


def hold(ids: Collection[UUID]) -> None:
    """Hold the records with these ids, or of the raw items with them, until the caller's transaction ends.

    Whoever needs several holds them in one call: always in the same order, so that no two wait for each other.
    """
    rows = Feedback.objects.select_for_update(no_key=True).filter(Q(id__in=ids) | Q(raw_item_id__in=ids))
    list(rows.order_by("id").values_list("id", flat=True))


@transaction.atomic
def update_feedback(*, feedback: Feedback, changes: Changes, actor: Principal | None, now: datetime) -> None:
    """Correct what triage holds. A new priority counts the time for an answer anew, from arrival. Audited.

    Raises `Invalid` for an assignee who is not in the team.
    """
    if isinstance(changes.assignee, Principal) and not has_role(changes.assignee, Role.CONTRIBUTOR):
        raise Invalid(
            "Feedback is assigned to somebody of the team.", errors=[FieldError("/assignee", "is not in the team")]
        )
    current = _held(feedback)
    wanted = {field.name: value for field in fields(changes) if (value := getattr(changes, field.name)) is not KEEP}
    different = {name: value for name, value in wanted.items() if getattr(current, name) != value}
    for name, value in different.items():
        setattr(current, name, value)
    if "priority" in wanted:
        current.priority_is_set = True
        current.response_due_at = due_of(current, hours=get_hours(current.workspace_id))
    if wanted:
        current.save()
        _record(current, actor, "feedback.updated", {"changed": sorted(different), "at": now.isoformat()})


@transaction.atomic
def mark_duplicate(
    *, feedback: Feedback, of: Feedback | None, actor: Principal | None, note: str, now: datetime
) -> None:
    """Say that it repeats what another one said; everybody who asked for it is counted there, and told.

    What was a duplicate of it is one of the other from then on. Safe to repeat; hold both. Raises `Invalid` for a
    duplicate of itself, or of one that is a duplicate too.
    """
    if of is not None:
        wrong = "is this one" if of.id == feedback.id else "is a duplicate itself" if _is_duplicate(of) else ""
        if wrong:
            raise Invalid("Name what was said first.", errors=[FieldError("/duplicate_of", wrong)])
    change_status(feedback=feedback, status=FeedbackStatus.DUPLICATE, actor=actor, note=note, now=now)
    if of is not None:
        same = Feedback.objects.filter(Q(pk=feedback.pk) | Q(duplicate_of=feedback))
        same.update(duplicate_of=of, updated_at=now)
        for person in _who_asked(feedback):
            if person.id != of.raw_item.principal_id:
                vote(feedback=of, principal=person)


def _is_duplicate(feedback: Feedback) -> bool:
    return feedback.status == FeedbackStatus.DUPLICATE


def _who_asked(feedback: Feedback) -> list[Principal]:
    """Its author, also when the pipeline has not got to them yet, and everybody who voted for it."""
    item = feedback.raw_item
    author = item.principal or resolve_author(workspace_id=item.workspace_id, author=author_of(item))
    people = {author.id: author} if author else {}
    return list((people | {vote.principal_id: vote.principal for vote in list_votes(feedback)}).values())


@transaction.atomic
def respond(*, feedback: Feedback, answer: str, actor: Principal | None, now: datetime) -> None:
    """Answer whoever asked: it stands on their receipt, and they are told. What was new has been acknowledged by that.

    The same answer again tells nobody again. Raises `Invalid` for an empty answer, `Conflict` when the words are gone.
    """
    answer = answer.strip()
    if not answer or len(answer) > LONGEST_ANSWER:
        problem = FieldError("/public_response", f"must be between 1 and {LONGEST_ANSWER:,} characters")
        raise Invalid("Write what whoever asked should read.", errors=[problem])
    current = _held(feedback)
    if "erased" in current.raw_item.content:
        raise Conflict("This feedback was erased, so there is nobody to answer.", code="feedback-erased")
    if current.public_response == answer:
        return
    current.public_response = answer
    current.responded_at = current.responded_at or now
    current.save(update_fields=["public_response", "responded_at", "updated_at"])
    if current.status == FeedbackStatus.NEW:
        change_status(feedback=current, status=FeedbackStatus.ACKNOWLEDGED, actor=actor, note="", now=now)
    _record(current, actor, "feedback.answered", {"at": now.isoformat()})
    defer(
        "loop.on_feedback_answered",
        queue=Queue.EFFECTS,
        workspace_id=current.workspace_id,
        lock=f"feedback:{current.id}",
        feedback_id=str(current.id),
    )


def _held(feedback: Feedback) -> Feedback:
    return Feedback.objects.select_for_update(of=("self",)).select_related("raw_item").get(pk=feedback.pk)


def _record(feedback: Feedback, actor: Principal | None, action: str, details: dict[str, object]) -> None:
    record_audit(workspace=feedback.workspace, actor=actor, action=action, subject=feedback.public_id, details=details)
