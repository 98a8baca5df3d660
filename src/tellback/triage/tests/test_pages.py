"""The settings page about answers, and what the stream says of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tellback.intake.models import FeedbackSource, RawItem
from tellback.triage.hours import get_hours
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.triage.response_times import response_due
from tellback.triage.services import change_status, open_feedback
from tellback.workspaces.models import AuditEntry, Workspace

BERLIN = {
    "zone": "Europe/Berlin",
    "days": ["0", "1", "2", "3"],
    "start": "08:00",
    "end": "18:00",
    "holidays": "2026-12-24\n2026-12-25",
}
Report = Callable[..., Feedback]


@pytest.fixture
def report(workspace: Workspace) -> Report:
    """Makes a piece of feedback with its triage record."""
    source = FeedbackSource.objects.create(workspace=workspace, source_type="api", delivery_mode="passive", name="API")

    def make(text: str = "The export loses its last rows.", *, silent: bool = False) -> Feedback:
        name = str(RawItem.objects.count())
        item = RawItem.objects.create(
            workspace=workspace,
            source=source,
            source_type="api",
            external_id=name,
            dedupe_key=name,
            source_created_at=timezone.now(),
            content={"text": text},
            channel="api",
            receipt_token=name,
            silent=silent,
        )
        return open_feedback(items=[item])[0]

    return make


def test_hours_that_are_set_are_shown_again_and_hold_for_what_waits(
    as_role: Callable[[str], Client], workspace: Workspace, report: Report, run_jobs: Callable[[], int]
) -> None:
    waiting, answered, imported = report(), report(), report(silent=True)
    change_status(feedback=answered, status=FeedbackStatus.ACKNOWLEDGED, actor=None, note="", now=timezone.now())
    before = Feedback.objects.get(pk=answered.pk).response_due_at
    client = as_role("admin")
    assert "Monday" in client.get("/admin/settings/answers").content.decode()
    assert client.post("/admin/settings/answers", BERLIN).status_code == 302
    workspace.refresh_from_db()
    hours = get_hours(workspace.id)
    assert (hours.zone.key, sorted(hours.days), len(hours.holidays)) == ("Europe/Berlin", [0, 1, 2, 3], 2)
    page = client.get("/admin/settings/answers").content.decode()
    assert 'value="08:00"' in page
    assert "2026-12-24\n2026-12-25" in page
    assert '<option value="Europe/Berlin" selected>' in page
    assert AuditEntry.objects.get(action="business_hours.set").actor
    run_jobs()
    waiting.refresh_from_db()
    assert waiting.response_due_at == response_due(waiting.raw_item.created_at, priority=waiting.priority, hours=hours)
    assert Feedback.objects.get(pk=answered.pk).response_due_at == before
    assert Feedback.objects.get(pk=imported.pk).response_due_at is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"days": []}, "This field is required"),
        ({"start": "18:00", "end": "08:00"}, "The day must end after it begins"),
        ({"start": "08:00", "end": "08:00"}, "The day must end after it begins"),
        ({"holidays": "Christmas"}, "Write dates like 2026-12-25"),
        ({"holidays": " ".join(str(day) for day in range(201))}, "Write dates like 2026-12-25"),
    ],
)
def test_hours_in_which_nobody_works_come_back_with_the_reason(
    as_role: Callable[[str], Client], workspace: Workspace, change: dict[str, Any], said: str
) -> None:
    answer = as_role("admin").post("/admin/settings/answers", {**BERLIN, **change})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    workspace.refresh_from_db()
    assert workspace.settings == {}


def test_a_team_may_work_round_the_clock(as_role: Callable[[str], Client], workspace: Workspace) -> None:
    always = {**BERLIN, "days": [str(day) for day in range(7)], "start": "00:00", "end": "00:00"}
    assert as_role("admin").post("/admin/settings/answers", always).status_code == 302
    workspace.refresh_from_db()
    assert get_hours(workspace.id).day == timedelta(hours=24)


def test_due_times_of_more_than_a_page_are_all_reckoned_anew(
    as_role: Callable[[str], Client], report: Report, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tellback.triage.hours.AT_ONCE", 2)
    made = [report() for _ in range(5)]
    Feedback.objects.update(response_due_at=datetime(2020, 1, 1, tzinfo=UTC))
    as_role("admin").post("/admin/settings/answers", BERLIN)
    run_jobs()
    assert Feedback.objects.filter(response_due_at__year__gte=2026).count() == len(made)


def test_the_stream_shows_until_when_an_answer_is_owed_and_what_is_overdue(
    as_role: Callable[[str], Client], report: Report
) -> None:
    late, waiting, answered, imported = (
        report("Late one", silent=False),
        report("Waiting one"),
        report("Answered one"),
        report("Imported one", silent=True),
    )
    now = timezone.now()
    Feedback.objects.filter(pk=late.pk).update(response_due_at=now - timedelta(hours=1))
    Feedback.objects.filter(pk=answered.pk).update(response_due_at=now - timedelta(hours=1), responded_at=now)
    client = as_role("contributor")
    page = client.get("/admin/feedback/stream").content.decode()
    rows = {name: page.split(f"{name} one")[0].rsplit("<article", 1)[1] for name in ("Late", "Waiting", "Answered")}
    assert "Answer overdue" in rows["Late"]
    assert "answer due" in rows["Waiting"]
    assert "answered late" in rows["Answered"]
    narrowed = client.get("/admin/feedback/stream?state=overdue").content.decode()
    assert "Late one" in narrowed
    assert "Waiting one" not in narrowed
    assert "Imported one" not in narrowed
    assert imported.response_due_at is None
    assert waiting.response_due_at
    Feedback.objects.filter(pk=late.pk).update(responded_at=now)
    assert "?state=overdue" not in client.get("/admin/feedback/stream").content.decode()


def test_the_stream_asks_as_many_questions_however_much_is_owed(
    as_role: Callable[[str], Client], report: Report, django_assert_num_queries: Any
) -> None:
    client = as_role("contributor")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    report()
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/admin/feedback/stream")
    for _ in range(8):
        report()
    with django_assert_num_queries(len(few)):
        client.get("/admin/feedback/stream")
