"""Getting a command ready to work: the database found or started, the secret key there, Django set up."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
from pydantic import ValidationError

from tellback.config.options import Options, variable_of
from tellback.kernel.errors import FieldError, Invalid, Unavailable
from tellback.platform.postgres import EmbeddedPostgres, start_embedded

SECRET_LENGTH = 32


def read_options() -> Options:
    """The options of this process. Raises `Invalid` for values that make no sense, and unsafe ones in production."""
    try:
        options = Options()
    except ValidationError as error:
        problems = [FieldError(variable_of(str(one["loc"][0])), one["msg"]) for one in error.errors()]
        raise Invalid("A setting in the environment is wrong:", errors=problems) from None
    except OSError as error:
        raise Invalid(f"Cannot read a file that a setting names: {error.filename} ({error.strerror}).") from error
    unsafe = unsafe_settings(options) if options.environment == "production" else []
    if unsafe:
        raise Invalid("Production does not start with unsafe settings:", errors=unsafe)
    return options


def unsafe_settings(options: Options) -> list[FieldError]:
    """What is good enough for one machine and not for production, each with what to do."""
    found = []
    secret = options.secret_key.get_secret_value() if options.secret_key else ""
    if len(secret) < SECRET_LENGTH or len(set(secret)) < 8:
        found.append(FieldError("TELLBACK_SECRET_KEY", f"set it to {SECRET_LENGTH} or more random characters"))
    if not (options.base_url or "").startswith("https://"):
        found.append(FieldError("TELLBACK_BASE_URL", "set it to the public address, beginning with https://"))
    return found


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
    """Use the secret key that is set, else the one kept in the data folder, made on the first start.

    One that lies there when another is set is still read.
    """
    path = options.data_dir / "secret_key"
    if options.secret_key is not None:
        with contextlib.suppress(OSError):
            os.environ["TELLBACK_MADE_KEY"] = path.read_text().strip()
        return
    try:
        _make_key(path)
        os.environ["TELLBACK_MADE_KEY"] = path.read_text().strip()
    except OSError as error:
        raise Unavailable(
            f"Cannot use {path} ({error.strerror}). Set TELLBACK_DATA_DIR to a folder that you may write to, or set "
            "TELLBACK_SECRET_KEY."
        ) from error


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        contextlib.suppress(FileExistsError),
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
    ):
        file.write(secrets.token_urlsafe(48))


def set_up_django() -> None:
    """Make models and settings usable in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tellback.config.settings")
    import django

    django.setup()


def require_migrated(options: Options) -> None:
    """Raises `Unavailable` when this version's tables are not there yet. Needs Django set up."""
    from tellback.platform.health import pending_migrations

    with psycopg.connect(database_url(options)) as connection:
        missing = pending_migrations(connection)
    if missing:
        raise Unavailable(f"The database lacks {len(missing)} migrations of this version. Run: tellback migrate")


@contextlib.contextmanager
def ready() -> Iterator[Options]:
    """Everything a command that talks to the database needs; an embedded server started for it is stopped again.

    It is left running while another command, web or worker is connected.
    """
    options = read_options()
    embedded = prepare_database_url(options)
    try:
        ensure_secret_key(options)
        set_up_django()
        require_migrated(options)
        yield options
    finally:
        _close_connections()
        if embedded and embedded.started_here:
            embedded.stop_unless_used()


def _close_connections() -> None:
    """Close what Django holds open: the pool's connections would count as somebody else's."""
    from django.apps import apps
    from django.db import connections

    if apps.ready:
        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]
