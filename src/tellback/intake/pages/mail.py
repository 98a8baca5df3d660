"""Settings, Connections: how mail comes in. Setting it up, proving that it works, seeing what became of what came."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from tellback.connections.mail.oauth import without_access
from tellback.connections.mail.providers import PROVIDERS
from tellback.connections.mail.setup import HOOK_USER, make_hook_password, open_secrets
from tellback.intake.mail.door import hook_address
from tellback.intake.mail.polling import defer_poll
from tellback.intake.mail.selectors import (
    MailConnection,
    find_mail_connection,
    list_mail_connections,
    list_what_came,
)
from tellback.intake.mail.setting_up import (
    Tried,
    change_mail,
    connect_mail,
    keep_signed,
    remove_mail,
    switch_mail,
    try_mailbox,
)
from tellback.intake.mail.trial import can_send, read_trial, start_trial
from tellback.intake.pages.mail_forms import MAILBOX, MailboxForm, ProviderForm
from tellback.kernel.errors import TellbackError
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


@require_safe
@require_role(Role.ADMIN)
def connections(request: TenantRequest) -> HttpResponse:
    """Everything that is connected."""
    found = list_mail_connections(now=timezone.now())
    return render(request, "intake/connections.html", {"tab": "connections", "connections": found})


@require_safe
@require_role(Role.ADMIN)
def choose(request: TenantRequest) -> HttpResponse:
    """Which way mail comes in: a mailbox, or one of the providers."""
    context = {"tab": "connections", "providers": PROVIDERS.values(), "mailbox": MAILBOX}
    return render(request, "intake/choose_connection.html", context)


@require_role(Role.ADMIN)
def connect(request: TenantRequest, by: str) -> HttpResponse:
    """Set up a new connection; a mailbox is opened first, and kept only when that worked."""
    if by == MAILBOX:
        return _connect_mailbox(request)
    provider = PROVIDERS.get(by)
    if provider is None:
        raise Http404
    form = ProviderForm(request.POST or None, provider=provider, setup=None, stored={})
    if request.method == "POST" and form.is_valid():
        secrets = {"user": HOOK_USER, "password": make_hook_password()}
        source = connect_mail(workspace=request.workspace, setup=form.setup(), secrets=secrets, actor=request.principal)
        return redirect("connection", source.id)
    context = {"tab": "connections", "form": form, "provider": provider}
    return render(request, "intake/connect_mail.html", context, status=422 if form.errors else 200)


def _connect_mailbox(request: TenantRequest) -> HttpResponse:
    form = MailboxForm(request.POST or None, setup=None, stored={})
    tried = _try(form, {}) if request.method == "POST" else None
    if tried is not None and "try" not in request.POST:
        source = connect_mail(
            workspace=request.workspace, setup=form.setup(), secrets=tried.secrets, actor=request.principal
        )
        defer_poll(workspace_id=source.workspace_id, source_id=source.id)
        messages.success(request, _("Connected. It is looked into every two minutes."))
        return redirect("connection", source.id)
    return _mailbox_form(request, form, tried, "intake/connect_mail.html", {})


def _mailbox_form(
    request: TenantRequest, form: MailboxForm, tried: Tried | None, template: str, more: dict[str, object]
) -> HttpResponse:
    context = {"tab": "connections", "form": form, "is_mailbox": True, "tried": _found(form, tried), **more}
    if request.headers.get("HX-Request") and "try" in request.POST:
        return _private(render(request, "intake/_mailbox_tried.html", context))
    return _private(render(request, template, context, status=422 if form.errors else 200))


def _try(form: MailboxForm, stored: dict[str, str]) -> Tried | None:
    """What is in the mailbox, or None with what is wrong in the form. Secrets that are not typed are those stored."""
    if not form.is_valid():
        return None
    mailbox = form.setup().mailbox
    assert mailbox is not None
    typed = form.secrets()
    try:
        return try_mailbox(mailbox, secrets={**without_access(stored), **typed}, now=timezone.now())
    except TellbackError as problem:
        form.add_error(None, problem.detail)
        return None


def _found(form: MailboxForm, tried: Tried | None) -> str:
    if tried is None:
        return ""
    count = tried.looked.messages
    held = ngettext("It holds %d mail.", "It holds %d mails.", count) % count
    begins = (
        _("All of them are taken in.")
        if form.cleaned_data["take_existing"]
        else _("What arrives from now on is taken in.")
    )
    return f"{_('Signed in, and the folder opens.')} {held} {begins}"


@require_role(Role.ADMIN)
def connection(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """One connection: its state and what came; saves how it is set up."""
    found = _get(source_id)
    assert found.source.integration is not None
    stored = open_secrets(found.source.integration)
    if found.provider is None:
        return _mailbox(request, found, stored)
    form = ProviderForm(request.POST or None, provider=found.provider, setup=found.setup, stored=stored)
    if request.method == "POST" and form.is_valid():
        change_mail(source=found.source, setup=form.setup(), secrets=form.secrets(), actor=request.principal)
        messages.success(request, _("Saved."))
        return redirect("connection", source_id)
    address = hook_address(provider=found.provider, integration_id=found.source.integration.id, secrets=stored)
    more = {"hook": address, "is_reachable": settings.BASE_URL.startswith("https://"), "form": form}
    return _private(
        render(request, "intake/connection.html", {**_about(found), **more}, status=422 if form.errors else 200)
    )


def _mailbox(request: TenantRequest, found: MailConnection, stored: dict[str, str]) -> HttpResponse:
    form = MailboxForm(request.POST or None, setup=found.setup, stored=stored)
    tried = _try(form, stored) if request.method == "POST" else None
    if tried is not None and "try" not in request.POST:
        change_mail(source=found.source, setup=form.setup(), secrets=tried.secrets, actor=request.principal)
        defer_poll(workspace_id=found.source.workspace_id, source_id=found.source.id)
        messages.success(request, _("Saved."))
        return redirect("connection", found.source.id)
    if tried is not None and found.source.integration and not form.secrets() and form.setup() == found.setup:
        keep_signed(found.source.integration, tried.secrets)
    return _mailbox_form(request, form, tried, "intake/connection.html", _about(found))


def _about(found: MailConnection) -> dict[str, object]:
    return {
        "tab": "connections",
        "found": found,
        "came": list_what_came(found.source),
        "can_send": can_send(),
        "trial": read_trial(source=found.source, now=timezone.now()),
    }


@require_POST
@require_role(Role.ADMIN)
def look_into(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """Open a mailbox as it is set up, say what is in it, and have what is new taken in."""
    found = _get(source_id)
    if found.setup.mailbox is None or found.source.integration is None:
        raise Http404
    try:
        stored = open_secrets(found.source.integration)
        tried = try_mailbox(found.setup.mailbox, secrets=stored, now=timezone.now())
        keep_signed(found.source.integration, tried.secrets)
        defer_poll(workspace_id=found.source.workspace_id, source_id=found.source.id)
        held = ngettext("It opens and holds %d mail.", "It opens and holds %d mails.", tried.looked.messages)
        messages.success(request, f"{held % tried.looked.messages} {_('What is new in it is being taken in.')}")
    except TellbackError as problem:
        messages.error(request, problem.detail)
    return redirect("connection", source_id)


@require_role(Role.ADMIN)
def trial(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """Send a test mail, or see whether it has come back. A mailbox is looked into while one waits for it."""
    found = _get(source_id)
    now, refused = timezone.now(), ""
    if request.method == "POST":
        try:
            start_trial(source=found.source, now=now)
        except TellbackError as problem:
            refused = problem.detail
    last = read_trial(source=found.source, now=now)
    if last.goes_on and found.provider is None and found.source.enabled:
        defer_poll(workspace_id=found.source.workspace_id, source_id=found.source.id)
    if request.headers.get("HX-Request"):
        context = {"found": found, "trial": last, "can_send": can_send(), "refused": refused}
        return render(request, "intake/_mail_test.html", context)
    if refused:
        messages.error(request, refused)
    return redirect("connection", source_id)


@require_POST
@require_role(Role.ADMIN)
def switch(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """Take mail in, or none for now."""
    on = request.POST.get("on") == "yes"
    switch_mail(source=_get(source_id).source, on=on, actor=request.principal)
    messages.success(request, _("Mail comes in again.") if on else _("No mail comes in for now."))
    return redirect("connection", source_id)


@require_POST
@require_role(Role.ADMIN)
def remove(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """Take a connection out."""
    found = _get(source_id)
    remove_mail(source=found.source, actor=request.principal, now=timezone.now())
    messages.success(request, _("“%s” is taken out. What came through it stays.") % found.setup.address)
    return redirect("connections")


def _get(source_id: UUID) -> MailConnection:
    found = find_mail_connection(source_id, now=timezone.now())
    if found is None:
        raise Http404
    return found


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
