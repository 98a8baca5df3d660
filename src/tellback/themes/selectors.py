"""Reads of themes: the list with its filters, and everything about one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pgvector.django import CosineDistance

from tellback.intake.models import RawItem
from tellback.themes.models import ChangeState, Theme, ThemeChange, ThemeStatus
from tellback.understanding.evidence import Piece
from tellback.understanding.models import Sentiment, Signal, SignalType, Urgency
from tellback.understanding.taxonomy import named_boards

PAGE = 60
WEEKS = 12
NO_DAYS = (0,) * (7 * WEEKS)
#: Days that are compared with as many before them.
TRENDS = (7, 30)
#: Below so many signals in a month nothing is said of how fast a theme grows.
FEW = 5
EMERGING_DAYS = 14
SENTIMENT_TONES = {Sentiment.POSITIVE: "green", Sentiment.NEUTRAL: "plain", Sentiment.NEGATIVE: "amber"}
EMERGING_SIGNALS = 12
SORTS = {
    "strength": ("-strength", "-signal_count", "id"),
    "recent": ("-last_signal_at", "id"),
    "people": ("-unique_author_count", "-strength", "id"),
    "revenue": (F("revenue").desc(nulls_last=True), "-strength", "id"),
    "growth": ("-growth", "-strength", "id"),
    "new": ("-first_signal_at", "id"),
}


@dataclass(frozen=True, slots=True)
class ThemeFilter:
    """What the list is narrowed to; every part is in the page's address."""

    status: str = "all"
    board: UUID | None = None
    source: str = ""
    urgency: str = ""
    days: int = 0
    plan: str = ""
    search: str = ""
    sort: str = "strength"


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """A theme as the list shows it."""

    theme: Theme
    weeks: list[int]
    trends: list["Trend"]
    is_emerging: bool
    types: list[tuple[str, str]]
    new_since_promotion: int = 0

    @property
    def this_week(self) -> int:
        """Signals of the last seven days."""
        return self.trends[0].now

    @property
    def last_week(self) -> int:
        """Signals of the seven days before."""
        return self.trends[0].before

    @property
    def velocity(self) -> float | None:
        """How fast it grows now: signals a day of the last seven days over those of the last thirty.

        None while there are too few to say.
        """
        week, month = self.trends
        return None if month.now < FEW else round((week.now / week.days) / (month.now / month.days), 1)

    @property
    def by_week(self) -> list[tuple[str, int]]:
        """The weeks with their names, the latest first."""
        return [(_weeks_ago(age), count) for age, count in enumerate(reversed(self.weeks))]


@dataclass(frozen=True, slots=True)
class Trend:
    """Signals of so many last days, and of as many days before them."""

    days: int
    now: int
    before: int

    @property
    def change(self) -> int:
        """How many more they are now; fewer below zero."""
        return self.now - self.before


def _weeks_ago(age: int) -> str:
    return ngettext("%d week ago", "%d weeks ago", age) % age if age else _("This week")


def list_themes(wanted: ThemeFilter, *, now: datetime) -> list[ThemeRow]:
    """The themes that fit, in order, each with its weeks."""
    found = _filtered(wanted, now)
    if wanted.sort == "growth":
        found = found.annotate(growth=_growth(now))
    themes = list(found.select_related("parent_theme").order_by(*SORTS.get(wanted.sort, SORTS["strength"]))[:PAGE])
    days = _days([theme.id for theme in themes], now)
    new = _new_since_promotion([theme.id for theme in themes if theme.promoted_at])
    return [_row(theme, days.get(theme.id, NO_DAYS), now, new=new.get(theme.id, 0)) for theme in themes]


def _growth(now: datetime) -> Coalesce:
    """Signals of the last seven days less those of the seven days before."""
    week, fortnight = now - timedelta(days=7), now - timedelta(days=14)
    heard = "raw_feedback_item__source_created_at"
    counted = (
        Signal.objects.filter(theme_id=OuterRef("id"), **{f"{heard}__gte": fortnight})
        .order_by()
        .values("theme_id")
        .annotate(
            growth=Count("id", filter=Q(**{f"{heard}__gte": week})) - Count("id", filter=Q(**{f"{heard}__lt": week}))
        )
    )
    return Coalesce(Subquery(counted.values("growth"), output_field=IntegerField()), 0)


