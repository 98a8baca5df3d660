"""Feedback that comes in through the API, as intake's one door takes it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tellback.api.callers import Caller, CallerKind
from tellback.api.feedback.shapes import FeedbackIn
from tellback.intake.accept import Idempotency, Outcome, Submission, accept_batch, fingerprint
from tellback.intake.idempotency import REUSED
from tellback.intake.models import FeedbackSource, RawItem
from tellback.kernel.errors import FieldError, Invalid, Unavailable
from tellback.platform.loop_config import get_loop_config
from tellback.triage.rules import SEVERITY_OF_PRIORITY
from tellback.triage.services import open_feedback

#: Through what a place is usually heard (document 1's channels); any other is the API.
CHANNELS = {"web_app": "in-app", "mobile_app": "in-app", "in_app": "in-app", "email": "support", "support": "support"}


def submit(*, caller: Caller, payload: FeedbackIn, key: str | None, now: datetime) -> tuple[UUID, bool]:
    """Accept feedback and open its triage record, in the caller's transaction; returns its id, and whether it is new.

    With a `key` that was sent before it is the first one's id. Raises `Invalid` for a key that was used for something
    else, and for an id of a person that only a server may state.
    """
    submission = _submission(caller, payload, key, now)
    (accepted,) = accept_batch(workspace_id=caller.workspace_id, submissions=[submission], now=now)
    if accepted.outcome == Outcome.CONFLICT or accepted.raw_item_id is None:
        raise Invalid(REUSED, code="idempotency-key-reused")
    is_new = accepted.outcome == Outcome.ACCEPTED
    if is_new:
        open_feedback(items=[RawItem.objects.get(pk=accepted.raw_item_id)])
    return accepted.raw_item_id, is_new


def idempotency_of(*, caller: Caller, key: str, about: str, content: str) -> Idempotency:
    """What makes a request of this caller count once. `about` tells requests of different kinds apart."""
    window = timedelta(hours=get_loop_config().ingestion.idempotency_ttl_hours)
    return Idempotency(caller.scope, key, fingerprint(f"{about}\n{content}".encode()), window)


def _submission(caller: Caller, payload: FeedbackIn, key: str | None, now: datetime) -> Submission:
    source = _source_of(caller, payload.source)
    content = payload.model_dump_json(exclude_unset=True)
    return Submission(
        source_id=source.id,
        source_type=source.source_type,
        channel=CHANNELS.get((payload.source or "").strip().lower(), "api"),
        category=payload.feedback_type,
        severity=SEVERITY_OF_PRIORITY[payload.priority] if payload.priority else "medium",
        subject=payload.summary,
        text=payload.description,
        source_created_at=now,
        author=_author_of(caller, payload),
        context=_context_of(caller, payload),
        idempotency=idempotency_of(caller=caller, key=key, about="submit", content=content) if key else None,
    )


def _source_of(caller: Caller, called: str | None) -> FeedbackSource:
    """The workspace's own source of this name where there is one, else the one that every workspace has."""
    kind = "widget" if caller.kind == CallerKind.PAGE else "api"
    own = FeedbackSource.objects.filter(source_type=kind, integration=None, enabled=True).order_by("id")
    named = own.filter(name__iexact=called.strip()).first() if called else None
    source = named or own.first()
    if source is None:
        raise Unavailable("This workspace is not set up yet. Start Tellback once, or run: tellback migrate")
    return source


def _author_of(caller: Caller, payload: FeedbackIn) -> dict[str, Any]:
    if caller.visitor is not None:
        return {"principalId": str(caller.visitor)}
    if payload.submitter_id and caller.kind != CallerKind.TEAM:
        raise Invalid(
            "Who somebody is in your product, only your server can say. Send it with an API key.",
            errors=[FieldError("/submitter_id", "needs an API key")],
        )
    stated: Mapping[str, Any] = {
        "name": payload.submitter_name,
        "email": payload.submitter_email,
        "externalUserId": payload.submitter_id,
        "anonymous": caller.kind == CallerKind.NOBODY or None,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _context_of(caller: Caller, payload: FeedbackIn) -> dict[str, Any]:
    stated: Mapping[str, Any] = {
        "metadata": payload.context,
        "tags": list(dict.fromkeys(tag.strip() for tag in payload.tags or [])) or None,
        "rating": payload.rating,
        "calledSource": payload.source,
        # What anybody may say is how severe it is; how urgent, only who answers for it.
        "priority": payload.priority if caller.kind == CallerKind.TEAM else None,
    }
    return {name: value for name, value in stated.items() if value is not None}
