"""What every request of the widget passes: which key, from which site, and answers that the page may read."""

import functools
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tellback.kernel.errors import Forbidden, TellbackError, Unauthenticated, Unavailable
from tellback.platform.problems import problem_of
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.origins import allows_origin
from tellback.workspaces.selectors import KeyHolder, find_key_holder
from tellback.workspaces.widget_identity.sessions import read_session


class TooLarge(TellbackError):
    """The body is longer than a request of the widget ever is."""

    code, status, title = "payload-too-large", 413, "The request is too large"


View = Callable[[HttpRequest, Workspace], HttpResponse]


def for_widget(method: str, *more: str) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Answer these methods for pages that carry a widget key, within the key's workspace; refusals are problem+json.

    The page's own origin is named in the answer, never `*`; also on a refusal, so that its developer can read why.
    """
    methods = (method, *more)

    def declare(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204, headers={"Access-Control-Max-Age": "600"})
            elif request.method not in methods:
                response = HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            else:
                response = _answer(request, view)
            return _readable(request, response, methods)

        return answer

    return declare


def _answer(request: HttpRequest, view: View) -> HttpResponse:
    try:
        holder = _holder(request)
        with in_workspace(holder.workspace_id):
            return view(request, Workspace.objects.get())
    except TellbackError as error:
        problem = problem_of(error)
    except DatabaseError:
        problem = problem_of(Unavailable("The database does not answer. Try again in a moment."))
    return HttpResponse(problem.body, status=problem.status, headers=problem.headers)


def _holder(request: HttpRequest) -> KeyHolder:
    holder = find_key_holder(request.headers.get("X-Widget-Key", ""))
    if holder is None or holder.kind != KeyKind.WIDGET:
        raise Unauthenticated("This widget key is not known. See Settings, Widget.")
    origin = request.headers.get("Origin", "")
    if origin and not allows_origin(holder.origins, origin):
        raise Forbidden(
            f"This widget key may not be used on {origin[:200]}. Add the site to the key under Settings, Widget.",
            code="origin-not-allowed",
        )
    return holder


def _readable(request: HttpRequest, response: HttpResponse, methods: tuple[str, ...]) -> HttpResponse:
    response.headers["Vary"] = "Origin, X-Widget-Key, X-Widget-Session"
    response.headers.setdefault("Cache-Control", "no-store")
    if origin := request.headers.get("Origin"):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = "content-type, x-widget-key, x-widget-session"
    return response


def person_of(request: HttpRequest, workspace: Workspace) -> UUID:
    """Who is looking. Raises `Unauthenticated` without a session that holds."""
    return read_session(request.headers.get("X-Widget-Session", ""), workspace_id=workspace.id)
