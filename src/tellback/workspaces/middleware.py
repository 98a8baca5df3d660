"""Which workspace a request is for, and who asks. The whole view runs inside that workspace's transaction."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from tellback.kernel.errors import NotFound, TellbackError
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.access import TenantRequest, has_role
from tellback.workspaces.models import Principal, Role, Workspace
from tellback.workspaces.selectors import list_memberships

#: Answered without a workspace.
EXEMPT = ("/livez", "/readyz", "/metrics", "/static/")
SESSION_KEY = "workspace_id"


class WorkspaceMiddleware:
    """Finds the workspace and wraps the view in one transaction, which an error rolls back and a page explains."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Hand on; the work is in `process_view`, where the view is known."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], arguments: Any, keywords: Any
    ) -> HttpResponseBase | None:
        """Run the view within its workspace."""
        if request.path.startswith(EXEMPT):
            return None
        tenant = cast(TenantRequest, request)
        try:
            with in_workspace(find_workspace(request)):
                _introduce(tenant)
                return view(request, *arguments, **keywords)
        except TellbackError as error:
            return render(request, "error.html", {"error": error}, status=error.status)


def _introduce(request: TenantRequest) -> None:
    request.workspace = Workspace.objects.get()
    request.principal = (
        Principal.objects.filter(user_id=request.user.pk).first() if request.user.is_authenticated else None
    )
    request.is_team = has_role(request.principal, Role.CONTRIBUTOR)


def find_workspace(request: HttpRequest) -> UUID:
    """The workspace that a signed-in person chose or belongs to, else the first one. Raises `NotFound` without any."""
    if request.user.is_authenticated:
        memberships = {membership.workspace_id for membership in list_memberships(request.user)}
        chosen = request.session.get(SESSION_KEY)
        if chosen and UUID(chosen) in memberships:
            return UUID(chosen)
        if memberships:
            return min(memberships)
    known = list_workspace_ids()
    if not known:
        raise NotFound("There is no workspace yet. Run: tellback up")
    return known[0]
