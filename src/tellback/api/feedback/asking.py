"""What a request asks for, in triage's words."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Schema

from tellback.api.feedback.shapes import FilterIn
from tellback.kernel.errors import FieldError, Invalid
from tellback.kernel.ids import parse_id
from tellback.triage.models import Feedback
from tellback.triage.selectors import FeedbackFilter
from tellback.workspaces.models import Principal


def parse_feedback_id(text: str, *, pointer: str = "/feedback_id") -> UUID:
    """The id of feedback, given as its own, as that of its raw item, or as UUID. Raises `Invalid`."""
    return _parsed("raw_fb" if text.startswith("raw_fb_") else Feedback.id_prefix, text, pointer)


def parse_principal_id(text: str, *, pointer: str) -> UUID:
    """The id of a person, as TypeID or UUID. Raises `Invalid`."""
    return _parsed(Principal.id_prefix, text, pointer)


def require_known(request: HttpRequest, model: type[Schema]) -> None:
    """Raises `Invalid` for a parameter that narrows nothing: a slip of the pen must not look like an answer."""
    unknown = sorted(set(request.GET) - set(model.model_fields))
    if unknown:
        errors = [FieldError(f"/{name[:60]}", "is not a parameter here") for name in unknown[:20]]
        raise Invalid("Some parameters are not known here; see errors for each.", errors=errors)


def filter_of(wanted: FilterIn) -> FeedbackFilter:
    """The filter that the parameters name. Raises `Invalid` for what is not an id."""
    return FeedbackFilter(
        types=[*wanted.feedback_type, *wanted.type],
        statuses=wanted.status,
        priorities=wanted.priority,
        severities=wanted.severity,
        sources=wanted.source,
        tags=wanted.tag,
        assignee_id=parse_principal_id(wanted.assignee, pointer="/assignee") if wanted.assignee else None,
        submitted_by=parse_principal_id(wanted.submitted_by, pointer="/submitted_by") if wanted.submitted_by else None,
        submitter_email=wanted.submitter_email or "",
        search=wanted.search,
        min_score=wanted.min_score,
        rating=wanted.rating,
        is_open=wanted.is_open,
        is_overdue=wanted.is_overdue,
        created_after=wanted.created_after,
        created_before=wanted.created_before,
    )


def _parsed(prefix: str, text: str, pointer: str) -> UUID:
    try:
        return parse_id(prefix, text)
    except Invalid as error:
        raise Invalid(error.detail, errors=[FieldError(pointer, "is not an id of this kind")]) from None
