"""The business hours that a workspace has set, and what follows when it sets others."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from tellback.kernel.errors import FieldError, Invalid
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer
from tellback.triage import rules
from tellback.triage.models import Feedback
from tellback.triage.response_times import BusinessHours, response_due
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

SETTING = "business_hours"
MOST_HOLIDAYS = 200
AT_ONCE = 500


def hours_of(settings: Mapping[str, Any]) -> BusinessHours:
    """The business hours in a workspace's settings; Monday to Friday, 9 to 17 UTC, where it has set none."""
    stored = settings.get(SETTING)
    if not stored:
        return BusinessHours()
    return BusinessHours(
        zone=ZoneInfo(stored["zone"]),
        days=frozenset(stored["days"]),
        start=time.fromisoformat(stored["start"]),
        end=time.fromisoformat(stored["end"]),
        holidays=frozenset(date.fromisoformat(one) for one in stored["holidays"]),
    )


def get_hours(workspace_id: UUID) -> BusinessHours:
    """The business hours of the present workspace."""
    return hours_of(Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id))


def find_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises `Invalid`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = FieldError("/zone", "is not a time zone, for instance Europe/Berlin")
        raise Invalid(
            f"“{name[:60]}” is not a time zone. Choose one such as Europe/Berlin.", errors=[problem]
        ) from None


@transaction.atomic
def set_hours(*, workspace: Workspace, hours: BusinessHours, actor: Principal | None) -> None:
    """Count response times in these hours; what waits for an answer is due by them too, a moment later.

    Raises `Invalid` for more holidays than anybody has.
    """
    if len(hours.holidays) > MOST_HOLIDAYS:
        raise Invalid(f"There may be {MOST_HOLIDAYS} holidays. Leave out those that are over.")
    stored = {
        "zone": hours.zone.key,
        "days": sorted(hours.days),
        "start": hours.start.isoformat("minutes"),
        "end": hours.end.isoformat("minutes"),
        "holidays": sorted(day.isoformat() for day in hours.holidays),
    }
    workspace.settings = {**workspace.settings, SETTING: stored}
    workspace.save(update_fields=["settings", "updated_at"])
    record_audit(
        workspace=workspace,
        actor=actor,
        action="business_hours.set",
        subject=workspace.public_id,
        details={name: stored[name] for name in ("zone", "days", "start", "end")},
    )
    defer("triage.reckon_due_times", queue=Queue.MAINTENANCE, workspace_id=workspace.id)


@transaction.atomic
def reckon_due_times(*, workspace_id: UUID, after: UUID | None) -> UUID | None:
    """Reckon anew until when the next five hundred that wait must be answered; returns where to go on, None at the end.

    Safe to repeat.
    """
    hours = get_hours(workspace_id)
    waiting = Feedback.objects.filter(responded_at=None, status__in=rules.OPEN).exclude(response_due_at=None)
    if after:
        waiting = waiting.filter(id__gt=after)
    # Of the item only when it arrived: its words may be long.
    page = list(
        waiting.select_for_update(of=("self",))
        .select_related("raw_item")
        .only("id", "priority", "response_due_at", "raw_item__created_at", "raw_item__silent")
        .order_by("id")[:AT_ONCE]
    )
    for feedback in page:
        feedback.response_due_at = due_of(feedback, hours=hours)
    update_rows(page, ["response_due_at"])
    return page[-1].id if len(page) == AT_ONCE else None


def due_of(feedback: Feedback, *, hours: BusinessHours) -> datetime | None:
    """Until when somebody is owed an answer: counted from when it reached us. For an import nobody is."""
    if feedback.raw_item.silent:
        return None
    return response_due(feedback.raw_item.created_at, priority=feedback.priority, hours=hours)
