"""The sources page: what comes in from where, and whether the queues keep up."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from tellback.intake.selectors import get_pipeline_figures, list_queue_depths, list_sources
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
