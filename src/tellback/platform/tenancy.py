"""Tenancy: which workspace a piece of work is for, enforced by PostgreSQL row-level security.

Every table that belongs to a workspace carries `workspace_id` and a forced policy that compares it with the
transaction's setting `tellback.workspace_id`. Without that setting no row is visible and none can be written.
The setting is local to a transaction, so it cannot be carried over by a pooled connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, migrations, transaction

APP_ROLE = "tellback_app"
SETTING = "tellback.workspace_id"

_EACH = f"""
    DO $each$
    DECLARE workspace uuid;
    BEGIN
        FOR workspace IN SELECT id FROM tellback_workspace_ids() LOOP
            PERFORM set_config('{SETTING}', workspace::text, true);
            STATEMENT;
        END LOOP;
        PERFORM set_config('{SETTING}', '', true);
    END $each$;
"""  # noqa: S608 - of our own names

_current: ContextVar[UUID | None] = ContextVar("tellback_workspace", default=None)


def current_workspace_id() -> UUID:
    """The workspace that the running work is for. Raises `RuntimeError` outside of `in_workspace`."""
    workspace_id = _current.get()
    if workspace_id is None:
        raise RuntimeError("No workspace is set here: wrap the work in in_workspace(workspace_id).")
    return workspace_id


@contextmanager
def in_workspace(workspace_id: UUID) -> Iterator[None]:
    """Run the block in one transaction that sees and writes the rows of this workspace only.

    Nested blocks are savepoints; leaving one restores the workspace of the block around it, also after an error.
    """
    outer = _current.get()
    nested = connection.in_atomic_block
    token = _current.set(workspace_id)
    try:
        with transaction.atomic():
            _announce(workspace_id)
            yield
            if nested:
                _announce(outer)
    finally:
        _current.reset(token)


def _announce(workspace_id: UUID | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, str(workspace_id or "")])


def list_workspace_ids() -> list[UUID]:
    """Every workspace, oldest first: for sweeps that visit each in turn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tellback_workspace_ids()")
        return [row[0] for row in cursor.fetchall()]


def row_security(*tables: str, column: str = "workspace_id") -> list[migrations.RunSQL]:
    """Migration operations that force workspace isolation on these tables. Use right after creating them."""
    return [
        migrations.RunSQL(
            sql=f"""
                ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                CREATE POLICY workspace_isolation ON {table}
                    USING ({column} = nullif(current_setting('{SETTING}', true), '')::uuid)
                    WITH CHECK ({column} = nullif(current_setting('{SETTING}', true), '')::uuid);
            """,
            reverse_sql=f"""
                DROP POLICY workspace_isolation ON {table};
                ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
                ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
            """,
        )
        for table in tables
    ]


def owner_may_look_up(*tables: str) -> list[migrations.RunSQL]:
    """Let the schema's owner read these tables across workspaces.

    Only for the tables behind the `SECURITY DEFINER` look-ups: those that find a workspace from a key, a receipt or a
    user, and those that need an index which row security keeps from them (decision 3) and name the workspace
    themselves. The app's role is never the owner.
    """
    return [
        migrations.RunSQL(
            sql=f"""
                CREATE POLICY owner_lookup ON {table} FOR SELECT TO CURRENT_USER USING (true);
            """,
            reverse_sql=f"DROP POLICY owner_lookup ON {table};",
        )
        for table in tables
    ]


def each_workspace(statement: str) -> migrations.RunSQL:
    """Run a statement in each workspace in turn: the schema's owner is bound by row security too."""
    return migrations.RunSQL(sql=_EACH.replace("STATEMENT", statement), reverse_sql=migrations.RunSQL.noop)


def foreign_key_from_below(*, table: str, column: str, to: str, on_delete: str = "SET NULL") -> migrations.RunSQL:
    """A database foreign key from a lower package's plain id column to a table of the package above it.

    Code must not point up the house; the database may, and keeps the reference honest. `on_delete` is PostgreSQL's
    action. Declare it in the upper package's migration.
    """
    name = f"{table}_{column}_fk"
    return migrations.RunSQL(
        sql=f"""
            ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {to} (id)
                ON DELETE {on_delete} DEFERRABLE INITIALLY DEFERRED;
        """,
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )
