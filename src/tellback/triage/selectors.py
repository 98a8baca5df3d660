"""Reads of triage: feedback by filter, in pages that a cursor continues, and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.core import signing
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from tellback.intake.models import RawItem
from tellback.kernel.errors import FieldError, Invalid, NotFound
from tellback.triage import rules
from tellback.triage.models import Feedback
from tellback.triage.services import draft_of

NO_CURSOR = "Ask with a cursor exactly as it was given, and with the same ordering."
_SALT = "tellback.feedback-cursor"
#: When an answer is due that is not: after all others.
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)

#: By what feedback may be ordered: the column, and whether the greatest come first.
ORDERINGS: dict[str, tuple[str, bool]] = {
    "-created_at": ("created_at", True),
    "created_at": ("created_at", False),
    "-updated_at": ("updated_at", True),
    "updated_at": ("updated_at", False),
    "-score": ("score", True),
    "-vote_count": ("vote_count", True),
    "response_due_at": ("due", False),
}


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """What a list or the figures are narrowed to; an empty part narrows nothing."""

    types: Sequence[str] = ()
    statuses: Sequence[str] = ()
    priorities: Sequence[str] = ()
    severities: Sequence[str] = ()
    sources: Sequence[str] = ()
    tags: Sequence[str] = ()
    assignee_id: UUID | None = None
    submitted_by: UUID | None = None
    submitter_email: str = ""
    search: str = ""
    min_score: int | None = None
    rating: int | None = None
    is_open: bool | None = None
    is_overdue: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    """Some of the feedback asked for, and the cursor of what follows (empty at the end)."""

    rows: Sequence[Feedback]
    following: str


@dataclass(frozen=True, slots=True)
class FeedbackFigures:
    """Document 2's figures. Types, statuses and priorities that nothing has are left out; hours are by the clock."""

    total: int
    by_type: dict[str, int]
    by_status: dict[str, int]
    by_priority: dict[str, int]
    avg_response_time_hours: float | None
    open_count: int
    resolved_count: int
    overdue_count: int
    late_count: int


def overdue(now: datetime) -> Q:
    """Feedback that should have been answered by now and was not."""
    return Q(response_due_at__lt=now, responded_at=None, status__in=rules.OPEN)


def find_feedback(id: UUID) -> Feedback:
    """The record with this id, or of the raw item with it. For an item that was not triaged yet the record to come.

    Raises `NotFound`.
    """
    known = _whole(Feedback.objects.filter(Q(id=id) | Q(raw_item_id=id))).first()
    if known is not None:
        return known
    item = RawItem.objects.select_related("principal").filter(id=id).first()
    if item is None:
        raise NotFound("There is no feedback with this id.")
    return draft_of(item)


def list_feedback(wanted: FeedbackFilter, *, ordering: str, limit: int, cursor: str, now: datetime) -> FeedbackPage:
    """A page of feedback. What arrives meanwhile shifts nothing: a page begins after the last row of the one before.

    Raises `Invalid` for a cursor that was not given by this list.
    """
    column, descending = ORDERINGS[ordering]
    rows = _whole(_narrowed(wanted, now)).alias(due=Coalesce("response_due_at", Value(_NEVER)))
    if cursor:
        value, after = _read_cursor(cursor, ordering)
        beyond = "lt" if descending else "gt"
        # The first bound is what an index can begin at; the second one tells apart what is the same in it.
        rows = rows.filter(**{f"{column}__{beyond}e": value})
        rows = rows.filter(Q(**{f"{column}__{beyond}": value}) | Q(**{f"id__{beyond}": after}))
    sign = "-" if descending else ""
    page = list(rows.order_by(f"{sign}{column}", f"{sign}id")[: limit + 1])
    return FeedbackPage(page[:limit], _cursor(page[limit - 1], ordering) if len(page) > limit else "")


def get_figures(wanted: FeedbackFilter, *, now: datetime) -> FeedbackFigures:
    """Counts of the feedback that fits, and how long its first answers took. Imports are not answered, so not timed."""
    rows = _narrowed(wanted, now)
    waited = ExpressionWrapper(F("responded_at") - F("raw_item__created_at"), output_field=DurationField())
    totals = rows.aggregate(
        total=Count("id"),
        open=Count("id", filter=Q(status__in=rules.OPEN)),
        overdue=Count("id", filter=overdue(now)),
        late=Count("id", filter=Q(responded_at__gt=F("response_due_at"))),
        waited=Avg(waited, filter=Q(responded_at__isnull=False, raw_item__silent=False)),
    )
    average = totals["waited"]
    return FeedbackFigures(
        total=totals["total"],
        by_type=_counted(rows, "type"),
        by_status=_counted(rows, "status"),
        by_priority=_counted(rows, "priority"),
        avg_response_time_hours=round(average.total_seconds() / 3600, 2) if average is not None else None,
        open_count=totals["open"],
        resolved_count=totals["total"] - totals["open"],
        overdue_count=totals["overdue"],
        late_count=totals["late"],
    )


def _counted(rows: QuerySet[Feedback], column: str) -> dict[str, int]:
    counts = rows.order_by().values_list(column).annotate(n=Count("id"))
    return {str(value): int(n) for value, n in sorted(counts, key=lambda pair: (-pair[1], pair[0]))}


def _whole(rows: QuerySet[Feedback]) -> QuerySet[Feedback]:
    return rows.select_related("raw_item__principal", "assignee")


def _narrowed(wanted: FeedbackFilter, now: datetime) -> QuerySet[Feedback]:
    rows = Feedback.objects.all()
    for column, values in (
        ("type", wanted.types),
        ("status", wanted.statuses),
        ("priority", wanted.priorities),
        ("severity", wanted.severities),
        ("source", wanted.sources),
    ):
        if values:
            rows = rows.filter(**{f"{column}__in": values})
    for tag in wanted.tags:
        rows = rows.filter(tags__contains=[tag])
    if wanted.is_open is not None:
        is_open = Q(status__in=rules.OPEN)
        rows = rows.filter(is_open if wanted.is_open else ~is_open)
    if wanted.is_overdue is not None:
        # Written out: NOT over a due time that is null would be neither true nor false.
        late = Feedback.objects.filter(overdue(now)).values("id")
        rows = rows.filter(id__in=late) if wanted.is_overdue else rows.exclude(id__in=late)
    exact = {
        "assignee_id": wanted.assignee_id,
        "raw_item__principal_id": wanted.submitted_by,
        "raw_item__principal__email__iexact": wanted.submitter_email or None,
        "score__gte": wanted.min_score,
        "rating": wanted.rating,
        "created_at__gte": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    for word in wanted.search.split():
        rows = rows.filter(Q(summary__icontains=word) | Q(raw_item__content__text__icontains=word))
    return rows


def _cursor(last: Feedback, ordering: str) -> str:
    column, _ = ORDERINGS[ordering]
    value = (last.response_due_at or _NEVER) if column == "due" else getattr(last, column)
    stated = value.isoformat() if isinstance(value, datetime) else value
    return signing.dumps([ordering, stated, last.id.hex], salt=_SALT, compress=True)


def _read_cursor(cursor: str, ordering: str) -> tuple[datetime | int, UUID]:
    try:
        made_for, stated, after = signing.loads(cursor, salt=_SALT)
        if made_for == ordering:
            return (datetime.fromisoformat(stated) if isinstance(stated, str) else stated), UUID(after)
    except (signing.BadSignature, ValueError, TypeError):
        pass
    raise Invalid(NO_CURSOR, errors=[FieldError("/cursor", "is not a cursor of this list")], code="bad-cursor")
