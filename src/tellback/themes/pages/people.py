"""The people behind the feedback: everybody known, and what one of them said. Here, because it links to themes."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tellback.intake.models import RawItem
from tellback.intake.selectors import count_people, list_people
from tellback.kernel.errors import Conflict, Invalid
from tellback.themes.pages.stream import parse_uuid, rows_of
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.identity import current_person
from tellback.workspaces.merging import find_mergeable, list_merges, merge_principals, suggest_merges, undo_merge
from tellback.workspaces.models import Principal, PrincipalMerge, Role

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
    """One person and what they said, the latest first. Whoever was merged is found under whom they are now."""
    somebody = get_object_or_404(Principal, pk=person_id)
    if somebody.merged_into_id:
        return redirect("person", current_person(somebody).id)
    items = RawItem.objects.filter(principal=somebody).select_related("source", "principal")
    said = items.prefetch_related("signals", "attachments").order_by("-source_created_at", "-id")[:ITEMS]
    search = request.GET.get("same", "").strip()[:100]
    context = {
        "person": somebody,
        "rows": rows_of(list(said)),
        "said": items.count(),
        "merges": list_merges(somebody),
        "suggestions": suggest_merges(somebody) if request.is_admin else [],
        "same": search,
        "found": find_mergeable(somebody, search=search) if request.is_admin and search else [],
    }
    return render(request, "themes/person.html", context)


@require_POST
@require_role(Role.ADMIN)
def merge(request: TenantRequest, person_id: UUID) -> HttpResponse:
    """Say that another person is this one."""
    kept = get_object_or_404(Principal, pk=person_id)
    merged = get_object_or_404(Principal, pk=parse_uuid(request.POST.get("other")))
    assert request.principal
    try:
        merge_principals(kept=kept, merged=merged, actor=request.principal, now=timezone.now())
    except (Conflict, Invalid) as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("%s is the same person now.") % merged)
    return redirect("person", kept.id)


@require_POST
@require_role(Role.ADMIN)
def unmerge(request: TenantRequest, merge_id: UUID) -> HttpResponse:
    """Make two people of one again."""
    held = get_object_or_404(PrincipalMerge.objects.select_related("merged"), pk=merge_id)
    assert request.principal
    try:
        undo_merge(merge=held, actor=request.principal, now=timezone.now())
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("They are two people again."))
    return redirect("person", held.kept_id)
