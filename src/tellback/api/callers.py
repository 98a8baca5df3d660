"""Who calls the API: the holder of an API key, a page with a widget key, or somebody without any.

Each request is counted once against the limit of whoever calls, and the answer says what is left of it.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from tellback.kernel.errors import Forbidden, NotFound, Unauthenticated
from tellback.platform.loop_config import get_loop_config
from tellback.platform.rate_limits import take
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.identity import get_key_principal
from tellback.workspaces.models import ApiKey, KeyKind, Principal, Workspace
from tellback.workspaces.origins import allows_origin
from tellback.workspaces.preferences import takes_anonymous
from tellback.workspaces.selectors import KeyHolder, find_key_holder, get_workspace_id
from tellback.workspaces.widget_identity.sessions import read_session

#: What one address may send without a key in a minute.
ANONYMOUS_PER_MINUTE = 20
_NOTED_AT_MOST = timedelta(minutes=1)


class CallerKind(StrEnum):
    """What a caller has shown."""

    TEAM = "team"
    PAGE = "page"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and in which workspace. `visitor` is the person whom a widget session vouches for.

    `address` is that of somebody without a key, as it is counted.
    """

    workspace_id: UUID
    kind: CallerKind
    key_id: UUID | None = None
    visitor: UUID | None = None
    address: str = ""

    @property
    def scope(self) -> str:
        """Within what an idempotency key of this caller is looked for: nobody gets another's answer by guessing it."""
        return str(self.key_id) if self.key_id else f"anonymous:{self.address}"

    def acting(self) -> Principal:
        """Who acts through the key, within its workspace. Raises `Unauthenticated` without one."""
        if self.key_id is None:
            raise Unauthenticated("This needs an API key.")
        return get_key_principal(ApiKey.objects.select_related("created_by").get(pk=self.key_id))


class _Callers(HttpBearer):
    """Looks at the key of a request, wherever the intake door would look for it too."""

    may_be: frozenset[CallerKind] = frozenset({CallerKind.TEAM})

    def __call__(self, request: HttpRequest) -> Caller:
        """Who calls. Raises `Unauthenticated`, `Forbidden` for a key that may not do this, `TooMany`."""
        secret = _key_in(request)
        caller = self.authenticate(request, secret) if secret else _nobody(request, self.may_be)
        if caller.kind not in self.may_be:
            raise Forbidden("A widget key only sends feedback. This needs an API key (tb_…), kept on your server.")
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """The caller with this key."""
        holder = find_key_holder(token)
        if holder is None:
            raise Unauthenticated("This key is not known. Make one under Settings, or with: tellback key create")
        caller = _caller_with(holder, request)
        limit = holder.rate_limit or get_loop_config().ingestion.rate_limit
        _count(request, caller, f"key:{holder.key_id}", limit)
        _note_use(holder, timezone.now())
        return caller


class TeamOnly(_Callers):
    """An API key: what the team does."""


class Visitors(_Callers):
    """An API key, or a widget key."""

    may_be = frozenset({CallerKind.TEAM, CallerKind.PAGE})


class Anybody(_Callers):
    """Also without any key, where the workspace allows it."""

    may_be = frozenset(CallerKind)


def caller_of(request: HttpRequest) -> Caller:
    """Who was let in."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def allowance_headers(request: HttpRequest) -> dict[str, str]:
    """What is left to the caller, once they were counted."""
    found: dict[str, str] = getattr(request, "_allowance", {})
    return found


def _key_in(request: HttpRequest) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    return request.headers.get("X-Api-Key") or request.headers.get("X-Widget-Key") or ""


def _caller_with(holder: KeyHolder, request: HttpRequest) -> Caller:
    if holder.kind == KeyKind.SECRET:
        return Caller(holder.workspace_id, CallerKind.TEAM, holder.key_id)
    origin = request.headers.get("Origin", "")
    if origin and not allows_origin(holder.origins, origin):
        raise Forbidden(
            f"This widget key may not be used on {origin[:200]}. Add the site to the key under Settings, Widget.",
            code="origin-not-allowed",
        )
    caller = Caller(holder.workspace_id, CallerKind.PAGE, holder.key_id)
    session = request.headers.get("X-Widget-Session", "")
    return replace(caller, visitor=read_session(session, workspace_id=holder.workspace_id)) if session else caller


def _nobody(request: HttpRequest, may_be: frozenset[CallerKind]) -> Caller:
    if CallerKind.NOBODY not in may_be:
        raise Unauthenticated("Send an API key in the header Authorization: Bearer tb_…")
    workspace_id = _workspace_named(request.GET.get("workspace", ""))
    with in_workspace(workspace_id):
        is_taken = takes_anonymous(Workspace.objects.get().settings)
    if not is_taken:
        raise Unauthenticated(
            "This workspace takes no feedback without a key. Send one in the header Authorization: Bearer …",
            code="anonymous-not-allowed",
        )
    caller = Caller(workspace_id, CallerKind.NOBODY, address=_digest(request.META.get("REMOTE_ADDR", "")))
    _count(request, caller, f"address:{caller.address}", ANONYMOUS_PER_MINUTE)
    return caller


def _workspace_named(slug: str) -> UUID:
    """The workspace of an anonymous caller: the one they name, else the first."""
    if not slug:
        known = list_workspace_ids()
        if not known:
            raise NotFound("There is no workspace yet. Run: tellback up")
        return known[0]
    if not slug.isprintable():
        raise NotFound("There is no workspace with this name.")
    try:
        return get_workspace_id(slug)
    except NotFound:
        raise NotFound(f"There is no workspace “{slug[:63]}”.") from None


def _digest(address: str) -> str:
    """An address as it is counted: nobody's address is stored."""
    return hmac.digest(settings.SECRET_KEY.encode(), address.encode("utf-8", "replace"), "sha256").hex()[:32]


def _count(request: HttpRequest, caller: Caller, subject: str, limit: int) -> None:
    allowance = take(workspace_id=caller.workspace_id, subject=subject, per_minute=limit)
    held: Any = request
    held._allowance = allowance.headers


def _note_use(holder: KeyHolder, now: datetime) -> None:
    with in_workspace(holder.workspace_id):
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _NOTED_AT_MOST)
        ApiKey.objects.filter(stale, pk=holder.key_id).update(last_used_at=now)
