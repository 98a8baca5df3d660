"""Which workspace a request is for, and who asks. The whole view runs inside that workspace's transaction."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.utils.cache import patch_vary_headers

from tellback.kernel.errors import NotFound, TellbackError
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.access import TenantRequest, has_role
from tellback.workspaces.models import Principal, Role, Workspace
from tellback.workspaces.selectors import list_memberships

#: Answered without a workspace, or with the one that a key names.
EXEMPT = ("/livez", "/readyz", "/metrics", "/static/", "/api/", "/schemas/", "/widget.js", "/widget/", "/hooks/")
SESSION_KEY = "workspace_id"


class _Undone(Exception):
    """Leaves the transaction so that it is rolled back, and carries the answer out of it."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__(response.status_code)
        self.response = response


class WorkspaceMiddleware:
    """Finds the workspace and wraps the view in one transaction, which an error rolls back and a page explains."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Hand on; the work is in `process_view`, where the view is known."""
        response = self.get_response(request)
        _keep_private(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], arguments: Any, keywords: Any
    ) -> HttpResponseBase | None:
        """Run the view within its workspace; whatever it wrote is undone when it fails or answers with a 5xx."""
        if request.path.startswith(EXEMPT):
            return None
        tenant = cast(TenantRequest, request)
        try:
            with in_workspace(find_workspace(request)):
                _introduce(tenant)
                response = view(request, *arguments, **keywords)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
                if response.status_code >= 500:
                    raise _Undone(response)
                return response
        except _Undone as undone:
            return undone.response
        except TellbackError as error:
            return render(request, "error.html", {"error": error}, status=error.status)


def _introduce(request: TenantRequest) -> None:
    request.workspace = Workspace.objects.get()
    request.principal = (
        Principal.objects.filter(user_id=request.user.pk).first() if request.user.is_authenticated else None
    )
    request.is_team = has_role(request.principal, Role.CONTRIBUTOR)
    request.is_admin = has_role(request.principal, Role.ADMIN)


def _keep_private(request: HttpRequest, response: HttpResponseBase) -> None:
    """A part of a page and the page share an address, and what a member sees is nobody else's: caches must know."""
    patch_vary_headers(response, ["HX-Target", "HX-Request"])
    if getattr(request, "principal", None) is not None:
        response.headers.setdefault("Cache-Control", "private, no-cache")


def find_workspace(request: HttpRequest) -> UUID:
    """The workspace that a signed-in person chose or belongs to, else the first one. Raises `NotFound` without any."""
    if request.user.is_authenticated:
        memberships = {membership.workspace_id for membership in list_memberships(request.user)}
        chosen = _chosen(request)
        if chosen in memberships:
            return chosen
        if memberships:
            return min(memberships)
    known = list_workspace_ids()
    if not known:
        raise NotFound("There is no workspace yet. Run: tellback up")
    return known[0]


def _chosen(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.session.get(SESSION_KEY) or "")
    except ValueError:
        return None


def choose_workspace(request: HttpRequest, workspace_id: UUID) -> None:
    """Remember for this session which of a person's workspaces they work in. Raises `NotFound` if it is not theirs."""
    if not request.user.is_authenticated or workspace_id not in {
        membership.workspace_id for membership in list_memberships(request.user)
    }:
        raise NotFound("This workspace is not one of yours.")
    request.session[SESSION_KEY] = str(workspace_id)
