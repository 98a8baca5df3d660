"""The database around the tables: the extension, the app's role and what it may do."""

import psycopg
from psycopg import sql

from tellback.kernel.errors import Unavailable
from tellback.platform.tenancy import APP_ROLE

MINIMUM_VERSION = 160000


def prepare_database(owner: psycopg.Connection) -> None:
    """Make pgvector and the app's role exist. Safe to repeat and to run twice at once.

    Raises `Unavailable` with what to do when the server is too old, has no pgvector, or the user may not do this.
    """
    if owner.info.server_version < MINIMUM_VERSION:
        raise Unavailable(
            f"This PostgreSQL is version {owner.info.server_version // 10000}; Tellback needs 16 or later. "
            "Point DATABASE_URL at a newer server, or unset it to use the embedded one."
        )
    with owner.transaction():
        owner.execute("SELECT pg_advisory_xact_lock(hashtext('tellback.prepare'))")
        _ensure_vector(owner)
        _ensure_role(owner)


def _ensure_vector(owner: psycopg.Connection) -> None:
    if owner.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
        return
    if not owner.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone():
        raise Unavailable(
            "This PostgreSQL has no pgvector. Install it on the server (package postgresql-NN-pgvector), or unset "
            "DATABASE_URL to use the embedded server, which has it."
        )
    try:
        owner.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise Unavailable(
            "The database user may not create the extension pgvector. Run CREATE EXTENSION vector; in this database "
            "as an administrator once, then start again."
        ) from error


def _ensure_role(owner: psycopg.Connection) -> None:
    row = owner.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone()
    if row and row[0]:
        raise Unavailable(
            f"The role {APP_ROLE} may bypass row security. "
            f"Run ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS; and start again."
        )
    role = sql.Identifier(APP_ROLE)
    try:
        if not row:
            owner.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(role))
        owner.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Unavailable(
            f"The database user may not create the role {APP_ROLE}. As an administrator run "
            f"CREATE ROLE {APP_ROLE}; GRANT {APP_ROLE} TO the user of DATABASE_URL; then start again."
        ) from error


def grant_to_app(owner: psycopg.Connection) -> None:
    """Let the app's role use what the migrations made, and nothing more: no DDL, no TRUNCATE."""
    role = sql.Identifier(APP_ROLE)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}",
    ):
        owner.execute(sql.SQL(statement).format(role))
