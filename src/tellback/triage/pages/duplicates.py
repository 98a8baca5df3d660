"""What people do with feedback that may repeat an earlier one: mark it, tell the two apart, take that back."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict, Invalid
from tellback.themes.pages.stream import rows_of
from tellback.triage import duplicates
from tellback.triage.models import DuplicateSuggestion
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


@require_POST
@require_role(Role.CONTRIBUTOR)
def confirm(request: TenantRequest, suggestion_id: UUID) -> HttpResponse:
    """Mark it as a duplicate."""
    assert request.principal
    actor = request.principal
    return _decided(
        request,
        suggestion_id,
        lambda one: duplicates.confirm_duplicate(suggestion=one, actor=actor, now=timezone.now()),
        _("Marked as a duplicate. Whoever asked is counted at the earlier one."),
    )


@require_POST
@require_role(Role.CONTRIBUTOR)
def dismiss(request: TenantRequest, suggestion_id: UUID) -> HttpResponse:
    """Say that the two are not the same."""
    assert request.principal
    actor = request.principal
    return _decided(
        request,
        suggestion_id,
        lambda one: duplicates.dismiss_duplicate(suggestion=one, actor=actor, now=timezone.now()),
        _("Noted. The two are not suggested again."),
    )


@require_POST
@require_role(Role.CONTRIBUTOR)
def undo(request: TenantRequest, suggestion_id: UUID) -> HttpResponse:
    """Take a decision back."""
    assert request.principal
    actor = request.principal
    return _decided(
        request,
        suggestion_id,
        lambda one: duplicates.undo_decision(suggestion=one, actor=actor, now=timezone.now()),
        _("Taken back."),
    )


def _decided(
    request: TenantRequest, suggestion_id: UUID, decide: Callable[[DuplicateSuggestion], object], words: str
) -> HttpResponse:
    suggestion = get_object_or_404(DuplicateSuggestion, pk=suggestion_id)
    is_part = request.headers.get("HX-Request") == "true"
    try:
        decide(suggestion)
    except (Conflict, Invalid) as refusal:
        messages.error(request, refusal.detail)
    else:
        if is_part:
            item = RawItem.objects.select_related("source", "principal").get(pk=suggestion.raw_item_id)
            return render(request, "themes/_item.html", {"row": rows_of([item])[0]})
        messages.success(request, words)
    back = request.POST.get("next", "")
    safe = back and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    target = redirect(back if safe else "raw-item", *([] if safe else [suggestion.raw_item_id]))
    return HttpResponse(status=204, headers={"HX-Redirect": target["Location"]}) if is_part else target
