"""The settings page about answers: when a workspace works, and until when each priority is answered."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tellback.kernel.errors import Invalid
from tellback.triage.hours import MOST_HOLIDAYS, find_zone, hours_of, set_hours
from tellback.triage.models import Priority
from tellback.triage.response_times import RESPONSE_DAYS, URGENT_RESPONSE, BusinessHours, response_due
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

DAYS = [
    ("0", gettext_lazy("Monday")),
    ("1", gettext_lazy("Tuesday")),
    ("2", gettext_lazy("Wednesday")),
    ("3", gettext_lazy("Thursday")),
    ("4", gettext_lazy("Friday")),
    ("5", gettext_lazy("Saturday")),
    ("6", gettext_lazy("Sunday")),
]
_TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class HoursForm(forms.Form):
    """When a workspace works."""

    zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    days = forms.MultipleChoiceField(
        choices=DAYS, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Days on which you work")
    )
    start = forms.TimeField(widget=_TIME, label=gettext_lazy("From"))
    end = forms.TimeField(widget=_TIME, label=gettext_lazy("To"), help_text=gettext_lazy("00:00 is the end of the day"))
    holidays = forms.CharField(
        required=False,
        max_length=20 * MOST_HOLIDAYS,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-12-25"}),
        label=gettext_lazy("Days off"),
        help_text=gettext_lazy("One date on a line, for instance 2026-12-25"),
    )

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{"label_suffix": "", **keywords})
        zones = self.fields["zone"]
        assert isinstance(zones, forms.ChoiceField)
        zones.choices = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]

    def clean_holidays(self) -> frozenset[date]:
        """The dates, whichever way they are separated."""
        words = self.cleaned_data["holidays"].replace(",", " ").split()
        try:
            days = frozenset(date.fromisoformat(word) for word in words)
        except ValueError:
            raise forms.ValidationError(_("Write dates like 2026-12-25, one on a line.")) from None
        if len(days) > MOST_HOLIDAYS:
            raise forms.ValidationError(_("There may be %d days off. Leave out those that are over.") % MOST_HOLIDAYS)
        return days

    def hours(self) -> BusinessHours:
        """What was chosen. Raises `Invalid` for hours in which nobody ever works."""
        given = self.cleaned_data
        try:
            return BusinessHours(
                zone=find_zone(given["zone"]),
                days=frozenset(int(day) for day in given["days"]),
                start=given["start"].replace(second=0, microsecond=0),
                end=given["end"].replace(second=0, microsecond=0),
                holidays=given["holidays"],
            )
        except ValueError:
            raise Invalid(_("The day must end after it begins.")) from None


@dataclass(frozen=True, slots=True)
class Promise:
    """Until when what arrives now is answered."""

    priority: Priority
    within: str
    due_at: datetime


@require_role(Role.ADMIN)
def answers(request: TenantRequest) -> HttpResponse:
    """Business hours, and what they mean for each priority."""
    hours = hours_of(request.workspace.settings)
    form = HoursForm(request.POST or None, initial=_initial(hours))
    if request.method == "POST" and form.is_valid():
        try:
            set_hours(workspace=request.workspace, hours=form.hours(), actor=request.principal)
        except Invalid as refused:
            form.add_error("end", refused.detail)
        else:
            messages.success(request, _("Saved. What waits for an answer is due by these hours in a moment."))
            return redirect("settings-answers")
    context = {"tab": "answers", "form": form, "hours": hours, "promises": _promises(hours)}
    return render(request, "triage/answers.html", context, status=422 if form.errors else 200)


def _initial(hours: BusinessHours) -> dict[str, object]:
    return {
        "zone": hours.zone.key,
        "days": [str(day) for day in sorted(hours.days)],
        "start": time(hours.start.hour, hours.start.minute),
        "end": time(hours.end.hour, hours.end.minute),
        "holidays": "\n".join(sorted(day.isoformat() for day in hours.holidays)),
    }


def _promises(hours: BusinessHours) -> list[Promise]:
    now = timezone.now()
    urgent = int(URGENT_RESPONSE.total_seconds() // 3600)
    within = {"urgent": ngettext("%d hour", "%d hours", urgent) % urgent}
    within |= {name: ngettext("%d business day", "%d business days", n) % n for name, n in RESPONSE_DAYS.items()}
    return [
        Promise(
            priority,
            within[priority],
            response_due(now, priority=priority, hours=hours).astimezone(hours.zone),
        )
        for priority in Priority
    ]
