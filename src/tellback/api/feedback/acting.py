"""What a request does, carried out once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Schema

from tellback.api.callers import Caller, CallerKind, caller_of
from tellback.api.feedback import presenting, shapes
from tellback.api.feedback.asking import parse_feedback_id, parse_principal_id
from tellback.api.feedback.submitting import idempotency_of
from tellback.intake.idempotency import claim_key
from tellback.intake.redaction import Redactor
from tellback.kernel.errors import FieldError, Forbidden, Invalid
from tellback.platform.tenancy import in_workspace
from tellback.triage import services, votes, workflow
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.triage.selectors import find_feedback
from tellback.workspaces.identity import Author, current_person, find_author, resolve_author
from tellback.workspaces.models import Principal

Act = Callable[[Feedback, Principal, datetime], object]
#: What a change may take away.
_MAY_BE_NULL = {"assignee", "github_issue_url", "note"}


def carry_out(
    request: HttpRequest,
    response: HttpResponse,
    feedback_id: str,
    *,
    verb: str,
    given: Schema,
    key: str | None,
    act: Act,
    beside: Sequence[UUID] = (),
) -> shapes.FeedbackDetail:
    """Do something to a piece of feedback in one transaction, and show what it is then. `beside` is held with it.

    With a key that was sent before nothing is done again. Raises `Invalid` when it was sent with something else.
    """
    caller = caller_of(request)
    with in_workspace(caller.workspace_id):
        wanted = parse_feedback_id(feedback_id)
        if beside:
            workflow.hold([wanted, *beside])
        feedback = workflow.take_up(wanted)
        now = timezone.now()
        if _is_first(caller, feedback, verb=verb, given=given, key=key, now=now):
            act(feedback, caller.acting(), now)
        else:
            response.headers["Idempotency-Replayed"] = "true"
        return presenting.shown(response, find_feedback(feedback.id), now=now)


def change(feedback: Feedback, payload: shapes.FeedbackPatch, *, actor: Principal, now: datetime) -> None:
    """Change what the payload names, within the caller's transaction."""
    given = payload.model_dump(exclude_unset=True)
    _require_values(given)
    workflow.update_feedback(feedback=feedback, changes=_changes_of(given), actor=actor, now=now)
    if "status" in given:
        services.change_status(
            feedback=feedback,
            status=FeedbackStatus(given["status"]),
            actor=actor,
            note=(given.get("note") or "").strip(),
            now=now,
        )
    if "public_response" in given:
        workflow.respond(feedback=feedback, answer=given["public_response"], actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Voted:
    """How a vote was counted."""

    is_new: bool
    is_repeated: bool = False


def vote(caller: Caller, feedback: Feedback, voter: shapes.VoterIn, *, key: str | None, now: datetime) -> Voted:
    """Count the voter, within the caller's transaction."""
    if not _is_first(caller, feedback, verb="vote", given=voter, key=key, now=now):
        return Voted(is_new=False, is_repeated=True)
    stated = _author_of(voter)
    if caller.kind == CallerKind.PAGE:
        person = _visitor(caller)
    elif stated is not None:
        person = resolve_author(workspace_id=caller.workspace_id, author=stated) or caller.acting()
    else:
        person = caller.acting()
    return Voted(is_new=votes.vote(feedback=feedback, principal=person))


def take_vote_back(caller: Caller, feedback: Feedback, voter: shapes.VoterIn) -> None:
    """Count the voter no more, within the caller's transaction. Somebody who is not known has no vote."""
    stated = _author_of(voter)
    if caller.kind == CallerKind.PAGE:
        person: Principal | None = _visitor(caller)
    else:
        person = find_author(stated) if stated else caller.acting()
    if person is not None:
        votes.take_vote_back(feedback=feedback, principal=person)


def _is_first(caller: Caller, feedback: Feedback, *, verb: str, given: Schema, key: str | None, now: datetime) -> bool:
    """Whether this request is to be carried out: it has no key, or one that is new."""
    if key is None:
        return True
    idempotency = idempotency_of(
        caller=caller, key=key, about=f"{verb} {feedback.id}", content=given.model_dump_json(exclude_unset=True)
    )
    return claim_key(
        workspace_id=caller.workspace_id, idempotency=idempotency, raw_item_id=feedback.raw_item_id, now=now
    )


def _visitor(caller: Caller) -> Principal:
    """The person whom the page's session vouches for. Raises `Forbidden` without one."""
    person = Principal.objects.filter(pk=caller.visitor).first() if caller.visitor else None
    if person is None:
        raise Forbidden("A widget key votes for whoever identified there. Send their session as X-Widget-Session.")
    return current_person(person)


def _author_of(voter: shapes.VoterIn) -> Author | None:
    if not voter.voter_email and not voter.voter_id:
        return None
    return Author(
        source_type="api",
        external_user_id=voter.voter_id or "",
        email=voter.voter_email or "",
        name=Redactor().redact_name(voter.voter_name or ""),
    )


def _require_values(given: dict[str, Any]) -> None:
    """Only what may be taken away may be null."""
    nothing = [name for name, value in given.items() if value is None and name not in _MAY_BE_NULL]
    if nothing:
        errors = [FieldError(f"/{name}", "must not be null; leave it out to keep it") for name in nothing]
        raise Invalid("The request is not valid; see errors for each field.", errors=errors)


def _changes_of(given: dict[str, Any]) -> workflow.Changes:
    changes: dict[str, Any] = {
        name: given[name] for name in ("priority", "summary", "github_issue_url") if name in given
    }
    if "feedback_type" in given:
        changes["type"] = given["feedback_type"]
    if "tags" in given:
        changes["tags"] = list(dict.fromkeys(tag.strip() for tag in given["tags"]))
    if "assignee" in given:
        changes["assignee"] = _assignee(given["assignee"])
    return workflow.Changes(**changes)


def _assignee(id: str | None) -> Principal | None:
    if id is None:
        return None
    found = Principal.objects.filter(pk=parse_principal_id(id, pointer="/assignee")).first()
    if found is None:
        raise Invalid("There is nobody with this id.", errors=[FieldError("/assignee", "is nobody here")])
    return found
