"""Pages about private data: what is found, what is sealed, what one person may ask for, how long words are kept."""

import tempfile
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from tellback.intake.models import Erasure, FeedbackSource, RawItem, VaultValue
from tellback.intake.pages.sending import send_file
from tellback.intake.policy import add_pattern, policy_of, remove_pattern, switch_vault
from tellback.intake.redaction import Redactor
from tellback.intake.redaction.custom import CustomPattern, check_pattern, detectors_of
from tellback.intake.subjects.erasing import erase_person
from tellback.intake.subjects.exporting import export_person
from tellback.intake.subjects.retention import LONGEST, count_expired, set_retention
from tellback.intake.subjects.subject import subject_of_person
from tellback.intake.vault.services import reveal
from tellback.kernel.errors import TellbackError
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Principal, Role

SAMPLE_LENGTH = 2_000


class PatternForm(forms.Form):
    """A pattern, and a text to try it on."""

    name = forms.CharField(
        max_length=32,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What it becomes: “customer” gives [customer:1]"),
    )
    expression = forms.CharField(
        max_length=500,
        label=gettext_lazy("Expression"),
        help_text=gettext_lazy("RE2 syntax, for instance CUST-\\d{4,8}"),
    )
    sample = forms.CharField(
        max_length=SAMPLE_LENGTH,
        required=False,
        label=gettext_lazy("Try it on"),
        widget=forms.Textarea(attrs={"rows": 3, "class": "input"}),
    )


class RetentionForm(forms.Form):
    """How long the words of a source are kept; empty keeps them."""

    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST,
        required=False,
        label=gettext_lazy("Days"),
        help_text=gettext_lazy("Empty keeps them for ever"),
    )


@require_role(Role.ADMIN)
def privacy(request: TenantRequest) -> HttpResponse:
    """The vault, the workspace's own patterns, and what was erased."""
    return _privacy(request, {}, status=200)


def _privacy(request: TenantRequest, changes: dict[str, object], *, status: int) -> HttpResponse:
    policy = policy_of(request.workspace.id, request.workspace.settings)
    context = {
        "tab": "privacy",
        "vault_on": policy.seals,
        "sealed": VaultValue.objects.count(),
        "patterns": policy.patterns,
        "form": PatternForm(label_suffix=""),
        "erasures": Erasure.objects.select_related("actor").order_by("-created_at")[:20],
        **changes,
    }
    return render(request, "intake/privacy.html", context, status=status)


@require_POST
@require_role(Role.ADMIN)
def set_vault(request: TenantRequest) -> HttpResponse:
    """Keep originals sealed, or no more."""
    on = request.POST.get("vault") == "on"
    switch_vault(workspace=request.workspace, on=on, actor=request.principal)
    messages.success(request, _("Originals are sealed from now on.") if on else _("No more originals are kept."))
    return redirect("settings-privacy")


@require_POST
@require_role(Role.ADMIN)
def new_pattern(request: TenantRequest) -> HttpResponse:
    """Try a pattern on a text, or find it from now on."""
    form = PatternForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _privacy(request, {"form": form}, status=422)
    pattern = CustomPattern(form.cleaned_data["name"], form.cleaned_data["expression"])
    try:
        if "try" in request.POST:
            check_pattern(pattern)
            tried = Redactor(custom=detectors_of([pattern])).redact(form.cleaned_data["sample"])
            return _privacy(request, {"form": form, "tried": tried}, status=200)
        add_pattern(workspace=request.workspace, pattern=pattern, actor=request.principal)
    except TellbackError as refused:
        form.add_error(refused.errors[0].pointer.strip("/") if refused.errors else "name", refused.detail)
        return _privacy(request, {"form": form}, status=422)
    messages.success(request, _("“%s” is taken out from now on.") % pattern.name)
    return redirect("settings-privacy")


@require_POST
@require_role(Role.ADMIN)
def end_pattern(request: TenantRequest) -> HttpResponse:
    """Find a pattern no more."""
    name = request.POST.get("name", "")
    try:
        remove_pattern(workspace=request.workspace, name=name, actor=request.principal)
        messages.success(request, _("“%s” is not looked for any more.") % name)
    except TellbackError as refused:
        messages.error(request, refused.detail)
    return redirect("settings-privacy")


@require_POST
@require_role(Role.ADMIN)
def originals(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """What was taken out of an item, on a page that nothing keeps."""
    item = get_object_or_404(RawItem, pk=item_id)
    assert request.principal
    try:
        found = reveal(
            workspace=request.workspace, item=item, actor=request.principal, reason=request.POST.get("reason", "")
        )
    except TellbackError as refused:
        messages.error(request, refused.detail)
        return redirect("raw-item", item.id)
    response = render(request, "intake/originals.html", {"item": item, "originals": found, "tab": "stream"})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@require_role(Role.ADMIN)
def export(request: TenantRequest, person_id: UUID) -> StreamingHttpResponse:
    """Everything about one person, as a file."""
    person = get_object_or_404(Principal, pk=person_id)
    now = timezone.now()
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
    export_person(person=person, actor=request.principal, into=file, now=now)
    return send_file(request, file, name=f"{person.public_id}-{now:%Y-%m-%d}.zip", content_type="application/zip")


@require_role(Role.ADMIN)
def erase(request: TenantRequest, person_id: UUID) -> HttpResponse:
    """What would be erased of a person, and the button that does it."""
    person = get_object_or_404(Principal, pk=person_id)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        try:
            erase_person(person=person, actor=request.principal, now=timezone.now())
        except TellbackError as refused:
            messages.error(request, refused.detail)
            return redirect("person", person.id)
        messages.success(request, _("They are erased. What is counted stays counted."))
        return redirect("users")
    context = {"person": person, "items": len(subject_of_person(person).item_ids), "unsure": request.method == "POST"}
    return render(request, "intake/erase.html", context)


@require_role(Role.ADMIN)
def retention(request: TenantRequest, source_id: UUID) -> HttpResponse:
    """How long a source's words are kept: first what that would empty, then the button."""
    source = get_object_or_404(FeedbackSource, pk=source_id)
    asked = request.POST or request.GET or None
    form = RetentionForm(asked, initial={"days": source.retention_days}, label_suffix="")
    context: dict[str, object] = {"source": source, "form": form, "tab": "sources", "previewed": False}
    if asked is not None and form.is_valid():
        days = form.cleaned_data["days"]
        if request.method == "POST":
            set_retention(source=source, days=days, actor=request.principal)
            messages.success(
                request,
                ngettext(
                    "Words of “%(name)s” are kept for %(n)d day.", "Words of “%(name)s” are kept for %(n)d days.", days
                )
                % {"name": source.name, "n": days}
                if days
                else _("Words of “%s” are kept.") % source.name,
            )
            return redirect("sources")
        count = count_expired(source=source, days=days, now=timezone.now()) if days else 0
        context |= {"previewed": True, "days": days, "count": count}
    return render(request, "intake/retention.html", context)
