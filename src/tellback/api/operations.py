"""What operators' programs read: readiness and metrics. Strangers learn nothing but yes or no."""

from ipaddress import ip_address
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tellback.api.metrics import REGISTRY
from tellback.kernel.errors import Forbidden
from tellback.platform.database import conninfo
from tellback.platform.health import check_readiness
from tellback.platform.loop_config import get_loop_config
from tellback.platform.problems import problem_of
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import find_key_holder

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers. Says nothing about the database."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers, is migrated, and the queues are not far behind; details only to operators."""
    limit = get_loop_config().observability.threshold("queue_lag_seconds", default=300)
    checks = check_readiness(conninfo(), max_lag=limit)
    ready = all(check.ok for check in checks)
    document: dict[str, Any] = {"status": "ok" if ready else "unavailable"}
    if _is_near(request) or (ready and _has_key(request)):
        document["checks"] = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
    return JsonResponse(document, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for programs on this machine and for holders of an API key."""
    if not (_is_near(request) or _has_key(request)):
        refusal = problem_of(Forbidden("Metrics are read on this machine, or with an API key as bearer token."))
        return HttpResponse(refusal.body, status=refusal.status, headers=refusal.headers)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _is_near(request: HttpRequest) -> bool:
    """Whether the request comes from this machine itself, not through a proxy on it."""
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_key(request: HttpRequest) -> bool:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return False
    holder = find_key_holder(secret.strip())
    return holder is not None and holder.kind == KeyKind.SECRET