def _row(theme: Theme, days: Sequence[int], now: datetime, *, new: int = 0) -> ThemeRow:
    young = theme.first_signal_at is not None and theme.first_signal_at > now - timedelta(days=EMERGING_DAYS)
    kinds = sorted((theme.type_distribution or {}).items(), key=lambda pair: -pair[1])[:2]
    return ThemeRow(
        theme=theme,
        weeks=[sum(days[7 * age : 7 * age + 7]) for age in reversed(range(WEEKS))],
        trends=[Trend(span, sum(days[:span]), sum(days[span : 2 * span])) for span in TRENDS],
        is_emerging=young and theme.signal_count <= EMERGING_SIGNALS,
        types=[(kind, SignalType(kind).label) for kind, _count in kinds],
        new_since_promotion=new,
    )


def _new_since_promotion(theme_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many signals came to each of these themes since it was promoted. No query for none."""
    if not theme_ids:
        return {}
    since = Theme.objects.filter(id=OuterRef("theme_id")).values("promoted_at")
    new = Signal.objects.filter(theme_id__in=theme_ids, created_at__gt=Subquery(since))
    return {theme: count for theme, count in new.values_list("theme_id").annotate(count=Count("id")) if theme}


def _filtered(wanted: ThemeFilter, now: datetime) -> QuerySet[Theme]:
    shown = ThemeStatus.ARCHIVED if wanted.status == "archived" else ThemeStatus.ACTIVE
    themes = Theme.objects.filter(status=shown)
    if wanted.status == "review":
        themes = themes.filter(needs_review_count__gt=0)
    if wanted.status == "promoted":
        themes = themes.exclude(promoted_to_post_id=None)
    if wanted.status == "open":
        themes = themes.filter(promoted_to_post_id=None)
    if wanted.board:
        themes = themes.filter(board_id=wanted.board)
    if wanted.search:
        said = Signal.objects.filter(theme_id=OuterRef("id"), raw_feedback_item__content__text__icontains=wanted.search)
        words = Q(title__icontains=wanted.search) | Q(summary__icontains=wanted.search)
        themes = themes.filter(words | Exists(said))
    narrowed = _signals_of(wanted, now)
    return themes if narrowed is None else themes.filter(Exists(narrowed.filter(theme_id=OuterRef("id"))))


def _signals_of(wanted: ThemeFilter, now: datetime) -> QuerySet[Signal] | None:
    conditions = Q()
    if wanted.source:
        conditions &= Q(raw_feedback_item__source_type=wanted.source)
    if wanted.urgency:
        conditions &= Q(urgency=wanted.urgency)
    if wanted.days:
        conditions &= Q(raw_feedback_item__source_created_at__gte=now - timedelta(days=wanted.days))
    if wanted.plan:
        conditions &= Q(raw_feedback_item__principal__plan=wanted.plan)
    return Signal.objects.filter(conditions) if conditions else None


def _days(theme_ids: Sequence[UUID], now: datetime) -> dict[UUID, list[int]]:
    """Signals of each theme on each of the last days, twelve weeks of them, the latest first."""
    start = now - timedelta(weeks=WEEKS)
    rows = (
        Signal.objects.filter(theme_id__in=theme_ids, raw_feedback_item__source_created_at__gte=start)
        .annotate(day=TruncDate("raw_feedback_item__source_created_at"))
        .values_list("theme_id", "day")
        .annotate(count=Count("id"))
    )
    days: dict[UUID, list[int]] = {}
    for theme_id, day, count in rows:
        # A sender's clock may be a little ahead, and past midnight already.
        age = max(0, (now.date() - day).days)
        if age < len(NO_DAYS):
            days.setdefault(theme_id, [*NO_DAYS])[age] += count
    return days


def count_of_former_models() -> int:
    """How many open themes are by another embedding model than the latest signal that nothing stood in for."""
    read = Signal.objects.filter(fallback_reason="").exclude(embedding_model=None).order_by("-created_at")
    model = read.values_list("embedding_model", flat=True).first()
    themes = Theme.objects.filter(status__in=[ThemeStatus.CANDIDATE, ThemeStatus.ACTIVE])
    return themes.exclude(centroid_model=None).exclude(centroid_model=model).count() if model else 0


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to filter by, each with its number of themes or signals."""

    statuses: list[tuple[str, str, int]]
    boards: list[tuple[str, str, int]]
    sources: list[tuple[str, int]]
    urgencies: list[tuple[str, str, int]]
    plans: list[tuple[str, int]]
    praise: int
    praising_people: int
    proposals: int


def get_facets() -> Facets:
    """The filters of the insights page, counted over everything."""
    active = Q(status=ThemeStatus.ACTIVE)
    counts = Theme.objects.aggregate(
        all=Count("id", filter=active),
        open=Count("id", filter=active & Q(promoted_to_post_id=None)),
        review=Count("id", filter=active & Q(needs_review_count__gt=0)),
        promoted=Count("id", filter=active & ~Q(promoted_to_post_id=None)),
        archived=Count("id", filter=Q(status=ThemeStatus.ARCHIVED)),
    )
    themed = Signal.objects.exclude(theme_id=None)
    praise = Signal.objects.filter(signal_type=SignalType.PRAISE).aggregate(
        count=Count("id"), people=Count("raw_feedback_item__principal_id", distinct=True)
    )
    sorted_in = Theme.objects.filter(active).exclude(board_id=None)
    boards = dict(sorted_in.values_list("board_id").annotate(count=Count("id")))
    urgency = dict(themed.values_list("urgency").annotate(count=Count("id")))
    return Facets(
        statuses=[
            ("all", "All", counts["all"]),
            ("open", "Not promoted", counts["open"]),
            ("review", "Needs review", counts["review"]),
            ("promoted", "Promoted", counts["promoted"]),
            ("archived", "Archived", counts["archived"]),
        ],
        boards=[
            (one.id, one.name, count)
            for one in (named_boards() if boards else ())
            if (count := boards.get(UUID(one.id)))
        ],
        sources=list(
            themed.values_list("raw_feedback_item__source_type").annotate(count=Count("id")).order_by("-count")
        ),
        urgencies=[(value, label, urgency.get(value, 0)) for value, label in Urgency.choices],
        plans=list(
            themed.exclude(raw_feedback_item__principal__plan="")
            .exclude(raw_feedback_item__principal=None)
            .values_list("raw_feedback_item__principal__plan")
            .annotate(count=Count("id"))
            .order_by("-count")
        ),
        praise=praise["count"],
        praising_people=praise["people"],
        proposals=ThemeChange.objects.filter(state=ChangeState.PROPOSED).count(),
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's own words, with the part that counts marked, and where they come from."""

    signal: Signal
    pieces: list["Piece"]
    who: str
    company: str


@dataclass(frozen=True, slots=True)
class ThemeDetail:
    """Everything about one theme."""

    row: ThemeRow
    quotes: list[Quote]
    more_quotes: int
    sentiments: list[tuple[str, int, str]]
    urgencies: list[tuple[str, int]]
    sources: list[tuple[str, int]]
    similar: list[tuple[Theme, float | None]]
    cited: list[UUID]
    inside: list[Theme] = field(default_factory=list)
    companies: list[tuple[str, int]] = field(default_factory=list)

    @property
    def weighs_more(self) -> bool:
        """Whether plan and revenue make its people count for more than they are."""
        return self.row.theme.reach > self.row.theme.unique_author_count


def get_theme_detail(theme: Theme, *, quotes: int, now: datetime) -> ThemeDetail:
    """A theme with its first `quotes` quotes: those that its summary cites, then those nearest its centre."""
    cited = [UUID(one) for one in theme.summary_cites]
    signals = (
        Signal.objects.filter(theme_id=theme.id)
        .exclude(summary="")
        .select_related("raw_feedback_item__principal", "raw_feedback_item__source")
    )
    first = Case(When(id__in=cited, then=0), default=1, output_field=IntegerField())
    order: list[Any] = [first] if cited else []
    if theme.centroid_embedding is not None:
        order += [CosineDistance("embedding", theme.centroid_embedding), "id"]
    signals = signals.order_by(*order) if order else signals
    new = _new_since_promotion([theme.id] if theme.promoted_at else [])
    shown = [quote_of(signal) for signal in signals[:quotes]]
    return ThemeDetail(
        row=_row(theme, _days([theme.id], now).get(theme.id, NO_DAYS), now, new=new.get(theme.id, 0)),
        quotes=shown,
        more_quotes=max(theme.signal_count - quotes, 0),
        sentiments=[
            (label, count, SENTIMENT_TONES[Sentiment(value)])
            for value, label, count in _counted(theme.sentiment_distribution, Sentiment)
        ],
        urgencies=[(label, count) for _, label, count in _counted(theme.urgency_distribution, Urgency)],
        sources=[
            (source_label(name), count)
            for name, count in sorted((theme.source_distribution or {}).items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        similar=[] if theme.centroid_embedding is None else suggest_neighbours(theme, limit=4),
        cited=[quote.signal.id for quote in shown if quote.signal.id in cited],
        companies=_companies(theme.id),
        inside=list(theme.children.filter(status=ThemeStatus.ACTIVE).order_by("-strength", "id")),
    )


def _counted(counts: dict[str, int] | None, kind: type[Sentiment] | type[Urgency]) -> list[tuple[str, str, int]]:
    known = counts or {}
    return [(value, str(label), known[value]) for value, label in kind.choices if known.get(value)]


ACRONYMS = {"api", "csv", "sms", "nps"}


def source_label(source_type: str) -> str:
    """A source type as a person reads it."""
    return source_type.upper() if source_type in ACRONYMS else source_type.replace("_", " ").capitalize()


def suggest_neighbours(theme: Theme, *, search: str = "", limit: int = 6) -> list[tuple[Theme, float | None]]:
    """Open themes that this one could be joined with: the most alike first, or those with the searched words."""
    others = Theme.objects.filter(status=ThemeStatus.ACTIVE).exclude(pk=theme.pk)
    if search:
        others = others.filter(Q(title__icontains=search) | Q(summary__icontains=search))
    if theme.centroid_embedding is None:
        return [(other, None) for other in others.order_by("-strength", "id")[:limit]]
    alike = others.filter(centroid_model=theme.centroid_model).annotate(
        distance=CosineDistance("centroid_embedding", theme.centroid_embedding)
    )
    return [(other, 1 - other.distance) for other in alike.order_by("distance", "id")[:limit]]


def quotes_to_split(theme: Theme, *, limit: int = 200) -> list[Quote]:
    """A theme's quotes, those furthest from its centre first: what is about something else is found there."""
    signals = (
        Signal.objects.filter(theme_id=theme.id)
        .exclude(summary="")
        .select_related("raw_feedback_item__principal", "raw_feedback_item__source")
    )
    if theme.centroid_embedding is not None:
        signals = signals.order_by(CosineDistance("embedding", theme.centroid_embedding).desc(), "id")
    return [quote_of(signal) for signal in signals[:limit]]


def suggest_themes(signal: Signal, *, search: str = "", limit: int = 8) -> list[tuple[Theme, float | None]]:
    """Themes that a signal could be moved to, each with how alike it is (cosine, or None): the most alike first.

    With `search` those whose title or summary has these words.
    """
    themes = Theme.objects.filter(status=ThemeStatus.ACTIVE)
    if signal.theme_id:
        themes = themes.exclude(pk=signal.theme_id)
    if search:
        themes = themes.filter(Q(title__icontains=search) | Q(summary__icontains=search))
    if signal.embedding is None:
        return [(theme, None) for theme in themes.order_by("-strength", "id")[:limit]]
    alike = themes.filter(centroid_model=signal.embedding_model).annotate(
        distance=CosineDistance("centroid_embedding", signal.embedding)
    )
    return [(theme, 1 - theme.distance) for theme in alike.order_by("distance", "id")[:limit]]


def _companies(theme_id: UUID) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.company, count(DISTINCT p.id) FROM feedback_signals s
            JOIN raw_feedback_items r ON r.id = s.raw_feedback_item_id
            JOIN principal p ON p.id = r.principal_id
            WHERE s.theme_id = %s AND p.company <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 6
            """,
            [theme_id],
        )
        return [(str(name), int(count)) for name, count in cursor.fetchall()]


CONTEXT = 160


def quote_of(signal: Signal) -> Quote:
    """A signal as a quote: its evidence marked, with a little of what stands around it."""
    item = signal.raw_feedback_item
    person = item.principal
    return Quote(
        signal=signal,
        pieces=quote_pieces(str(item.content.get("text", "")), signal),
        who=str(person) if person else "",
        company=person.company if person else "",
    )


def quote_pieces(text: str, signal: Signal) -> list[Piece]:
    """The words around the evidence, and the evidence marked; cut where it would be long."""
    spans = sorted((span["start"], span["end"]) for span in signal.evidence_spans)
    if not spans:
        return [Piece(signal.summary, None)]
    if not text:
        return [Piece(" … ".join(signal.evidence), signal.get_signal_type_display())]
    begin, finish = max(spans[0][0] - CONTEXT, 0), min(spans[-1][1] + CONTEXT, len(text))
    pieces, last = [], begin
    label = signal.get_signal_type_display()
    for start, end in spans:
        if start > last:
            pieces.append(Piece(text[last:start], None))
        pieces.append(Piece(text[start:end], label))
        last = end
    if finish > last:
        pieces.append(Piece(text[last:finish], None))
    if begin:
        pieces.insert(0, Piece("… ", None))
    return [*pieces, Piece(" …", None)] if finish < len(text) else pieces


def count_authors_to_subscribe(theme: Theme) -> int:
    """How many known people's feedback is behind the theme."""
    items = Signal.objects.filter(theme_id=theme.id).values("raw_feedback_item_id")
    return RawItem.objects.filter(id__in=items, principal__type="user").values("principal_id").distinct().count()
