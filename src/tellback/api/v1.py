"""Version 1 of the REST API: bearer keys, problem+json, public ids."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer
from pydantic import Field

from tellback.intake.models import RawItem
from tellback.kernel.errors import FieldError, Invalid, NotFound, TellbackError, Unauthenticated
from tellback.kernel.ids import parse_id, to_public
from tellback.platform.problems import problem_of
from tellback.platform.tenancy import in_workspace
from tellback.triage.models import Feedback
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder, find_key_holder


class SecretKey(HttpBearer):
    """An API key; the request then acts in the key's workspace."""

    def authenticate(self, request: HttpRequest, token: str) -> KeyHolder | None:  # noqa: ARG002 - ninja calls it so
        """Whom the key speaks for; widget keys only send feedback."""
        holder = find_key_holder(token)
        return holder if holder and holder.kind == KeyKind.SECRET else None


api = NinjaAPI(
    title="Tellback",
    version="1",
    description="Feedback in, tellback out.",
    auth=SecretKey(),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)


def _problem(error: TellbackError) -> HttpResponse:
    problem = problem_of(error)
    return HttpResponse(problem.body, status=problem.status, headers=problem.headers)


@api.exception_handler(TellbackError)
def _refuse(_request: HttpRequest, error: Exception) -> HttpResponse:
    assert isinstance(error, TellbackError)
    return _problem(error)


@api.exception_handler(AuthenticationError)
def _refuse_stranger(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return _problem(Unauthenticated("Send an API key in the header Authorization: Bearer tb_…"))


@api.exception_handler(ValidationError)
def _refuse_input(_request: HttpRequest, error: Exception) -> HttpResponse:
    assert isinstance(error, ValidationError)
    errors = [FieldError("/" + "/".join(map(str, one["loc"])), str(one["msg"])) for one in error.errors]
    return _problem(Invalid("The request is not valid; see errors for each field.", errors=errors))


class FeedbackOut(Schema):
    """One piece of feedback and how far it has come."""

    id: str = Field(description="TypeID of the raw item, raw_fb_…")
    state: Literal["pending_context", "ready_for_extraction", "extracting", "interpreting", "completed", "failed"] = (
        Field(description="Where it is in the pipeline")
    )
    text: str = Field(description="What was said, with personal data taken out")
    source: str
    said_at: datetime
    receipt: str = Field(description="Private page of its author")
    type: str | None = Field(None, description="Once it is triaged")
    priority: str | None = None
    status: str | None = None
    score: int | None = Field(None, description="0 to 100")


@api.get("/feedback/{feedback_id}", response=FeedbackOut, summary="Read one piece of feedback")
def read_feedback(request: HttpRequest, feedback_id: str) -> dict[str, Any]:
    """What was accepted under this id and how far it has come."""
    holder: KeyHolder = request.auth  # type: ignore[attr-defined]
    item_id: UUID = parse_id("raw_fb", feedback_id)
    with in_workspace(holder.workspace_id):
        item = RawItem.objects.filter(id=item_id).first()
        if item is None:
            raise NotFound("There is no feedback with this id.")
        triage = Feedback.objects.filter(raw_item=item).first()
    return {
        "id": to_public("raw_fb", item.id),
        "state": item.processing_state,
        "text": item.content.get("text", ""),
        "source": item.source_type,
        "said_at": item.source_created_at,
        "receipt": f"{settings.BASE_URL}/r/{item.receipt_token}",
        **(
            {"type": triage.type, "priority": triage.priority, "status": triage.status, "score": triage.score}
            if triage
            else {}
        ),
    }
