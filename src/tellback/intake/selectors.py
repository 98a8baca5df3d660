"""Reads of intake: the stream of raw items, the sources' health, the pipeline's figures."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from tellback.intake.models import FeedbackSource, ItemState, RawItem

PAGE = 30
WAITING = (ItemState.PENDING_CONTEXT, ItemState.READY, ItemState.EXTRACTING, ItemState.INTERPRETING)


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """What the stream is narrowed to; every part is in the page's address."""

    source_id: UUID | None = None
    state: str = ""
    search: str = ""
    before: UUID | None = None


def list_items(wanted: StreamFilter) -> tuple[list[RawItem], UUID | None]:
    """A page of items, newest first, and the cursor of the next page (None at the end)."""
    items: QuerySet[RawItem] = RawItem.objects.select_related("source", "principal").prefetch_related("signals")
    if wanted.source_id:
        items = items.filter(source_id=wanted.source_id)
    if wanted.state == "waiting":
        items = items.filter(processing_state__in=WAITING)
    elif wanted.state in {ItemState.FAILED, ItemState.COMPLETED}:
        items = items.filter(processing_state=wanted.state)
    if wanted.search:
        items = items.filter(content__text__icontains=wanted.search)
    if wanted.before:
        items = items.filter(id__lt=wanted.before)
    page = list(items.order_by("-id")[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1].id if len(page) > PAGE else None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source with what came through it."""

    source: FeedbackSource
    today: int
    total: int
    failed: int

    @property
    def health(self) -> str:
        """ok, quiet (nothing yet), off or failing."""
        if not self.source.enabled:
            return "off"
        if self.source.last_error or self.failed:
            return "failing"
        return "ok" if self.total else "quiet"


def list_sources(*, now: datetime) -> list[SourceRow]:
    """Every source, those with most items first."""
    counts = {
        row["source_id"]: row
        for row in RawItem.objects.values("source_id").annotate(
            total=Count("id"),
            today=Count("id", filter=Q(created_at__gte=now - timedelta(hours=24))),
            failed=Count("id", filter=Q(processing_state=ItemState.FAILED)),
        )
    }
    none = {"total": 0, "today": 0, "failed": 0}
    rows = []
    for source in FeedbackSource.objects.order_by("name"):
        found = counts.get(source.id, none)
        rows.append(SourceRow(source, found["today"], found["total"], found["failed"]))
    return sorted(rows, key=lambda row: -row.total)


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """How the pipeline stands right now."""

    total: int
    waiting: int
    failed: int
    signals_today: int
    themes_today: int


def get_pipeline_figures(*, now: datetime) -> PipelineFigures:
    """The figures at the top of the stream, in one query."""
    day = now - timedelta(hours=24)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE processing_state NOT IN ('completed', 'failed')),
                   count(*) FILTER (WHERE processing_state = 'failed'),
                   (SELECT count(*) FROM feedback_signals WHERE created_at >= %s),
                   (SELECT count(*) FROM feedback_themes WHERE created_at >= %s AND status = 'active')
            FROM raw_feedback_items
            """,
            [day, day],
        )
        return PipelineFigures(*(int(value) for value in cursor.fetchone()))


def list_queue_depths() -> list[tuple[str, int, int]]:
    """Each queue with its waiting and its given-up jobs."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT queue_name, count(*) FILTER (WHERE status IN ('todo', 'doing')),
                   count(*) FILTER (WHERE status = 'failed')
            FROM procrastinate_jobs
            WHERE args->>'workspace_id' = nullif(current_setting('tellback.workspace_id', true), '')
            GROUP BY 1 ORDER BY 1
            """
        )
        return [(str(name), int(waiting), int(failed)) for name, waiting, failed in cursor.fetchall()]
