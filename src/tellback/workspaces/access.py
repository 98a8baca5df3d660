"""Who may open a page."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from tellback.workspaces.models import Principal, Role, Workspace

RANK = {Role.USER: 0, Role.CONTRIBUTOR: 1, Role.ADMIN: 2, Role.OWNER: 3}
View = Callable[..., HttpResponseBase]


class TenantRequest(HttpRequest):
    """A request as the middleware hands it on: with its workspace, and who is asking."""

    workspace: Workspace
    principal: Principal | None
    is_team: bool
    is_admin: bool


def has_role(principal: Principal | None, wanted: Role) -> bool:
    """Whether somebody has at least this role."""
    return principal is not None and RANK[Role(principal.role)] >= RANK[wanted]


def require_role(wanted: Role) -> Callable[[View], View]:
    """Let in who has at least this role; send strangers to sign in, and refuse the others with a page that says so.

    The guarded view carries the role as `required_role`, which the test of all addresses reads.
    """

    def declare(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: TenantRequest, *arguments: Any, **keywords: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not has_role(request.principal, wanted):
                raise PermissionDenied
            return view(request, *arguments, **keywords)

        guarded.required_role = wanted  # type: ignore[attr-defined]
        return guarded

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back again; the whole page goes there, also when only a part of it asked."""
    sign_in = reverse("account_login")
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path(), sign_in)
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = shown.path + (f"?{shown.query}" if shown.query else "")
    target = redirect_to_login(back or request.get_full_path(), sign_in)
    return HttpResponse(status=204, headers={"HX-Redirect": target["Location"]})
