"""The search page: a question, what it is narrowed to, and what was found. All of it is in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tellback.boards.models import Board
from tellback.insights.models import Kind
from tellback.insights.results import search
from tellback.insights.selectors import LONGEST_QUERY, MOST, SearchFilter, is_literal
from tellback.intake.models import FeedbackSource
from tellback.themes.selectors import source_label
from tellback.understanding.models import Sentiment, SignalType, Urgency
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Principal, Role

PAGE = 25
KINDS = [
    ("", gettext_lazy("Everything")),
    (Kind.FEEDBACK, gettext_lazy("Feedback")),
    (Kind.SIGNAL, gettext_lazy("Needs")),
    (Kind.THEME, gettext_lazy("Themes")),
    (Kind.POST, gettext_lazy("Posts")),
]
NARROWED_BY = ("source", "type", "board", "sentiment", "urgency", "plan", "days")


@dataclass(frozen=True, slots=True)
class Choices:
    """One thing to narrow by: its name in the address, and its values with their words."""

    name: str
    label: str
    chosen: str
    values: Sequence[tuple[str, str]]


@require_role(Role.CONTRIBUTOR)
def search_page(request: TenantRequest) -> HttpResponse:
    """One search over feedback, needs, themes and posts."""
    get = request.GET.get
    query = get("q", "").strip()[:LONGEST_QUERY]
    kind = get("kind", "") if get("kind", "") in Kind.values else ""
    limit = MOST if get("more") else PAGE
    wanted = _wanted(request, kind)
    results = search(workspace_id=request.workspace.id, query=query, wanted=wanted, limit=limit) if query else None
    kept = {name: get(name, "") for name in ("q", "kind", *NARROWED_BY) if get(name)}
    context = {
        "query": query,
        "kind": kind,
        "results": results,
        "is_literal": is_literal(query),
        "is_narrow": wanted.is_narrow,
        "more": urlencode({**kept, "more": "1"}) if results and len(results.found) == PAGE < results.count else "",
        "wider": urlencode({name: value for name, value in kept.items() if name in {"q", "kind"}}),
        "kinds": [(value, label, urlencode({**kept, "kind": value})) for value, label in KINDS],
    }
    if request.headers.get("HX-Target") == "results":
        return render(request, "insights/_results.html", context)
    return render(request, "insights/search.html", {**context, "groups": _groups(request)})


def _wanted(request: TenantRequest, kind: str) -> SearchFilter:
    get = request.GET.get
    days = get("days", "")
    age = timedelta(days=int(days)) if days.isdecimal() and len(days) < 5 else None
    return SearchFilter(
        kinds=(kind,) if kind else (),
        source=get("source", ""),
        type=get("type", ""),
        board=_id(get("board", "")),
        sentiment=get("sentiment", ""),
        urgency=get("urgency", ""),
        plan=get("plan", ""),
        since=timezone.now() - age if age else None,
    )


def _id(text: str) -> str:
    """An id as entries hold it; what is none fits nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _groups(request: TenantRequest) -> list[Choices]:
    """What there is to narrow by; where there is only one value, nothing."""
    sources = FeedbackSource.objects.order_by("source_type").values_list("source_type", flat=True).distinct()
    plans = Principal.objects.exclude(plan="").order_by("plan").values_list("plan", flat=True).distinct()
    boards = Board.objects.order_by("position", "name").values_list("id", "name")
    days = [(str(number), _("Last %d days") % number) for number in (7, 30, 90)]
    groups = [
        ("source", _("Any source"), [(one, source_label(one)) for one in sources]),
        ("type", _("Any type"), [(str(value), str(label)) for value, label in SignalType.choices]),
        ("board", _("Any board"), [(str(id), name) for id, name in boards]),
        ("sentiment", _("Any feeling"), [(str(value), str(label)) for value, label in Sentiment.choices]),
        ("urgency", _("Any urgency"), [(str(value), str(label)) for value, label in Urgency.choices]),
        ("plan", _("Any plan"), [(plan, plan.capitalize()) for plan in plans[:50]]),
        ("days", _("Any time"), days),
    ]
    return [
        Choices(name, label, request.GET.get(name, ""), values)
        for name, label, values in groups
        if len(values) > 1 or request.GET.get(name)
    ]
