"""Row security, held by the database for every table of a workspace."""

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tellback.platform.tenancy import APP_ROLE, in_workspace
from tellback.workspaces.models import Principal, Workspace, WorkspaceOwned

#: Tables that belong to no workspace, each for a reason.
GLOBAL = {
    "user": "a login may belong to several workspaces",
    "user_groups": "of logins",
    "account_emailaddress": "of logins",
    "account_emailconfirmation": "of logins",
    "user_user_permissions": "of logins",
    "django_session": "of logins",
    "installation_key": "the key of digests; opens with the secret key only",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "auth_group": "Django's own",
    "auth_group_permissions": "Django's own",
    "auth_permission": "Django's own",
    "procrastinate_jobs": "the queue; each job names its workspace",
    "procrastinate_events": "the queue",
    "procrastinate_periodic_defers": "the queue",
    "procrastinate_workers": "the queue",
    "job_failure": "the queue",
}


def unprotected_tables() -> set[str]:
    """Tables whose rows any session of the app could see whatever its workspace."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm')
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
                SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'workspace_isolation'
                  AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL AND p.polcmd = '*'))
            """
        )
        return {row[0] for row in cursor.fetchall()}


def test_every_table_of_a_workspace_has_forced_row_security(db: None) -> None:
    assert unprotected_tables() - set(GLOBAL) == set()


def test_the_census_finds_a_table_without_a_policy(db: None, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE forgotten (id int)")
        try:
            assert "forgotten" in unprotected_tables()
        finally:
            owner.execute("DROP TABLE forgotten")


def test_every_model_of_ours_belongs_to_a_workspace_or_says_why_not() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith("tellback.")]
    assert len(ours) > 20
    loose = {m._meta.db_table for m in ours if not issubclass(m, WorkspaceOwned) and m is not Workspace}
    assert loose <= set(GLOBAL)


def test_the_app_acts_as_a_role_that_cannot_bypass_row_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT current_user, rolsuper, rolbypassrls,
                   EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid)
            FROM pg_roles r WHERE rolname = current_user
            """
        )
        assert cursor.fetchone() == (APP_ROLE, False, False, False)


def test_without_a_workspace_nothing_is_seen_and_nothing_can_be_written(workspace: Workspace) -> None:
    assert Workspace.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.workspace_id', '', true)")
    assert Workspace.objects.count() == 0
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Principal.objects.create(workspace_id=workspace.id, display_name="Nobody")


def test_rows_of_another_workspace_are_invisible_and_cannot_be_made(
    workspace: Workspace, other_workspace_id: UUID
) -> None:
    mine = Principal.objects.create(workspace=workspace, display_name="Ada")
    with in_workspace(other_workspace_id):
        assert Principal.objects.count() == 0
        assert Principal.objects.filter(pk=mine.pk).update(display_name="Changed") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Principal.objects.create(workspace=workspace, display_name="Smuggled")
    mine.refresh_from_db()
    assert mine.display_name == "Ada"


def test_an_error_inside_a_workspace_leaves_no_workspace_behind(workspace: Workspace, other_workspace_id: UUID) -> None:
    with pytest.raises(ZeroDivisionError), in_workspace(other_workspace_id):
        raise ZeroDivisionError
    assert Workspace.objects.get().id == workspace.id


VISIBLE = "SELECT current_setting('tellback.workspace_id', true), (SELECT count(*) FROM workspace)"


@pytest.fixture
def shared_connection(database_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """One connection of the app's role, as a pool in transaction mode hands it to one client after the other."""
    options = f"-c role={APP_ROLE}"
    with psycopg.connect(database_url, options=options, autocommit=True) as pooled:
        yield pooled


@pytest.fixture
def two_workspaces(database_url: str) -> Iterator[tuple[str, str]]:
    """Two workspaces that every connection sees."""
    ids = (str(uuid4()), str(uuid4()))
    with psycopg.connect(database_url, autocommit=True) as owner:
        for made in ids:
            owner.execute(
                "INSERT INTO workspace (id, created_at, name, slug, settings, updated_at) "
                "VALUES (%s, now(), 'Pooled', %s, '{}', now())",
                [made, made],
            )
        yield ids
        owner.execute("DELETE FROM workspace WHERE id = ANY(%s::uuid[])", [list(ids)])


def act_in(pooled: "psycopg.Connection[tuple[object, ...]]", workspace_id: str, *, local: str = "true") -> object:
    """What one client does in its transaction, told as `in_workspace` does it: the workspaces that it sees."""
    with pooled.transaction():
        pooled.execute(f"SELECT set_config('tellback.workspace_id', %s, {local})", [workspace_id])
        return [str(row[0]) for row in pooled.execute("SELECT id FROM workspace").fetchall()]


def test_clients_that_share_a_connection_by_transaction_carry_nothing_over(
    shared_connection: "psycopg.Connection[tuple[object, ...]]", two_workspaces: tuple[str, str]
) -> None:
    for mine in two_workspaces * 3:
        assert act_in(shared_connection, mine) == [mine]
        assert shared_connection.execute(VISIBLE).fetchone() == ("", 0)
    with pytest.raises(ZeroDivisionError), shared_connection.transaction():
        act_in(shared_connection, two_workspaces[0])
        raise ZeroDivisionError
    assert shared_connection.execute(VISIBLE).fetchone() == ("", 0)


def test_a_workspace_set_for_the_session_would_be_found(
    shared_connection: "psycopg.Connection[tuple[object, ...]]", two_workspaces: tuple[str, str]
) -> None:
    """The control of the test above."""
    act_in(shared_connection, two_workspaces[0], local="false")
    assert shared_connection.execute(VISIBLE).fetchone() == (two_workspaces[0], 1)


def test_a_connection_that_never_named_a_workspace_sees_none(
    shared_connection: "psycopg.Connection[tuple[object, ...]]", two_workspaces: tuple[str, str]
) -> None:
    assert shared_connection.execute(VISIBLE).fetchone() in {("", 0), (None, 0)}


def test_what_a_request_leaves_behind_after_an_error_is_no_workspace(
    as_role: Callable[[str], Client], workspace: Workspace, other_workspace_id: UUID
) -> None:
    """The request runs in its own workspace, fails in the middle, and the block around it is in its own again."""
    client = as_role("owner")
    with in_workspace(other_workspace_id):
        assert client.get(f"/admin/feedback/stream/{uuid4()}").status_code == 404
        assert Workspace.objects.get().id == other_workspace_id
    assert Workspace.objects.get().id == workspace.id
