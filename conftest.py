"""The test harness: a real PostgreSQL of its own, migrated as the product does it, used as the app's own role."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker
from tests.harness.migrated import copy_migrated

from tellback.config.database import database_settings
from tellback.platform.postgres import SERVER_SETTINGS, start_embedded

# Playwright keeps a loop running in the tests' thread, which uses the ORM for one test after the other.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
# How long one example takes says more about the machine than about the code.
hypothesis.settings.register_profile("tellback", deadline=None)
hypothesis.settings.load_profile("tellback")


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A migrated database on a server that belongs to this test process. It forgets when the machine loses power, not
    when its processes are killed: tests do that, and count what was acknowledged.

    Beside it is `migrated`, which nobody touches: another one is made from that in a moment.
    """
    SERVER_SETTINGS.update({"fsync": "off", "full_page_writes": "off"})
    # Not below pytest's own folder: another run of the same user closes that to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="tellback-pg-"))
    copy_migrated(folder)
    server = start_embedded(folder)
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(database_url: str, django_db_blocker: DjangoDbBlocker) -> None:
    """Replaces pytest-django's own database: tests run as the app's role, under row security."""
    from django.db import connections

    with django_db_blocker.unblock():
        connections.settings["default"].update(database_settings(database_url, pool_size=0))


@pytest.fixture(scope="session", autouse=True)
def database(django_db_setup: None) -> None:
    """There before the first test: also what stores nothing may ask for the installation's key."""


@pytest.fixture
def workspace(db: None) -> Iterator["object"]:
    """A workspace to act in; the test runs inside it."""
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.services import create_workspace

    made = create_workspace(name="Harbour", slug="harbour")
    with in_workspace(made.id):
        yield made


@pytest.fixture
def wait_for() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine to its end in a thread of its own: playwright keeps a loop running in the tests' thread."""

    def wait_for(work: Coroutine[Any, Any, Any]) -> Any:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(asyncio.run, work).result()

    return wait_for


@pytest.fixture(autouse=True)
def keep_mail(settings: Settings) -> None:
    """Mail goes where the product keeps it; pytest-django would take it elsewhere."""
    settings.EMAIL_BACKEND = "tellback.effects.mail.KeepingBackend"


@pytest.fixture
def run_jobs(db: None) -> Callable[[], int]:
    """Runs every job that is due within a minute, in order, also those that they leave behind; returns how many ran."""
    from django.db import connection
    from procrastinate.contrib.django import app

    def run() -> int:
        count = 0
        while True:
            with connection.cursor() as cursor:
                cursor.execute(
                    """
                    UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = (
                        SELECT id FROM procrastinate_jobs
                        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now() + interval '1 minute')
                        ORDER BY priority DESC, id LIMIT 1)
                    RETURNING task_name, args::text
                    """
                )
                row = cursor.fetchone()
            if row is None:
                return count
            import json

            app.tasks[row[0]].func(**json.loads(row[1]))
            count += 1

    return run


@pytest.fixture
def other_workspace_id(workspace: object) -> UUID:
    """A second workspace, to prove that it is not seen."""
    from tellback.workspaces.services import create_workspace

    return create_workspace(name="Lantern", slug="lantern").id


@pytest.fixture
def as_role(workspace: object, client: Client) -> Callable[[str], Client]:
    """A browser signed in to the workspace with this role; "stranger" is nobody."""
    from tellback.workspaces.models import Role, User, Workspace
    from tellback.workspaces.services import add_member

    assert isinstance(workspace, Workspace)

    def sign_in(role: str) -> Client:
        client.logout()
        if role != "stranger":
            email = f"{role}@example.com"
            user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=role.capitalize())
            add_member(workspace=workspace, user=user, role=Role(role))
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
