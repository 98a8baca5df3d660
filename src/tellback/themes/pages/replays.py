"""Settings, AI, read again: starts a replay, shows what it would change, adopts or discards it."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tellback.kernel.errors import TellbackError
from tellback.platform.jobs import Queue, defer_once
from tellback.themes.models import ReplayState
from tellback.themes.replay import services
from tellback.themes.replay.report import head, list_new_themes, list_titles
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


class ReplayForm(forms.Form):
    """Who is to read it again, and how much of it."""

    engine = forms.ChoiceField(
        label=gettext_lazy("Read again"),
        choices=[("local", gettext_lazy("On this machine")), ("openai", gettext_lazy("By a language model"))],
    )
    since = forms.DateTimeField(
        label=gettext_lazy("What arrived since"),
        required=False,
        help_text=gettext_lazy("Leave it empty for everything."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.ADMIN)
def replay(request: TenantRequest) -> HttpResponse:
    """How far it is and what it would change; starts one where none is under way."""
    if request.method != "POST":
        return _page(request, ReplayForm(), status=200)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen, workspace_id = form.cleaned_data, request.workspace.id
    try:
        services.begin_replay(
            workspace_id=workspace_id, engine=chosen["engine"], since=chosen["since"], now=timezone.now()
        )
    except TellbackError as refused:
        form.add_error(None, refused.detail)
        return _page(request, form, status=refused.status)
    defer_once("themes.replay", queue=Queue.AI, workspace_id=workspace_id)
    return redirect("settings-replay")


@require_POST
@require_role(Role.ADMIN)
def adopt(request: TenantRequest) -> HttpResponse:
    """Take the replay over."""
    try:
        services.adopt_replay(workspace_id=request.workspace.id, actor=request.principal, now=timezone.now())
    except TellbackError as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("It is being taken over. Themes keep their addresses."))
    return redirect("settings-replay")


@require_POST
@require_role(Role.ADMIN)
def discard(request: TenantRequest) -> HttpResponse:
    """Throw the replay away."""
    try:
        services.discard_replay(workspace_id=request.workspace.id, actor=request.principal, now=timezone.now())
    except TellbackError as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("Discarded. Nothing has changed."))
    return redirect("settings-replay")


def _page(request: TenantRequest, form: ReplayForm, *, status: int) -> HttpResponse:
    found = services.find_replay()
    ready = found is not None and found.state == ReplayState.READY
    context = {
        "tab": "ai",
        "form": form,
        "replay": found,
        "ready": ready,
        "adopting": found is not None and found.state == ReplayState.ADOPTING,
        "head": head(found) if found else None,
        "titles": list_titles(found) if found and ready else [],
        "new_themes": list_new_themes(found) if found and ready else [],
        "past": [one for one in services.list_replays() if found is None or one.pk != found.pk],
    }
    return render(request, "themes/replay.html", context, status=status)
