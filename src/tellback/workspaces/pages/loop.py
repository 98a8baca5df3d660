"""The settings page for what a workspace may have otherwise than its installation: scores, labels, mail."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tellback.kernel.errors import Invalid
from tellback.platform.loop_config import Setting, get_loop_config, list_settings, value_of
from tellback.platform.loop_config.reading import listed
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.loop_settings import change_loop_settings, overrides_of
from tellback.workspaces.models import Role

#: What each key is called in the page; the parts of the page, in its order.
LABELS = {
    "routing.score_thresholds.critical": gettext_lazy("Urgent, from this score on"),
    "routing.score_thresholds.high": gettext_lazy("High, and a ticket, from"),
    "routing.score_thresholds.medium": gettext_lazy("Medium, from"),
    "routing.score_thresholds.low": gettext_lazy("No ticket below"),
    "ticketing.default_labels": gettext_lazy("Labels of each ticket, between commas"),
    "notifications.delay_minutes": gettext_lazy("Minutes until “we got your feedback” leaves"),
    "notifications.max_per_user_per_day": gettext_lazy("Mails to one person in a day, at most"),
    "themes.plan_weights": gettext_lazy("How many people one on a plan counts for, as plan=number, between commas"),
    "themes.revenue_for_two": gettext_lazy("Revenue a month from which one person counts for two; 0 for never"),
}
#: What is wrong between several fields.
TOGETHER = {
    "routing.score_thresholds": gettext_lazy("The scores must fall: urgent is the highest, then high, medium and low."),
}


class LoopForm(forms.Form):
    """A field for each key; an empty one leaves it to the installation."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{"label_suffix": "", **keywords})
        for setting in own_settings():
            kind = forms.CharField if setting.is_list else forms.IntegerField
            usual = _shown(value_of(get_loop_config(), setting.path))
            field = self.fields[setting.name] = kind(required=False, label=LABELS[setting.name])
            field.widget.attrs["placeholder"] = usual

    def changes(self) -> dict[str, object]:
        """What was entered, by key; None for what is left to the installation."""
        return {setting.name: _entered(setting, self.cleaned_data[setting.name]) for setting in own_settings()}

    def show(self, error: Invalid) -> None:
        """Say each mistake beside its field; what is wrong between several, above them."""
        for mistake in error.errors:
            name, _space, sentence = mistake.detail.partition(" ")
            field = next((known for known in self.fields if name == known or name.startswith(f"{known}.")), None)
            said = f"{sentence[:1].upper()}{sentence[1:]}." if field else TOGETHER.get(name, mistake.detail)
            self.add_error(field, said)


def own_settings() -> list[Setting]:
    """The keys that a workspace may set."""
    return [setting for setting in list_settings() if setting.per_workspace]


def _entered(setting: Setting, value: Any) -> object:
    if setting.is_list:
        return listed(value) or None
    return value


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@require_role(Role.ADMIN)
def settings(request: TenantRequest) -> HttpResponse:
    """Show and save them, all at once."""
    if request.method != "POST":
        stored = {name: _shown(value) for name, value in overrides_of(request.workspace).items()}
        return _page(request, LoopForm(initial=stored), status=200)
    form = LoopForm(request.POST)
    if form.is_valid():
        try:
            change_loop_settings(workspace=request.workspace, changes=form.changes(), actor=request.principal)
        except Invalid as error:
            form.show(error)
    if form.errors:
        return _page(request, form, status=422)
    messages.success(request, _("Saved. It holds from now on."))
    return redirect("settings-loop")


def _page(request: TenantRequest, form: LoopForm, *, status: int) -> HttpResponse:
    return render(request, "workspaces/loop.html", {"form": form, "tab": "loop"}, status=status)
