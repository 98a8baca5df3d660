"""How well feedback is understood, by the people who work with it: figures, and a few signals to check."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from tellback.kernel.errors import TellbackError
from tellback.themes.corrections import check_signal
from tellback.themes.selectors import quote_of
from tellback.understanding.learning.selectors import find_to_check, read_report
from tellback.understanding.models import Sentiment, Signal, SignalType
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


class CheckForm(forms.Form):
    """What a signal is: as it was understood, until somebody says otherwise."""

    signal_type = forms.ChoiceField(choices=SignalType.choices, label=gettext_lazy("Type"))
    sentiment = forms.ChoiceField(choices=Sentiment.choices, label=gettext_lazy("Feeling"))


@require_safe
@require_role(Role.CONTRIBUTOR)
def quality(request: TenantRequest) -> HttpResponse:
    """Accuracy, agreement and drift, what was learnt, and one signal to look at."""
    assert request.principal
    return _page(request, find_to_check(person=request.principal.id), None, status=200)


@require_POST
@require_role(Role.CONTRIBUTOR)
def check(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """Keep what this person says of a signal, and show the next one."""
    assert request.principal
    signal = get_object_or_404(Signal.objects.select_related("raw_feedback_item"), pk=signal_id)
    form = CheckForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, signal, form, status=422)
    try:
        check_signal(signal_id=signal_id, answers=form.cleaned_data, actor=request.principal, now=timezone.now())
    except TellbackError as refused:
        messages.warning(request, refused.detail)
    else:
        messages.success(request, _("Kept. Here is the next one."))
    return redirect("quality")


def _page(request: TenantRequest, signal: Signal | None, form: CheckForm | None, *, status: int) -> HttpResponse:
    if signal is not None and form is None:
        said = {"signal_type": signal.signal_type, "sentiment": signal.sentiment}
        form = CheckForm(initial=said, label_suffix="")
    context = {
        "tab": "quality",
        "report": read_report(today=timezone.now().date()),
        "signal": signal,
        "quote": quote_of(signal) if signal else None,
        "form": form,
    }
    return render(request, "themes/quality.html", context, status=status)
