"""Reads of intake: the stream of raw items, the sources' health, the pipeline's figures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tellback.intake.models import FeedbackSource, ItemState, RawItem
from tellback.platform.jobs import Queue
from tellback.workspaces.models import Principal, PrincipalType

PAGE = 30
PEOPLE_PAGE = 50
WAITING = (ItemState.PENDING_CONTEXT, ItemState.READY, ItemState.EXTRACTING, ItemState.INTERPRETING)


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """What the stream is narrowed to; every part is in the page's address."""

    source_id: UUID | None = None
    state: str = ""
    search: str = ""
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class StreamState:
    """Something that the stream can be narrowed to, which a room above knows about its items."""

    name: str
    label: str | Promise
    narrow: Callable[[datetime], Q]


_offered: dict[str, StreamState] = {}


def offer_state(state: StreamState) -> None:
    """Let the stream be narrowed to this. Called once, at the start."""
    _offered[state.name] = state


def list_offered_states() -> list[StreamState]:
    """What the rooms above have offered."""
    return list(_offered.values())


def list_items(wanted: StreamFilter, *, now: datetime) -> tuple[list[RawItem], UUID | None]:
    """A page of items, newest first, and the cursor of the next page (None at the end)."""
    items: QuerySet[RawItem] = RawItem.objects.select_related("source", "principal").prefetch_related(
        "signals", "attachments"
    )
    if wanted.source_id:
        items = items.filter(source_id=wanted.source_id)
    if wanted.state == "waiting":
        items = items.filter(processing_state__in=WAITING)
    elif wanted.state in {ItemState.FAILED, ItemState.COMPLETED}:
        items = items.filter(processing_state=wanted.state)
    elif wanted.state in _offered:
        items = items.filter(_offered[wanted.state].narrow(now))
    for word in wanted.search.split():
        items = items.filter(content__text__icontains=word)
    if wanted.before:
        # Ids of what came through a broker say nothing about time.
        came = RawItem.objects.filter(id=wanted.before).values("created_at")
        items = items.filter(Q(created_at__lt=Subquery(came)) | Q(created_at=Subquery(came), id__lt=wanted.before))
    page = list(items.order_by("-created_at", "-id")[: PAGE + 1])
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
        """active, new (nothing yet), archived (switched off) or failed."""
        if not self.source.enabled:
            return "archived"
        if self.source.last_error or self.failed:
            return "failed"
        return "active" if self.total else "new"

    @property
    def words(self) -> str:
        """Its health in words."""
        if self.health == "failed" and not self.source.last_error:
            return ngettext("%d item failed", "%d items failed", self.failed) % self.failed
        return {"active": _("Healthy"), "new": _("Nothing yet"), "archived": _("Off"), "failed": _("Failing")}[
            self.health
        ]

    @property
    def kept_for(self) -> str:
        """How long its words are kept, in words."""
        days = self.source.retention_days
        return ngettext("%d day", "%d days", days) % days if days else _("for ever")

    @property
    def tone(self) -> str:
        """The tone of the design system that its health has."""
        return {"active": "green", "failed": "red"}.get(self.health, "plain")


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


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """A queue with its waiting or running jobs, and those that were given up."""

    name: str
    waiting: int
    failed: int


def list_queue_depths() -> list[QueueDepth]:
    """Each of the pipeline's queues, with the jobs of the present workspace."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT queue_name, count(*) FILTER (WHERE status IN ('todo', 'doing')),
                   count(*) FILTER (WHERE status = 'failed')
            FROM procrastinate_jobs
            WHERE args->>'workspace_id' = nullif(current_setting('tellback.workspace_id', true), '')
            GROUP BY 1
            """
        )
        found = {str(name): (int(waiting), int(failed)) for name, waiting, failed in cursor.fetchall()}
    return [QueueDepth(queue, *found.get(queue, (0, 0))) for queue in Queue]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody with how much they said."""

    person: Principal
    said: int
    last_said_at: datetime | None


def list_people(*, search: str, before: UUID | None) -> tuple[list[PersonRow], UUID | None]:
    """A page of the people known, newest first, and the cursor of the next page (None at the end)."""
    people = _people_found(search)
    page = list((people.filter(id__lt=before) if before else people).order_by("-id")[: PEOPLE_PAGE + 1])
    said = {
        row["principal_id"]: (row["said"], row["last"])
        for row in RawItem.objects.filter(principal__in=page)
        .values("principal_id")
        .annotate(said=Count("id"), last=Max("source_created_at"))
    }
    rows = [PersonRow(person, *said.get(person.id, (0, None))) for person in page[:PEOPLE_PAGE]]
    return rows, page[PEOPLE_PAGE - 1].id if len(page) > PEOPLE_PAGE else None


def count_people(search: str) -> int:
    """How many people a search finds; without one, how many are known."""
    return _people_found(search).count()


def _people_found(search: str) -> QuerySet[Principal]:
    people = Principal.objects.filter(type=PrincipalType.USER, merged_into=None)
    for word in search.split():
        people = people.filter(Q(display_name__icontains=word) | Q(email__icontains=word) | Q(company__icontains=word))
    return people
