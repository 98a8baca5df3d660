"""What the feedback API takes and gives: document 2's fields, and what Tellback knows beside them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AliasChoices, ConfigDict, Field

from tellback.api.feedback import examples
from tellback.intake.schemas.v2 import Email, Said, Tag
from tellback.intake.schemas.values import FreeForm, Instant, Link, Name, has_words, storable
from tellback.triage.rules import canonical_type
from tellback.triage.workflow import LONGEST_ANSWER, LONGEST_NOTE

Type = Literal["bug", "feature", "performance", "docs", "ux", "billing", "question", "praise", "other"]
#: The types, and what the documents also call them.
TypeWord = Annotated[
    Literal[
        "bug", "feature", "performance", "docs", "ux", "billing", "question", "praise", "other",
        "bug_report", "feature-request", "feature_request", "documentation", "usability", "general",
    ],
    AfterValidator(canonical_type),
]  # fmt: skip
Priority = Literal["low", "medium", "high", "urgent"]
Severity = Literal["critical", "high", "medium", "low"]
Status = Literal[
    "new", "acknowledged", "in_review", "planned", "in_progress", "completed", "declined", "duplicate"
]  # fmt: skip
AnswerState = Literal["not_owed", "waiting", "overdue", "in_time", "late"]
PipelineState = Literal[
    "pending_context", "ready_for_extraction", "extracting", "interpreting", "completed", "failed"
]  # fmt: skip

Summary = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(storable), AfterValidator(has_words)]
Description = Annotated[Said, Field(min_length=1), AfterValidator(has_words)]
Label = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(storable), AfterValidator(has_words)]
Tags = Annotated[list[Tag], Field(max_length=20)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(storable)]
Answer = Annotated[
    str, Field(min_length=1, max_length=LONGEST_ANSWER), AfterValidator(storable), AfterValidator(has_words)
]
Id = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(storable)]


def _shown(example: dict[str, Any]) -> ConfigDict:
    """What a shape's description shows of it."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class In(Schema):
    """Base of what is taken: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000)


class FeedbackIn(In):
    """One piece of feedback, as document 2 sends it."""

    model_config = _shown(examples.REPORT)

    feedback_type: TypeWord = Field(validation_alias=AliasChoices("feedback_type", "type"), description="What it is")
    summary: Summary = Field(description="One line")
    description: Description = Field(description="All of it")
    priority: Priority | None = Field(
        None, description="With an API key it holds; from anybody else it is a word for how severe it is"
    )
    source: Label | None = Field(
        None,
        description="What you call the place it comes from, for instance web_app; or the name of one of your sources",
    )
    context: FreeForm | None = Field(None, description="What was around it")
    tags: Tags | None = None
    rating: Annotated[int, Field(strict=True, ge=1, le=5)] | None = Field(None, description="1 to 5, 5 is best")
    submitter_email: Email | None = Field(None, description="Who said it, and where they hear back")
    submitter_name: Name | None = None
    submitter_id: Name | None = Field(None, description="Your id of who said it; needs an API key")


class FeedbackPatch(In):
    """What is to be different. What is left out stays."""

    model_config = _shown({"priority": "urgent", "status": "in_review", "tags": ["invoices"]})

    feedback_type: TypeWord | None = Field(None, validation_alias=AliasChoices("feedback_type", "type"))
    priority: Priority | None = None
    status: Status | None = Field(None, description="One that may follow, see transitions")
    note: Note | None = Field(None, description="With a status: its author reads it on their receipt")
    summary: Summary | None = None
    tags: Tags | None = None
    assignee: Id | None = Field(None, description="Id of somebody in the team; null takes it from everybody")
    github_issue_url: Link | None = None
    public_response: Answer | None = Field(None, description="The same as respond: whoever asked is told")


class NoteIn(In):
    """What whoever asked reads beside the new status."""

    model_config = _shown({"note": "It is in version 4.2, out today."})

    note: Note = ""


class ResponseIn(In):
    """An answer to whoever asked."""

    model_config = _shown({"public_response": "Thank you. The list is back; a filter had gone wrong."})

    public_response: Answer = Field(
        validation_alias=AliasChoices("public_response", "response"), description="Markdown; it stands on their receipt"
    )


class DuplicateIn(In):
    """Of what it is a duplicate. Who said it is then counted there, and hears what becomes of that."""

    model_config = _shown({"note": "We know of this one, thank you."})

    duplicate_of: Id | None = None
    note: Note = ""


class VoterIn(In):
    """Who votes; left out, whoever made the key does."""

    model_config = _shown({"voter_email": "bo@example.com", "voter_name": "Bo"})

    voter_email: Email | None = None
    voter_id: Name | None = Field(None, description="Your id of the person")
    voter_name: Name | None = None


class VotedOut(Schema):
    """A vote, counted."""

    model_config = _shown(examples.VOTED)

    id: str
    vote_count: int = Field(ge=0)
    voted: bool


class PersonOut(Schema):
    """Somebody of the team."""

    id: str
    name: str
    email: str


class StepOut(Schema):
    """One move through the workflow."""

    at: datetime
    previous: Status | None
    status: Status
    note: str
    actor: str | None = Field(description="Who moved it, when that was somebody")


class SubmittedOut(Schema):
    """A piece of feedback as its sender gets it back."""

    model_config = _shown(examples.SUBMITTED)

    id: str = Field(description="feedback_…; a UUID and the raw_fb_… of the intake door are understood as well")
    tenant_id: str = Field(description="The workspace, ws_…")
    type: Type
    feedback_type: Type = Field(description="The same as type, as it is sent")
    summary: str
    description: str = Field(description="What was said, with private data taken out")
    priority: Priority
    status: Status
    submitted_by: str | None = Field(description="Who said it, principal_…; known a moment after it was sent")
    submitter_email: str | None
    submitter_name: str | None
    source: str
    context: dict[str, Any] = Field(json_schema_extra={"additionalProperties": True})
    tags: list[str]
    rating: int | None
    github_issue_url: str | None
    public_response: str | None
    created_at: datetime
    completed_at: datetime | None
    response_due_at: datetime | None = Field(description="Until when an answer is owed, in business hours")
    receipt: str = Field(description="Private page of its author", json_schema_extra={"format": "uri"})


class FeedbackOut(SubmittedOut):
    """A piece of feedback as the team sees it."""

    model_config = _shown(examples.ANSWERED)

    severity: Severity = Field(description="What the sender says of it")
    intent: str
    score: int = Field(ge=0, le=100)
    vote_count: int = Field(ge=0)
    assignee: PersonOut | None
    duplicate_of: str | None
    responded_at: datetime | None = Field(description="When it was first answered or acknowledged")
    response_state: AnswerState = Field(description="overdue and late are breaches of the response time")
    sla_breached: bool = Field(description="Whether the first answer is overdue, or came late")
    state: PipelineState = Field(description="How far the pipeline has understood it")
    updated_at: datetime


class FeedbackDetail(FeedbackOut):
    """A piece of feedback with its way through the workflow."""

    model_config = _shown(examples.DETAIL)

    transitions: list[Status] = Field(description="The statuses that may follow")
    history: list[StepOut]


class FeedbackList(Schema):
    """A page of feedback."""

    model_config = _shown(examples.PAGE)

    results: list[FeedbackOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null at the end")
    next: str | None = Field(description="Address of the next page; null at the end")


class StatsOut(Schema):
    """Figures over the feedback that fits. What nothing has is left out of the counts."""

    model_config = _shown(examples.FIGURES)

    total: int = Field(ge=0)
    by_type: dict[Type, int]
    by_status: dict[Status, int]
    by_priority: dict[Priority, int]
    avg_response_time_hours: float | None = Field(
        description="From arrival to the first answer, by the clock; null before there was one"
    )
    open_count: int = Field(ge=0)
    resolved_count: int = Field(ge=0, description="Completed, declined or a duplicate")
    overdue_count: int = Field(ge=0, description="Unanswered past its time")
    late_count: int = Field(ge=0, description="Answered past its time")


class FilterIn(Schema):
    """What is asked for. A parameter that takes several values may be given several times."""

    feedback_type: list[TypeWord] = Field(default_factory=list)
    type: list[TypeWord] = Field(default_factory=list)
    status: list[Status] = Field(default_factory=list)
    priority: list[Priority] = Field(default_factory=list)
    severity: list[Severity] = Field(default_factory=list)
    source: list[Label] = Field(default_factory=list)
    tag: list[Tag] = Field(default_factory=list, description="Has all of these")
    assignee: Id | None = None
    submitted_by: Id | None = None
    submitter_email: Email | None = None
    search: Annotated[str, Field(max_length=200), AfterValidator(storable)] = Field(
        "", description="Words in what was said"
    )
    min_score: Annotated[int, Field(ge=0, le=100)] | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    is_open: bool | None = None
    is_overdue: bool | None = Field(None, description="Should have been answered by now, and was not")
    created_after: Instant | None = Field(None, description="RFC 3339 with a zone")
    created_before: Instant | None = None


class PageIn(FilterIn):
    """What is asked for, and which page of it."""

    ordering: Literal[
        "-created_at", "created_at", "-updated_at", "updated_at", "-score", "-vote_count", "response_due_at"
    ] = "-created_at"
    limit: int = Field(50, ge=1, le=100)
    cursor: Annotated[str, Field(max_length=500), AfterValidator(storable)] = Field(
        "", description="next_cursor of the page before"
    )
