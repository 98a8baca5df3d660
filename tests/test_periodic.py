"""What runs by the clock: every job of it is there, is put up once for each workspace, and keeps nothing too long."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from procrastinate.contrib.django import app

from tellback.effects.jobs import forget
from tellback.effects.mail import Mail, send_mail
from tellback.effects.models import Effect, EffectState, KeptMail
from tellback.effects.upkeep import FORGOTTEN, forget_contents
from tellback.intake.models import IdempotencyKey
from tellback.intake.services import forget_requests
from tellback.kernel.ids import new_id
from tellback.platform.upkeep import SWEPT_JOBS
from tellback.workspaces.jobs import forget_sessions
from tellback.workspaces.models import Workspace

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def periodic_tasks() -> list[Any]:
    return list(app.periodic_registry.periodic_tasks.values())


def waiting(name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'workspace_id' FROM procrastinate_jobs WHERE task_name = %s", [name])
        return sorted(row[0] for row in cursor.fetchall())


def test_every_job_by_the_clock_exists() -> None:
    named = {task.periodic_id for task in periodic_tasks()} | set(SWEPT_JOBS)
    assert {
        "workspaces.forget_sessions", "effects.forget", "intake.forget_requests", "intake.expire",
        "intake.remove_orphans", "effects.deliver", "intake.recover",
    } <= named  # fmt: skip
    assert named <= set(app.tasks)


@pytest.mark.parametrize("name", ["effects.forget", "intake.expire"])
def test_a_job_is_put_up_once_for_each_workspace_however_often_it_is_due(
    workspace: Workspace, other_workspace_id: UUID, name: str
) -> None:
    (task,) = [task for task in periodic_tasks() if task.periodic_id == name]
    for _ in range(3):
        task.task.func(timestamp=int(NOW.timestamp()))
    assert waiting(name) == sorted([str(workspace.id), str(other_workspace_id)])


def test_what_left_a_month_ago_is_forgotten_and_never_sent_again(workspace: Workspace) -> None:
    mail = Mail(to="ada@example.com", subject="Hello", text="Dear Ada")

    def effect(key: str, state: str, days: int, left: int | None) -> Effect:
        made = send_mail(workspace_id=workspace.id, key=key, mail=mail, due_at=NOW, now=NOW)
        at = NOW - timedelta(days=left) if left is not None else None
        Effect.objects.filter(pk=made.pk).update(state=state, due_at=NOW - timedelta(days=days), delivered_at=at)
        return made

    effect("old", EffectState.DELIVERED, 31, 31)
    effect("dead", EffectState.DEAD, 31, None)
    effect("late", EffectState.DELIVERED, 40, 2)
    effect("fresh", EffectState.DELIVERED, 29, 29)
    effect("waits", EffectState.PENDING, 31, None)
    assert forget_contents(now=NOW) == 2
    assert forget_contents(now=NOW) == 0
    emptied = {one.key for one in Effect.objects.all() if one.payload == FORGOTTEN}
    assert emptied == {"old", "dead"}
    assert effect("old", EffectState.DELIVERED, 31, 31).payload == FORGOTTEN
    assert Effect.objects.filter(key="old").count() == 1


def test_the_development_mailbox_is_emptied_after_a_month(workspace: Workspace) -> None:
    for days in (31, 1):
        KeptMail.objects.create(
            workspace=workspace, to="a@example.com", sender="s", subject=f"{days}", text="x",
            created_at=datetime.now(UTC) - timedelta(days=days),
        )  # fmt: skip
    forget()
    assert [mail.subject for mail in KeptMail.objects.all()] == ["1"]


def test_requests_are_recognised_until_their_window_is_over_and_forgotten_then(workspace: Workspace) -> None:
    for key, ends in (("over", NOW - timedelta(seconds=1)), ("open", NOW + timedelta(seconds=1))):
        IdempotencyKey.objects.create(
            workspace=workspace, scope="key", key=key, fingerprint="f", raw_item_id=new_id(), expires_at=ends
        )
    assert forget_requests(now=NOW) == 1
    assert [one.key for one in IdempotencyKey.objects.all()] == ["open"]


def test_sessions_that_ended_are_removed(workspace: Workspace) -> None:
    for ended in (True, False):
        at = datetime.now(UTC) + timedelta(hours=-1 if ended else 1)
        Session.objects.create(session_key=f"{uuid4().hex}"[:32], session_data=str(ended), expire_date=at)
    forget_sessions()
    assert [session.session_data for session in Session.objects.all()] == ["False"]
