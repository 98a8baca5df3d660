"""Getting a command ready to work: the database found or started, the secret key there, Django set up."""

import contextlib
import os
import secrets
from collections.abc import Iterator

import psycopg

from tellback.config.options import Options
from tellback.kernel.errors import Unavailable
from tellback.platform.postgres import EmbeddedPostgres, start_embedded


def read_options() -> Options:
    """The options of this process."""
    return Options()


def prepare_database_url(options: Options) -> EmbeddedPostgres | None:
    """Make the database reachable: check the one that is named, or start the embedded one and name it.

    Raises `Unavailable` with one sentence that says what to do.
    """
    if options.database_url is None:
        embedded = start_embedded(options.data_dir)
        os.environ["TELLBACK_EMBEDDED_URL"] = embedded.url
        return embedded
    url = options.database_url.get_secret_value()
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        raise Unavailable(
            f"Cannot connect to the database that DATABASE_URL names ({reason}). "
            "Correct DATABASE_URL, or unset it to use the embedded PostgreSQL."
        ) from error
    return None


def database_url(options: Options) -> str:
    """The address of the database, with the rights of its owner."""
    return options.database_url.get_secret_value() if options.database_url else os.environ["TELLBACK_EMBEDDED_URL"]


def ensure_secret_key(options: Options) -> None:
    """Use the secret key that is set, else the one kept in the data folder, made on the first start."""
    if options.secret_key is not None:
        return
    if options.environment == "production":
        raise Unavailable("Set TELLBACK_SECRET_KEY to a long random text: production does not start without one.")
    path = options.data_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        contextlib.suppress(FileExistsError),
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
    ):
        file.write(secrets.token_urlsafe(48))
    os.environ["TELLBACK_MADE_KEY"] = path.read_text().strip()


def set_up_django() -> None:
    """Make models and settings usable in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tellback.config.settings")
    import django

    django.setup()


@contextlib.contextmanager
def ready() -> Iterator[Options]:
    """Everything a command that talks to the database needs; an embedded server started for it is stopped again."""
    options = read_options()
    embedded = prepare_database_url(options)
    ensure_secret_key(options)
    set_up_django()
    try:
        yield options
    finally:
        from django.db import connections

        connections.close_all()
        if embedded and embedded.started_here:
            embedded.stop()
