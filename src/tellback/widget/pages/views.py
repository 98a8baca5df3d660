"""The widget's settings: installing it, its sites, its look with a live preview, and who signs for identities."""

import json
from uuid import UUID

from django.conf import settings as conf
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tellback.intake.attachments.storage import MEGABYTE, widget_bytes
from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.loop_config import get_loop_config
from tellback.web.security import POLICY
from tellback.widget.options import WidgetOptions, read_options, sent_options
from tellback.widget.pages.forms import AppearanceForm, KeyForm, OriginsForm, SigningKeyForm, appearance_form
from tellback.widget.selectors import forget_loader_options
from tellback.widget.services import save_options
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import ApiKey, KeyKind, Role, WidgetKeyAlgorithm, WidgetSigningKey
from tellback.workspaces.services import issue_key, record_audit, set_origins
from tellback.workspaces.widget_identity.keys import SLOTS, issue_signing_key, revoke_signing_key


@require_role(Role.ADMIN)
def settings(request: TenantRequest) -> HttpResponse:
    """Everything about the widget; saves its look."""
    if request.method != "POST":
        return _page(request, {}, status=200)
    form = appearance_form(request.POST, _options(request))
    if not form.is_valid():
        return _page(request, {"form": form}, status=422)
    save_options(workspace=request.workspace, options=form.options())
    forget_loader_options()
    _record(request, "widget.changed", request.workspace.public_id, {})
    messages.success(request, _("Saved. Pages follow within five minutes."))
    return redirect("settings-widget")


def _page(request: TenantRequest, changes: dict[str, object], *, status: int) -> HttpResponse:
    options = _options(request)
    keys = list(ApiKey.objects.filter(kind=KeyKind.WIDGET, revoked_at=None).order_by("created_at"))
    context = {
        "tab": "widget",
        "form": appearance_form(None, options),
        "keys": [(key, snippet(key), OriginsForm(initial={"origins": "\n".join(key.origins)})) for key in keys],
        "key_form": KeyForm(),
        "signing_keys": WidgetSigningKey.objects.filter(revoked_at=None).order_by("created_at"),
        "signing_form": SigningKeyForm(initial={"algorithm": WidgetKeyAlgorithm.HS256}),
        "most_signing_keys": len(SLOTS),
        "audience": request.workspace.public_id,
        "script_origin": conf.BASE_URL,
        "stored": widget_bytes(),
        "most_stored": get_loop_config().ingestion.widget_storage_mb * MEGABYTE,
        **changes,
    }
    return render(request, "widget/settings.html", context, status=status)


def snippet(key: ApiKey) -> str:
    """The line that goes into a page, or nothing for a key of before keys were kept."""
    if not key.public_key:
        return ""
    return f'<script async src="{conf.BASE_URL}/widget.js?key={key.public_key}"></script>'


def _options(request: TenantRequest) -> WidgetOptions:
    return read_options(request.workspace.settings.get("widget"))


@require_POST
@require_role(Role.ADMIN)
def create_key(request: TenantRequest) -> HttpResponse:
    """Make another widget key."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _page(request, {"key_form": form}, status=422)
    issued = issue_key(
        workspace=request.workspace,
        kind=KeyKind.WIDGET,
        name=form.cleaned_data["name"],
        created_by=request.principal,
    )
    _record(request, "key.created", issued.api_key.public_id, {"name": issued.api_key.name})
    messages.success(request, _("“%s” is ready.") % issued.api_key.name)
    return redirect("settings-widget")


@require_POST
@require_role(Role.ADMIN)
def save_origins(request: TenantRequest, key_id: UUID) -> HttpResponse:
    """Say on which sites a key may be used."""
    key = get_object_or_404(ApiKey, pk=key_id, kind=KeyKind.WIDGET, revoked_at=None)
    form = OriginsForm(request.POST)
    if not form.is_valid():
        return _page(request, {"wrong_key": key.id, "origins_form": form}, status=422)
    set_origins(api_key=key, origins=form.cleaned_data["origins"])
    _record(request, "key.sites", key.public_id, {"origins": key.origins})
    messages.success(request, _("Saved. It holds everywhere within five seconds."))
    return redirect("settings-widget")


@require_POST
@require_role(Role.ADMIN)
def create_signing_key(request: TenantRequest) -> HttpResponse:
    """Make a signing key; a secret is shown once."""
    form = SigningKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, {"signing_form": form}, status=422)
    try:
        issued = issue_signing_key(
            workspace=request.workspace,
            name=form.cleaned_data["name"],
            algorithm=WidgetKeyAlgorithm(form.cleaned_data["algorithm"]),
            public_key=form.cleaned_data["public_key"],
            created_by=request.principal,
        )
    except Invalid as error:
        form.add_error("public_key", error.detail)
        return _page(request, {"signing_form": form}, status=422)
    except Conflict as error:
        form.add_error(None, error.detail)
        return _page(request, {"signing_form": form}, status=422)
    _record(request, "signing-key.created", issued.signing_key.public_id, {"algorithm": issued.signing_key.algorithm})
    return _page(request, {"issued": issued}, status=201)


@require_POST
@require_role(Role.ADMIN)
def end_signing_key(request: TenantRequest, key_id: UUID) -> HttpResponse:
    """Accept no more tokens of a key."""
    key = get_object_or_404(WidgetSigningKey, pk=key_id)
    revoke_signing_key(signing_key=key, now=timezone.now())
    _record(request, "signing-key.revoked", key.public_id, {})
    messages.success(request, _("Tokens of this key are not accepted any more."))
    return redirect("settings-widget")


@require_safe
@require_role(Role.ADMIN)
def preview(request: TenantRequest) -> HttpResponse:
    """The real widget on an empty page, with the options of the address; it sends nothing."""
    form = AppearanceForm(request.GET)
    options = form.options() if form.is_valid() else _options(request)
    response = render(request, "widget/preview.html", {"options": json.dumps(sent_options(options))})
    response.headers["Content-Security-Policy"] = policy_with_widget().replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    return response


def policy_with_widget() -> str:
    """Our pages' policy, with the two directives that a page with the widget needs."""
    return POLICY.replace("script-src 'self'", f"script-src 'self' {conf.BASE_URL}").replace(
        "connect-src 'self'", f"connect-src 'self' {conf.BASE_URL}"
    )


def _record(request: TenantRequest, action: str, subject: str, details: dict[str, object]) -> None:
    record_audit(workspace=request.workspace, actor=request.principal, action=action, subject=subject, details=details)
