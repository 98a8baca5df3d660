"""The search, as programs ask it: GET /api/v1/search."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, ConfigDict, Field

from tellback.api.callers import caller_of
from tellback.api.feedback.asking import require_known
from tellback.api.operation import answer_at
from tellback.insights.results import Found, search
from tellback.insights.selectors import LONGEST_QUERY, MOST, SearchFilter
from tellback.intake.schemas.values import Instant, storable
from tellback.kernel.errors import FieldError, Invalid
from tellback.kernel.ids import parse_id
from tellback.platform.tenancy import in_workspace

router = Router(tags=["search"])

Kind = Literal["feedback", "signal", "theme", "post"]
Word = Annotated[str, Field(max_length=100), AfterValidator(storable)]
EXAMPLE: dict[str, Any] = {
    "query": "offline",
    "compared": ["words", "meaning"],
    "count": 1,
    "results": [
        {
            "kind": "feedback",
            "id": "raw_fb_01kb0q7r3xe5v9m2c4t6w8y0za",
            "title": "",
            "text": "There is no signal in the basement, so the app is of no use to me there.",
            "marks": [{"start": 0, "end": 72}],
            "found_by": ["meaning"],
            "score": 0.016393,
            "at": "2026-11-20T12:00:00Z",
            "url": "https://feedback.example.com/admin/feedback/stream/019ab0bc-1c3d-7177-b4d0-a8cd3a7c0beb",
        }
    ],
}


class SearchIn(Schema):
    """What is looked for, and what it is narrowed to."""

    q: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY), AfterValidator(storable)] = Field(
        description="Words or a question. “Quotes” keep words together, a minus leaves one out"
    )
    kind: list[Kind] = Field(
        default_factory=list, description="All when left out; a signal is then given as the feedback it is of"
    )
    source: Word = Field("", description="Source type, for instance csv")
    type: Word = Field("", description="Type of signal, for instance bug_report")
    board: Word = Field("", description="Id of a board")
    sentiment: Literal["", "positive", "neutral", "negative"] = ""
    urgency: Literal["", "critical", "high", "medium", "low"] = ""
    plan: Word = Field("", description="Plan of who said it")
    after: Instant | None = Field(None, description="Said at or after this time; RFC 3339 with a zone")
    before: Instant | None = Field(None, description="Said before this time")
    limit: int = Field(20, ge=1, le=MOST)


class MarkOut(Schema):
    """A part of `text`, counted in Unicode code points, that answers the question."""

    start: int
    end: int


class FoundOut(Schema):
    """One result."""

    kind: Kind
    id: str = Field(description="TypeID: raw_fb_…, signal_…, fb_theme_… or post_…")
    title: str = Field(description="Title of a theme or post, subject of feedback")
    text: str = Field(description="What was written, verbatim; of a long text the part around the first mark")
    marks: list[MarkOut]
    found_by: list[Literal["words", "meaning"]]
    score: float = Field(description="Orders the results of one search; compares with nothing else")
    at: datetime
    url: str = Field(description="Its page in the admin")


class SearchOut(Schema):
    """The best results, best first."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    query: str
    compared: list[Literal["words", "meaning"]] = Field(
        description="By what was searched; meaning is left out while nothing can tell it, and of literal questions"
    )
    count: int = Field(description="How much was found, at most 200")
    results: list[FoundOut]


@answer_at(router, "get", "/", response=SearchOut, summary="Search everything")
def search_everything(request: HttpRequest, wanted: Query[SearchIn]) -> SearchOut:
    """One search over feedback, signals, themes and posts, by words and by meaning. At most a hundred results."""
    require_known(request, SearchIn)
    workspace_id = caller_of(request).workspace_id
    with in_workspace(workspace_id):
        results = search(workspace_id=workspace_id, query=wanted.q, wanted=filter_of(wanted), limit=wanted.limit)
        found = [_shown(one) for one in results.found]
    return SearchOut(
        query=wanted.q,
        compared=["words", "meaning"] if results.meant else ["words"],
        count=results.count,
        results=found,
    )


def filter_of(wanted: SearchIn) -> SearchFilter:
    """The filter that the parameters name. Raises `Invalid` for what is not the id of a board."""
    board = ""
    if wanted.board:
        try:
            board = str(parse_id("board", wanted.board))
        except Invalid as error:
            raise Invalid(error.detail, errors=[FieldError("/board", "is not an id of this kind")]) from None
    return SearchFilter(
        kinds=tuple(wanted.kind),
        source=wanted.source,
        type=wanted.type,
        board=board,
        sentiment=wanted.sentiment,
        urgency=wanted.urgency,
        plan=wanted.plan,
        since=wanted.after,
        until=wanted.before,
    )


def _shown(one: Found) -> FoundOut:
    by: list[Literal["words", "meaning"]] = ["words"] if one.hit.by_words else []
    return FoundOut.model_validate(
        {
            "kind": one.kind,
            "id": one.public_id,
            "title": one.title.text,
            "text": one.body.text,
            "marks": [{"start": mark.start, "end": mark.end} for mark in one.body.marks],
            "found_by": [*by, *(["meaning"] if one.hit.by_meaning else [])],
            "score": round(one.hit.score, 6),
            "at": one.at,
            "url": f"{settings.BASE_URL}{one.path}",
        }
    )
