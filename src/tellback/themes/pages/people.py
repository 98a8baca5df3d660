"""The people behind the feedback: everybody known, and what one of them said. Here, because it links to themes."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode

from tellback.intake.models import RawItem
from tellback.intake.selectors import count_people, list_people
from tellback.themes.pages.stream import parse_uuid, rows_of
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Principal, Role

ITEMS = 50


@require_role(Role.CONTRIBUTOR)
def people(request: TenantRequest) -> HttpResponse:
    """Everybody known, newest first, with how much they said."""
    search = request.GET.get("search", "").strip()[:100]
    rows, following = list_people(search=search, before=parse_uuid(request.GET.get("before")))
    kept = {"search": search} if search else {}
    context = {
        "rows": rows,
        "search": search,
        "total": count_people(search),
        "next": urlencode({**kept, "before": str(following)}) if following else "",
    }
    return render(request, "themes/people.html", context)


@require_role(Role.CONTRIBUTOR)
def person(request: TenantRequest, person_id: UUID) -> HttpResponse:
    """One person and what they said, the latest first."""
    somebody = get_object_or_404(Principal, pk=person_id)
    items = RawItem.objects.filter(principal=somebody).select_related("source", "principal")
    said = items.prefetch_related("signals", "attachments").order_by("-source_created_at", "-id")[:ITEMS]
    context = {"person": somebody, "rows": rows_of(list(said)), "said": items.count()}
    return render(request, "themes/person.html", context)
