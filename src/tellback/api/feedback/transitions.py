"""Moving feedback through document 2's workflow, and answering whoever asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tellback.api.feedback import shapes
from tellback.api.feedback.acting import carry_out
from tellback.api.feedback.asking import parse_feedback_id
from tellback.api.operation import Key, answer_at
from tellback.triage import services, workflow
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.workspaces.models import Principal

router = Router(tags=["workflow"])
at = partial(answer_at, router, "post", response=shapes.FeedbackDetail)


@dataclass(frozen=True, slots=True)
class Move:
    """An address that moves feedback to a status."""

    verb: str
    status: FeedbackStatus
    summary: str
    description: str


MOVES = (
    Move(
        "acknowledge",
        FeedbackStatus.ACKNOWLEDGED,
        "Acknowledge feedback",
        "It was read; its author sees that. Safe to repeat, 409 once it is further on.",
    ),
    Move(
        "review",
        FeedbackStatus.IN_REVIEW,
        "Take feedback into review",
        "Also how what was declined, or taken for a duplicate, is opened again.",
    ),
    Move("plan", FeedbackStatus.PLANNED, "Plan what was asked for", "Its author and those who voted for it are told."),
    Move(
        "start",
        FeedbackStatus.IN_PROGRESS,
        "Begin with what was asked for",
        "Its author and those who voted for it are told. Also how what was completed is taken up again.",
    ),
    Move(
        "complete",
        FeedbackStatus.COMPLETED,
        "Mark feedback as completed",
        "Its author and those who voted for it are told.",
    ),
    Move(
        "decline",
        FeedbackStatus.DECLINED,
        "Decline what was asked for",
        "Its author and those who voted for it are told; the note says why.",
    ),
)


def _mover(move: Move) -> Callable[..., shapes.FeedbackDetail]:
    def answer(
        request: HttpRequest,
        response: HttpResponse,
        feedback_id: shapes.Id,
        payload: shapes.NoteIn | None = None,
        idempotency_key: Key = None,
    ) -> shapes.FeedbackDetail:
        given = payload or shapes.NoteIn()

        def act(feedback: Feedback, actor: Principal, now: datetime) -> None:
            services.change_status(feedback=feedback, status=move.status, actor=actor, note=given.note.strip(), now=now)

        return carry_out(request, response, feedback_id, verb=move.verb, given=given, key=idempotency_key, act=act)

    answer.__name__ = f"{move.verb}_feedback"
    return answer


for _move in MOVES:
    at(f"/{{feedback_id}}/{_move.verb}/", summary=_move.summary, description=_move.description)(_mover(_move))


@at("/{feedback_id}/duplicate/", summary="Mark feedback as a duplicate")
def duplicate_feedback(
    request: HttpRequest,
    response: HttpResponse,
    feedback_id: shapes.Id,
    payload: shapes.DuplicateIn | None = None,
    idempotency_key: Key = None,
) -> shapes.FeedbackDetail:
    """It says what another one said. Whoever asked for it is counted there, and hears what becomes of that."""
    given = payload or shapes.DuplicateIn()
    of = parse_feedback_id(given.duplicate_of, pointer="/duplicate_of") if given.duplicate_of else None

    def act(feedback: Feedback, actor: Principal, now: datetime) -> None:
        workflow.mark_duplicate(
            feedback=feedback,
            of=workflow.take_up(of, pointer="/duplicate_of") if of else None,
            actor=actor,
            note=given.note.strip(),
            now=now,
        )

    beside = [of] if of else []
    return carry_out(
        request, response, feedback_id, verb="duplicate", given=given, key=idempotency_key, act=act, beside=beside
    )


@at("/{feedback_id}/respond/", summary="Respond to feedback")
def respond_to_feedback(
    request: HttpRequest,
    response: HttpResponse,
    feedback_id: shapes.Id,
    payload: shapes.ResponseIn,
    idempotency_key: Key = None,
) -> shapes.FeedbackDetail:
    """Answer whoever asked: it stands on their receipt, and they are told. What was new is acknowledged by that."""

    def act(feedback: Feedback, actor: Principal, now: datetime) -> None:
        workflow.respond(feedback=feedback, answer=payload.public_response, actor=actor, now=now)

    return carry_out(request, response, feedback_id, verb="respond", given=payload, key=idempotency_key, act=act)
