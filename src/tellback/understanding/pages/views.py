"""Settings, AI: which engine understands, and how the language model does. The test button really asks it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from tellback.intake.policy import DEFAULT
from tellback.kernel.errors import TellbackError
from tellback.platform.jobs import Queue, defer_once
from tellback.understanding.engine import endpoint_of, get_engine
from tellback.understanding.language_model.books import Books, close_breaker
from tellback.understanding.language_model.choices import Choices, choices_of, preview, save_choices
from tellback.understanding.language_model.report import read_report
from tellback.understanding.language_model.trial import Tried, try_model
from tellback.understanding.pages.forms import ModelForm, model_form
from tellback.understanding.services import ask_again
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.ADMIN)
def settings(request: TenantRequest) -> HttpResponse:
    """Everything about the engine; saves it, or tries it without saving."""
    if request.method != "POST":
        return _page(request, {}, status=200)
    form = model_form(request.POST, _choices(request))
    if not form.is_valid():
        return _page(request, {"form": form}, status=422)
    try:
        if "try" in request.POST:
            choices = preview(workspace=request.workspace, wanted=form.wanted())
            return _page(request, {"form": form, "tried": _try(request, choices)}, status=200)
        choices = save_choices(workspace=request.workspace, wanted=form.wanted(), actor=request.principal)
    except TellbackError as refused:
        _show(form, refused)
        return _page(request, {"form": form}, status=422)
    close_breaker()
    if choices.engine == "openai":
        defer_once("understanding.upgrade", queue=Queue.AI, workspace_id=request.workspace.id)
        messages.success(request, _("Saved. Feedback that comes in from now on is understood by the language model."))
    else:
        messages.success(request, _("Saved. Feedback that comes in from now on is understood on this machine."))
    return redirect("settings-ai")


@require_POST
@require_role(Role.ADMIN)
def again(request: TenantRequest) -> HttpResponse:
    """Ask the language model once more for what it did not answer usably."""
    count = ask_again(workspace_id=request.workspace.id)
    messages.success(
        request,
        ngettext("%d signal is read again.", "%d signals are read again.", count) % count
        if count
        else _("There is nothing to ask for again."),
    )
    return redirect("settings-ai")


def _page(request: TenantRequest, changes: dict[str, object], *, status: int) -> HttpResponse:
    choices = _choices(request)
    context = {
        "tab": "ai",
        "choices": choices,
        "form": model_form(None, choices),
        "report": read_report(choices=choices, now=timezone.now()),
        **changes,
    }
    return render(request, "understanding/ai.html", context, status=status)


def _choices(request: TenantRequest) -> Choices:
    return choices_of(request.workspace.id, request.workspace.settings)


def _try(request: TenantRequest, choices: Choices) -> list[Tried]:
    books = Books(workspace_id=request.workspace.id, choices=choices, policy=DEFAULT, now=timezone.now)
    return try_model(endpoint=endpoint_of(choices), models=choices.models, host=books, local=get_engine())


def _show(form: ModelForm, refused: TellbackError) -> None:
    field = refused.errors[0].pointer.strip("/") if refused.errors else "base_url"
    form.add_error(field if field in form.fields else None, refused.detail)
