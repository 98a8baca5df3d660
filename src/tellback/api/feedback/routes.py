"""Reading, sending, changing and voting for feedback."""

from functools import partial
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Header, Query, Router, Status

from tellback.api.callers import Anybody, Visitors, caller_of
from tellback.api.errors import Changed
from tellback.api.feedback import acting, presenting, shapes
from tellback.api.feedback.asking import filter_of, parse_feedback_id, require_known
from tellback.api.feedback.submitting import submit
from tellback.api.operation import Key, answer_at
from tellback.platform.tenancy import in_workspace
from tellback.triage.models import Feedback
from tellback.triage.selectors import find_feedback, get_figures, list_feedback
from tellback.triage.workflow import take_up

router = Router(tags=["feedback"])

at = partial(answer_at, router)
NOBODY_NAMED = shapes.VoterIn.model_validate({})


@at("get", "/", response=shapes.FeedbackList, summary="List feedback")
def list_all(request: HttpRequest, wanted: Query[shapes.PageIn]) -> shapes.FeedbackList:
    """Feedback that fits every filter, newest first unless asked otherwise, in pages that a cursor continues."""
    require_known(request, shapes.PageIn)
    now = timezone.now()
    with in_workspace(caller_of(request).workspace_id):
        page = list_feedback(
            filter_of(wanted), ordering=wanted.ordering, limit=wanted.limit, cursor=wanted.cursor, now=now
        )
        results = [presenting.seen(row, now=now) for row in page.rows]
    return shapes.FeedbackList(results=results, next_cursor=page.following or None, next=_next(request, page.following))


@at(
    "post",
    "/",
    auth=Anybody(),
    response={200: shapes.SubmittedOut, 201: shapes.SubmittedOut},
    summary="Submit feedback",
)
def submit_feedback(
    request: HttpRequest,
    response: HttpResponse,
    payload: shapes.FeedbackIn,
    workspace: Annotated[  # noqa: ARG001 - read where the caller is found
        str, Query(max_length=63, description="Without a key: short name of the workspace; the first, when left out")
    ] = "",
    idempotency_key: Key = None,
) -> Any:
    """With an API key, a widget key, or where the workspace allows it without any.

    Answered after it is stored. A repetition with the same key of idempotency answers 200 with the first one.
    """
    caller = caller_of(request)
    with in_workspace(caller.workspace_id):
        feedback_id, is_new = submit(caller=caller, payload=payload, key=idempotency_key, now=timezone.now())
        feedback = find_feedback(feedback_id)
        answer = presenting.submitted(feedback)
    response.headers["Location"] = f"{settings.BASE_URL}/api/v1/feedback/{feedback.public_id}/"
    if not is_new:
        response.headers["Idempotency-Replayed"] = "true"
    return Status(201 if is_new else 200, answer)


@at("get", "/stats/", response=shapes.StatsOut, summary="Figures over feedback")
def feedback_stats(request: HttpRequest, wanted: Query[shapes.FilterIn]) -> shapes.StatsOut:
    """How much there is of what, how fast it is answered, and what is overdue; over what fits the filters."""
    require_known(request, shapes.FilterIn)
    with in_workspace(caller_of(request).workspace_id):
        figures = get_figures(filter_of(wanted), now=timezone.now())
    return shapes.StatsOut.model_validate(figures, from_attributes=True)


@at("get", "/{feedback_id}/", response=shapes.FeedbackDetail, summary="Read one piece of feedback")
def read_feedback(request: HttpRequest, response: HttpResponse, feedback_id: shapes.Id) -> shapes.FeedbackDetail:
    """What was said, what triage made of it, and its way so far. Its ETag can be sent with a change as If-Match."""
    with in_workspace(caller_of(request).workspace_id):
        return presenting.shown(response, find_feedback(parse_feedback_id(feedback_id)), now=timezone.now())


@at("patch", "/{feedback_id}/", response=shapes.FeedbackDetail, summary="Change one piece of feedback")
def update_feedback(
    request: HttpRequest,
    response: HttpResponse,
    feedback_id: shapes.Id,
    payload: shapes.FeedbackPatch,
    if_match: Annotated[str | None, Header(alias="If-Match", description="ETag of what was read")] = None,
) -> shapes.FeedbackDetail:
    """Type, priority, status, one-line summary, tags, who sees to it, its issue, its answer: all of it or nothing."""
    caller = caller_of(request)
    with in_workspace(caller.workspace_id):
        feedback = take_up(parse_feedback_id(feedback_id))
        _require_seen(feedback, if_match)
        now = timezone.now()
        acting.change(feedback, payload, actor=caller.acting(), now=now)
        return presenting.shown(response, find_feedback(feedback.id), now=now)


@at(
    "post",
    "/{feedback_id}/vote/",
    auth=Visitors(),
    response={200: shapes.VotedOut, 201: shapes.VotedOut},
    summary="Vote for feedback",
)
def vote_for_feedback(
    request: HttpRequest,
    response: HttpResponse,
    feedback_id: shapes.Id,
    payload: shapes.VoterIn | None = None,
    idempotency_key: Key = None,
) -> Any:
    """Count a person once, and let them hear what becomes of it; 201 when they were not counted before."""
    caller = caller_of(request)
    with in_workspace(caller.workspace_id):
        feedback = take_up(parse_feedback_id(feedback_id))
        voted = acting.vote(caller, feedback, payload or NOBODY_NAMED, key=idempotency_key, now=timezone.now())
    if voted.is_repeated:
        response.headers["Idempotency-Replayed"] = "true"
    answer = shapes.VotedOut(id=feedback.public_id, vote_count=feedback.vote_count, voted=True)
    return Status(201 if voted.is_new else 200, answer)


@at(
    "delete",
    "/{feedback_id}/vote/",
    auth=Visitors(),
    response={204: None},
    summary="Take a vote back",
)
def take_vote_back(request: HttpRequest, feedback_id: shapes.Id, voter: Query[shapes.VoterIn]) -> Any:
    """Count the person no more. Safe to repeat."""
    caller = caller_of(request)
    with in_workspace(caller.workspace_id):
        acting.take_vote_back(caller, take_up(parse_feedback_id(feedback_id)), voter)
    return Status(204, None)


def _require_seen(feedback: Feedback, if_match: str | None) -> None:
    """Raises `Changed` when a caller names states (RFC 9110, section 13.1.1), and this is none of them."""
    seen = {state.strip() for state in (if_match or "*").split(",")}
    if not seen & {"*", presenting.etag_of(feedback)}:
        raise Changed("Somebody changed it since you read it. Read it again, and send your change with its ETag.")


def _next(request: HttpRequest, cursor: str) -> str | None:
    """The same question, continued."""
    if not cursor:
        return None
    asked = request.GET.copy()
    asked["cursor"] = cursor
    return f"{settings.BASE_URL}/api/v1/feedback/?{asked.urlencode()}"
