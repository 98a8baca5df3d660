"""`tellback migrate`: bring the database up to date."""

import os
import subprocess
import sys

import psycopg

from tellback.cli.environment import database_url, ensure_secret_key, prepare_database_url, read_options
from tellback.config.options import Options
from tellback.kernel.errors import Unavailable
from tellback.platform.schema import grant_to_app, prepare_database


def migrate() -> None:
    """Bring the database up to date. Safe to repeat; run it before starting a new version's processes.

    [bold]tellback up[/] does this by itself.
    """
    options = read_options()
    embedded = prepare_database_url(options)
    ensure_secret_key(options)
    try:
        migrate_database(options)
    finally:
        if embedded and embedded.started_here:
            embedded.stop_unless_used()


def migrate_if_needed(options: Options) -> None:
    """The same as `migrate_database`, and quick when there is nothing to do. Needs Django set up."""
    from tellback.platform.health import pending_migrations

    with psycopg.connect(database_url(options), autocommit=True) as owner:
        prepare_database(owner)
        up_to_date = not pending_migrations(owner)
    if not up_to_date:
        migrate_database(options)


def migrate_database(options: Options) -> None:
    """Prepare, migrate and grant, as the schema's owner. One process at a time, held by an advisory lock.

    Raises `Unavailable` when the server lacks something, saying what.
    """
    url = database_url(options)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SELECT pg_advisory_lock(hashtext('tellback.migrate'))")
        prepare_database(owner)
        # Another process, since Django connects as one role for its whole life and the app's is not the owner.
        done = subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
            env={**os.environ, "TELLBACK_DB_AS_OWNER": "1", "DJANGO_SETTINGS_MODULE": "tellback.config.settings"},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise Unavailable(f"The migrations stopped: {last[0]} Nothing was half-applied; correct it and run again.")
        grant_to_app(owner)
