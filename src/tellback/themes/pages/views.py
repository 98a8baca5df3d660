"""The insights page: what people ask for, with their words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tellback.themes import changes, selectors
from tellback.themes.models import Theme, ThemeStatus
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

QUOTES = 8
NARROWING = ("status", "board", "source", "urgency", "days", "plan")
FILTERS = (*NARROWING, "search", "sort")
SORTS = [
    ("strength", gettext_lazy("Strength")),
    ("recent", gettext_lazy("Latest")),
    ("people", gettext_lazy("People")),
    ("revenue", gettext_lazy("Revenue")),
    ("growth", gettext_lazy("Growth")),
    ("new", gettext_lazy("Newest")),
]


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter: the address that it leads to, and whether it is the present one."""

    url: str
    label: str
    count: int | None
    active: bool


@require_role(Role.CONTRIBUTOR)
def insights(request: TenantRequest) -> HttpResponse:
    """Filters, themes and one theme's detail; the address holds all of it."""
    now = timezone.now()
    wanted = read_filter(request)
    chosen = _chosen_theme(request)
    if chosen is not None and chosen.merged_into_theme_id:
        return redirect(f"{reverse('insights')}?theme={chosen.merged_into_theme_id}")
    count = _number(request.GET.get("quotes"), QUOTES)
    if request.headers.get("HX-Target") == "theme-detail" and chosen is not None:
        return render(request, "themes/_detail.html", _detail(request, chosen, count, now))
    rows = selectors.list_themes(wanted, now=now)
    if request.headers.get("HX-Trigger") == "first-theme":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"} if rows else None)
    facets = selectors.get_facets()
    shown = chosen or (rows[0].theme if rows else None)
    context = {
        "tab": "insights",
        "filter": wanted,
        "rows": rows,
        "facets": facets,
        "is_chosen": chosen is not None,
        "groups": _groups(request, facets),
        "sorts": SORTS,
        "narrowed": [(name, request.GET[name]) for name in NARROWING if request.GET.get(name)],
        **(_detail(request, shown, count, now) if shown else {"query": _query(request)}),
    }
    return render(request, "themes/insights.html", context)


def _detail(request: TenantRequest, theme: Theme, count: int, now: datetime) -> dict[str, object]:
    return {
        "chosen": theme,
        "detail": selectors.get_theme_detail(theme, quotes=count, now=now),
        "more": count + 20,
        "query": _query(request),
    }


def _chosen_theme(request: TenantRequest) -> Theme | None:
    wanted = request.GET.get("theme", "")
    return get_object_or_404(Theme, pk=_uuid(wanted)) if wanted else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def read_filter(request: TenantRequest) -> selectors.ThemeFilter:
    """The filter that the address names; what it does not know is ignored."""
    get = request.GET.get
    return selectors.ThemeFilter(
        status=get("status", "all"),
        board=_uuid(get("board", "")),
        source=get("source", ""),
        urgency=get("urgency", ""),
        days=_number(get("days"), 0),
        plan=get("plan", ""),
        search=get("search", "").strip()[:100],
        sort=get("sort", "strength"),
    )


def _number(text: str | None, default: int) -> int:
    return min(int(text), 1000) if text and text.isdecimal() and len(text) < 9 else default


def _query(request: TenantRequest, **changes: str) -> str:
    kept = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    return urlencode({name: value for name, value in {**kept, **changes}.items() if value})


def _groups(request: TenantRequest, facets: selectors.Facets) -> list[tuple[str, list[Choice]]]:
    """Each filter with its choices as links; one that cannot narrow anything is left out."""
    label = selectors.source_label
    groups: list[tuple[str, str, list[tuple[str, str, int | None]]]] = [
        ("status", _("Status"), [(value, words, count) for value, words, count in facets.statuses]),
        ("board", _("Board"), [("", _("All"), None), *facets.boards]),
        (
            "source",
            _("Source"),
            [("", _("All"), None), *((name, label(name), count) for name, count in facets.sources)],
        ),
        ("urgency", _("Urgency"), [("", _("Any"), None), *facets.urgencies]),
        ("days", _("Heard in"), [("", _("All time"), None), *((str(n), _("%d days") % n, None) for n in (7, 30, 90))]),
        (
            "plan",
            _("Plan"),
            [("", _("All"), None), *((name, name.capitalize(), count) for name, count in facets.plans)],
        ),
    ]
    return [
        (title, [_choice(request, name, *choice) for choice in choices])
        for name, title, choices in groups
        if len(choices) > 1
    ]


def _choice(request: TenantRequest, name: str, value: str, label: str, count: int | None) -> Choice:
    present = request.GET.get(name, "") or ("all" if name == "status" else "")
    return Choice(f"?{_query(request, **{name: value})}", label, count, present == value)


@require_POST
@require_role(Role.CONTRIBUTOR)
def archive(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Put a theme away, or bring it back."""
    theme = get_object_or_404(Theme, pk=theme_id)
    if theme.status == ThemeStatus.ARCHIVED:
        changes.restore_theme(theme=theme, now=timezone.now())
        messages.success(request, _("“%s” is back.") % theme.title)
        return redirect(f"{reverse('insights')}?theme={theme.id}")
    changes.archive_theme(theme=theme, actor=request.principal, now=timezone.now())
    messages.success(request, _("“%s” is archived. It is under Archived, and can be brought back.") % theme.title)
    return redirect("insights")
