"""The loader, its chunks, and what they ask for: who somebody is, and what shipped for them."""

import hashlib
from dataclasses import asdict
from typing import TypeVar

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import BaseModel, ConfigDict, ValidationError

from tellback.kernel.errors import FieldError, Invalid, said_plainly
from tellback.kernel.ids import parse_id
from tellback.loop.models import Notification
from tellback.widget import assets
from tellback.widget.door import TooLarge, for_widget, person_of
from tellback.widget.selectors import find_loader_options, list_notices
from tellback.widget.services import mark_seen
from tellback.workspaces.models import Workspace
from tellback.workspaces.widget_identity.services import identify, verify_widget_token
from tellback.workspaces.widget_identity.sessions import LASTS, issue_session

SHORT = "public, max-age=300, stale-while-revalidate=86400"
FOR_EVER = "public, max-age=31536000, immutable"
MOMENT = "public, max-age=60"
UNKNOWN = 'console.warn("Tellback: the widget key in the address of widget.js is not known. See Settings, Widget.");\n'
MAX_BODY = 16_384


@require_safe
def loader(request: HttpRequest) -> HttpResponse:
    """`/widget.js?key=pk_…` with that key's options in it; without a key, a loader that waits for `init`."""
    key = request.GET.get("key", "")
    options = find_loader_options(key) if key else {}
    if options is None:
        return _script(request, assets.script(UNKNOWN), cache=MOMENT)
    return _script(request, assets.loader(base_url=settings.BASE_URL, options=options), cache=SHORT)


@require_safe
def chunk(request: HttpRequest, version: str, name: str) -> HttpResponse:
    """A part of the widget. A page that still holds an older loader gets what there is now, but not to keep."""
    asset = assets.chunks().get(name)
    if asset is None:
        raise Http404
    return _script(request, asset, cache=FOR_EVER if version == assets.version() else MOMENT)


def _script(request: HttpRequest, asset: assets.Asset, *, cache: str) -> HttpResponse:
    headers = {
        "Cache-Control": cache,
        "ETag": asset.etag,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if asset.etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304, headers=headers)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(asset.zipped, headers={**headers, "Content-Encoding": "gzip"})
    else:
        response = HttpResponse(asset.plain, headers=headers)
    response.headers["Content-Type"] = "text/javascript; charset=utf-8"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class IdentityIn(_Body):
    """A token that the customer's server signed."""

    token: str


class SeenIn(_Body):
    """The newest notice that was shown."""

    through: str


Body = TypeVar("Body", bound=_Body)


def _read(request: HttpRequest, model: type[Body]) -> Body:
    raw = request.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise TooLarge(f"A request may have {MAX_BODY} bytes.")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [
            FieldError("/" + "/".join(str(part) for part in one["loc"]), said_plainly(one["type"], one["msg"]))
            for one in found
        ]
        raise Invalid("The request is not valid; see errors for each field.", errors=errors) from None


@for_widget("POST")
def identity(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Exchange a signed token for a session of an hour."""
    token = _read(request, IdentityIn).token
    verified = verify_widget_token(token=token, workspace=workspace, now=timezone.now())
    person = identify(identity=verified, workspace=workspace)
    return _json(
        {
            "session": issue_session(workspace_id=workspace.id, principal_id=person.id),
            "lasts": int(LASTS.total_seconds()),
            "name": verified.name or verified.email,
        }
    )


@for_widget("GET", "POST")
def notices(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What shipped for somebody; told as seen by POST. Asked again with its entity tag, it answers 304."""
    person = person_of(request, workspace)
    if request.method == "POST":
        through = parse_id(Notification.id_prefix, _read(request, SeenIn).through)
        mark_seen(principal_id=person, through=through, now=timezone.now())
        return HttpResponse(status=204)
    response = _json({"notices": [asdict(notice) for notice in list_notices(person)]})
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:20]}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _json(document: dict[str, object]) -> HttpResponse:
    return HttpResponse(orjson.dumps(document), content_type="application/json")
