"""The sources page: what comes in from where, and whether the queues keep up."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tellback.intake.selectors import get_pipeline_figures, list_queue_depths, list_sources
from tellback.intake.services import add_source
from tellback.kernel.errors import Invalid
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


@require_role(Role.CONTRIBUTOR)
def sources(request: TenantRequest) -> HttpResponse:
    """Every source with its health, and each queue's depth."""
    now = timezone.now()
    context = {
        "tab": "sources",
        "sources": list_sources(now=now),
        "figures": get_pipeline_figures(now=now),
        "queues": list_queue_depths(),
    }
    return render(request, "intake/sources.html", context)


@require_POST
@require_role(Role.ADMIN)
def new_source(request: TenantRequest) -> HttpResponse:
    """Add a source that servers' keys may name."""
    try:
        source = add_source(workspace=request.workspace, name=request.POST.get("name", ""))
    except Invalid as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("Added. Send feedback with “source”: “%s”.") % source.name)
    return redirect("sources")
