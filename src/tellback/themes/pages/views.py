"""The insights page: what people ask for, with their words."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tellback.themes import selectors, services
from tellback.themes.models import Theme, ThemeStatus
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

QUOTES = 8
FILTERS = ("status", "source", "urgency", "days", "plan", "search", "sort")


@require_role(Role.CONTRIBUTOR)
def insights(request: TenantRequest) -> HttpResponse:
    """Filters, themes and one theme's detail; the address holds all of it."""
    now = timezone.now()
    wanted = read_filter(request)
    rows = selectors.list_themes(wanted, now=now)
    chosen = _chosen_theme(request, rows)
    count = _number(request.GET.get("quotes"), QUOTES)
    context = {
        "tab": "insights",
        "filter": wanted,
        "rows": rows,
        "facets": selectors.get_facets(),
        "detail": selectors.get_theme_detail(chosen, quotes=count, now=now) if chosen else None,
        "chosen": chosen,
        "is_chosen": "theme" in request.GET,
        "more": count + 20,
        "query": _query(request),
        "choices": _choices(request),
        "sorts": [("strength", _("Strength")), ("recent", _("Latest")), ("people", _("People")), ("new", _("Newest"))],
    }
    partial = request.headers.get("HX-Target") == "theme-detail"
    return render(request, "themes/_detail.html" if partial else "themes/insights.html", context)


def _chosen_theme(request: TenantRequest, rows: list[selectors.ThemeRow]) -> Theme | None:
    wanted = request.GET.get("theme", "")
    if wanted:
        return get_object_or_404(Theme, pk=_uuid(wanted))
    return rows[0].theme if rows else None


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
        source=get("source", ""),
        urgency=get("urgency", ""),
        days=_number(get("days"), 0),
        plan=get("plan", ""),
        search=get("search", "").strip()[:100],
        sort=get("sort", "strength"),
    )


def _number(text: str | None, default: int) -> int:
    return min(int(text), 1000) if text and text.isdigit() else default


def _query(request: TenantRequest, **changes: str) -> str:
    kept = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    return urlencode({name: value for name, value in {**kept, **changes}.items() if value})


def _choices(request: TenantRequest) -> dict[str, list[tuple[str, str, int | None, str, bool]]]:
    """Each filter's choices as links: value, label, count, address, whether it is the present one."""
    facets = selectors.get_facets()
    groups: dict[str, list[tuple[str, str, int | None]]] = {
        "status": [(value, label, count) for value, label, count in facets.statuses],
        "source": [("", _("All sources"), None), *((name, name.capitalize(), count) for name, count in facets.sources)],
        "urgency": [("", _("Any urgency"), None), *facets.urgencies],
        "days": [("", _("All time"), None), *((str(days), _("%d days") % days, None) for days in (7, 30, 90))],
        "plan": [("", _("All plans"), None), *((name, name.capitalize(), count) for name, count in facets.plans)],
    }
    defaults = {"status": "all"}
    return {
        name: [
            (
                value,
                label,
                count,
                _query(request, **{name: value}),
                request.GET.get(name, defaults.get(name, "")) == value,
            )
            for value, label, count in choices
        ]
        for name, choices in groups.items()
        if len(choices) > 1
    }


@require_POST
@require_role(Role.CONTRIBUTOR)
def archive(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Put a theme away, or bring it back."""
    theme = get_object_or_404(Theme, pk=theme_id)
    if theme.status == ThemeStatus.ARCHIVED:
        services.restore_theme(theme=theme, now=timezone.now())
        messages.success(request, _("“%s” is back.") % theme.title)
        return redirect(f"/admin/feedback/insights?theme={theme.id}")
    services.archive_theme(theme=theme, now=timezone.now())
    messages.success(request, _("“%s” is archived. It is under Archived, and can be brought back.") % theme.title)
    return redirect("/admin/feedback/insights")
