"""`tellback doctor`: looks at an installation and says how to mend what is wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import psycopg
import typer

from tellback.cli.environment import (
    SECRET_LENGTH,
    database_url,
    ensure_secret_key,
    prepare_database_url,
    read_options,
    set_up_django,
    unsafe_settings,
)
from tellback.cli.output import AsJson, print_json, say
from tellback.config.brokers import named_broker
from tellback.config.options import Options
from tellback.kernel.errors import NotFound, TellbackError, Unavailable
from tellback.platform.schema import MINIMUM_VERSION
from tellback.platform.tenancy import APP_ROLE

if TYPE_CHECKING:
    from tellback.api.metrics import Watched

FREE_BYTES = 500 * 1024 * 1024
CLOCK_SECONDS = 5.0
MAX_LAG_SECONDS = 300
BROKER_SECONDS = 10.0


class Verdict(StrEnum):
    """How one look ended."""

    OK = "ok"
    HINT = "hint"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how to mend it."""

    check: str
    verdict: Verdict
    detail: str
    fix: str = ""


def doctor(as_json: AsJson = False) -> None:
    """Look at this installation: settings, database, queues, storage. Exit code 3 when something is wrong.

    Changes nothing. The embedded database is started for the look when it is not running.
    """
    findings = list(_examine())
    wrong = [finding for finding in findings if finding.verdict == Verdict.WRONG]
    if as_json:
        print_json({"ok": not wrong, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            typer.echo(f"{_MARKS[finding.verdict]} {finding.check}: {finding.detail}")
            if finding.fix:
                typer.echo(f"    {finding.fix}")
        say("Everything is in order." if not wrong else f"{len(wrong)} to mend, see above.")
    if wrong:
        raise typer.Exit(3)


_MARKS = {Verdict.OK: "✓", Verdict.HINT: "·", Verdict.WRONG: "✗"}


def ok(check: str, detail: str) -> Finding:
    """A look that found nothing wrong."""
    return Finding(check, Verdict.OK, detail)


def wrong(check: str, detail: str, fix: str) -> Finding:
    """A look that found something to mend."""
    return Finding(check, Verdict.WRONG, detail, fix)


def hint(check: str, detail: str, fix: str) -> Finding:
    """Good enough for one machine, worth knowing."""
    return Finding(check, Verdict.HINT, detail, fix)


def _examine() -> Iterator[Finding]:
    try:
        options = read_options()
    except TellbackError as error:
        fixes = "; ".join(f"{field.pointer}: {field.detail}" for field in error.errors)
        yield wrong("settings", error.detail, fixes)
        return
    yield ok("settings", "readable")
    yield from _examine_settings(options)
    yield from _examine_storage(options)
    yield from _examine_database(options)


def _examine_settings(options: Options) -> Iterator[Finding]:
    from tellback.platform.loop_config import load

    try:
        load(os.environ)
        yield ok("configuration file", str(options.config or "none, the defaults hold"))
    except TellbackError as error:
        fixes = "; ".join(f"{field.pointer}: {field.detail}" for field in error.errors)
        yield wrong("configuration file", error.detail, fixes or "Correct the file that TELLBACK_CONFIG names.")
    yield _secret(options)
    if options.environment == "local":
        for unsafe in unsafe_settings(options):
            if unsafe.pointer == "TELLBACK_BASE_URL":
                address = options.base_url or "not set"
                yield hint("address", f"{address}; fine on one machine", f"To go public, {unsafe.detail}.")
    else:
        yield ok("address", str(options.base_url))
    yield _mail(options)
    if options.files_url:
        yield _files(options.files_url.get_secret_value())
    if broker := named_broker(options):
        yield _broker(options, f"{broker.kind} at {broker.hosts}")
    if options.engine == "openai" and not (options.openai_api_key or options.openai_base_url):
        yield wrong("engine", "openai has neither key nor address", "Set OPENAI_API_KEY, or TELLBACK_ENGINE=local.")


def _secret(options: Options) -> Finding:
    if options.secret_key is None:
        path = options.data_dir / "secret_key"
        if path.exists() and path.stat().st_mode & 0o077:
            return wrong("secret key", f"others may read {path}", f"Run: chmod 600 {path}")
        return ok("secret key", f"made and kept in {path}")
    if len(options.secret_key.get_secret_value()) < SECRET_LENGTH:
        return wrong("secret key", "short", f"Set TELLBACK_SECRET_KEY to {SECRET_LENGTH} or more random characters.")
    return ok("secret key", "set and long enough")


def _mail(options: Options) -> Finding:
    from tellback.config.mail import mail_settings

    if options.mail_url is None:
        return _mail_provider()
    try:
        settings = mail_settings(options.mail_url.get_secret_value())
    except TellbackError as error:
        return wrong("mail", error.detail, "Correct TELLBACK_MAIL_URL.")
    if "EMAIL_HOST" not in settings:
        return ok("mail", f"through {options.mail_url.get_secret_value().partition(':')[0]}")
    import socket

    address = (settings["EMAIL_HOST"], settings["EMAIL_PORT"])
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        fix = "Check host and port of TELLBACK_MAIL_URL, and that a firewall lets mail out."
        return wrong("mail", f"{address[0]}:{address[1]} does not answer ({error})", fix)
    return ok("mail", f"{address[0]}:{address[1]} answers")


def _mail_provider() -> Finding:
    """What document 1's `notifications.provider` comes to when TELLBACK_MAIL_URL is not set."""
    from tellback.config.mail import PROVIDERS, provider_settings, variables_of
    from tellback.platform.loop_config import load

    try:
        provider = load(os.environ).config.notifications.provider
    except TellbackError:
        provider = None
    if provider_settings(provider, os.environ):
        return ok("mail", f"through {provider}")
    fix = f"Set {' and '.join(variables_of(provider))}." if provider in PROVIDERS else "Set TELLBACK_MAIL_URL."
    return hint("mail", "kept in the development mailbox, nobody is mailed", f"To send mail: {fix}")


def _files(url: str) -> Finding:
    from tellback.platform.files import Bucket, read_bucket_address

    where = f"bucket {read_bucket_address(url).bucket}"
    try:
        Bucket.at(url).get("doctor/asks-whether-somebody-answers")
    except NotFound:
        return ok("files", f"{where} answers")
    except TellbackError as error:
        return wrong(
            "files", f"{where}: {error.detail}", "Check address, key, secret and region in TELLBACK_FILES_URL."
        )
    return ok("files", f"{where} answers")


def _broker(options: Options, where: str) -> Finding:
    import asyncio

    from tellback.config.brokers import open_configured_broker
    from tellback.platform.endings import run

    async def look() -> Finding:
        broker = open_configured_broker(options)
        assert broker
        try:
            async with asyncio.timeout(BROKER_SECONDS):
                waiting = await broker.backlog()
        finally:
            await broker.close()
        if waiting.messages and waiting.consumers == 0:
            return wrong(
                "broker", f"{where}: {waiting.messages} messages wait, nobody stores them", "Run: tellback consume"
            )
        return ok("broker", f"{where} answers, {waiting.messages} messages wait")

    try:
        return run(look())
    except TimeoutError:
        detail = f"no answer within {BROKER_SECONDS:g} seconds"
    except TellbackError as error:
        detail = str(error.__cause__ or error.detail) if isinstance(error, Unavailable) else error.detail
    return wrong("broker", f"{where}: {detail}", "Check TELLBACK_BROKER_URL, and that the broker runs.")


def _examine_storage(options: Options) -> Iterator[Finding]:
    folder = options.data_dir.resolve()
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("ok")
        yield ok("storage", f"{folder} is writable")
    except OSError as error:
        yield wrong(
            "storage", f"{folder}: {error.strerror}", "Set TELLBACK_DATA_DIR to a folder that you may write to."
        )
        return
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GB free"
    if free < FREE_BYTES:
        yield wrong("disk", text, "Make room: PostgreSQL stops when the disk is full.")
    else:
        yield ok("disk", text)


def _examine_database(options: Options) -> Iterator[Finding]:
    try:
        embedded = prepare_database_url(options)
    except TellbackError as error:
        yield wrong("database", error.detail, "")
        return
    try:
        ensure_secret_key(options)
        set_up_django()
        with psycopg.connect(database_url(options), autocommit=True) as connection:
            for look in LOOKS:
                try:
                    yield look(connection)
                except psycopg.Error as error:
                    name = look.__name__.strip("_").replace("_", " ")
                    yield wrong(name, str(error).splitlines()[0], "Run: tellback migrate")
        yield from _alerts()
        yield from _sealed()
        yield from _themes()
    except TellbackError as error:
        yield wrong("database", error.detail, "")
    finally:
        if embedded and embedded.started_here:
            embedded.stop_unless_used()


def _database(connection: psycopg.Connection) -> Finding:
    version = connection.info.server_version
    if version < MINIMUM_VERSION:
        return wrong("database", f"PostgreSQL {version // 10000}", "Tellback needs PostgreSQL 16 or later.")
    return ok("database", f"PostgreSQL {version // 10000}.{version % 10000} answers")


def _pgvector(connection: psycopg.Connection) -> Finding:
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if row:
        return ok("pgvector", str(row[0]))
    there = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone()
    fix = "Run: tellback migrate" if there else "Install the package postgresql-NN-pgvector on the database server."
    return wrong("pgvector", "not in this database", fix)


def _migrations(connection: psycopg.Connection) -> Finding:
    from tellback.platform.health import pending_migrations

    missing = pending_migrations(connection)
    if missing:
        return wrong("migrations", f"{len(missing)} to apply, first {missing[0]}", "Run: tellback migrate")
    return ok("migrations", "all applied")


def _row_security(connection: psycopg.Connection) -> Finding:
    rows = connection.execute(
        """
        SELECT c.relname FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity
            AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'workspace_isolation'))
        ORDER BY 1
        """
    ).fetchall()
    if rows:
        names = ", ".join(str(row[0]) for row in rows)
        fix = "Workspaces could see each other's rows: restore the policies, or restore a backup."
        return wrong("row security", f"not forced on {names}", fix)
    return ok("row security", "forced on every table of a workspace")


def _role(connection: psycopg.Connection) -> Finding:
    row = connection.execute(
        "SELECT rolsuper, rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = r.oid) "
        "FROM pg_roles r WHERE rolname = %s",
        [APP_ROLE],
    ).fetchone()
    if row is None:
        return wrong("role", f"{APP_ROLE} does not exist", "Run: tellback migrate")
    if row[0] or row[1]:
        fix = f"As an administrator run: ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS;"
        return wrong("role", f"{APP_ROLE} may bypass row security", fix)
    if row[2]:
        fix = f"As an administrator run: REASSIGN OWNED BY {APP_ROLE} TO the owner of the database;"
        return wrong("role", f"{APP_ROLE} owns {row[2]} tables or indexes", fix)
    return ok("role", f"{APP_ROLE} cannot bypass row security")


def _clock(connection: psycopg.Connection) -> Finding:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    apart = abs((datetime.now(UTC) - row[0]).total_seconds())
    if apart > CLOCK_SECONDS:
        fix = "Let both machines keep time by NTP: leases and schedules compare the two."
        return wrong("clock", f"{apart:.0f} s apart from the database's", fix)
    return ok("clock", "agrees with the database's")


def _queues(connection: psycopg.Connection) -> Finding:
    from tellback.platform.health import queue_depths

    depths = queue_depths(connection)
    lag = max((depth.lag for depth in depths), default=0.0)
    failed = sum(depth.failed for depth in depths)
    if lag > MAX_LAG_SECONDS:
        fix = "Start a worker (tellback worker), or one more of them."
        return wrong("queues", f"the oldest waiting job is {lag / 60:.0f} minutes old", fix)
    if failed:
        fix = "See why with: tellback jobs list --failed, then: tellback jobs retry --all"
        return wrong("queues", f"{failed} failed {'job' if failed == 1 else 'jobs'}", fix)
    return ok("queues", "nothing waits long, nothing failed")


def _themes() -> Iterator[Finding]:
    """Themes of another embedding model than what arrives: the two cannot be compared, so those gain nothing."""
    from django.db import DatabaseError

    from tellback.platform.tenancy import in_workspace, list_workspace_ids
    from tellback.themes.selectors import count_of_former_models

    left = 0
    try:
        for workspace_id in list_workspace_ids():
            with in_workspace(workspace_id):
                left += count_of_former_models()
    except DatabaseError:
        return
    if not left:
        yield ok("themes", "all by the model that reads now")
        return
    fix = "Have everything read again with: tellback replay, look at the difference, and adopt it."
    yield wrong("themes", f"{left} by another model than the one that reads now; they gain nothing new", fix)


def _alerts() -> Iterator[Finding]:
    """Document 1's alerts; nothing when the database lacks what they count, which is told already."""
    from django.db import DatabaseError

    from tellback.api.metrics import totals, watch
    from tellback.platform.loop_config import get_loop_config

    try:
        yield from map(finding_of, watch(get_loop_config(), totals()))
    except DatabaseError:
        return


def _sealed() -> Iterator[Finding]:
    """Whether what is kept sealed opens, and needs a former secret to."""
    from django.db import DatabaseError

    from tellback.platform.digests import digest_key
    from tellback.platform.resealing import standings
    from tellback.platform.sealing import WrongSeal

    try:
        digest_key()
        former = sum(one.former for one in standings())
    except WrongSeal as error:
        yield wrong("sealed", "the key of digests does not open", f"{error.detail} See: tellback secret status")
        return
    except DatabaseError:
        return
    if former:
        yield hint("sealed", f"{former} under a former secret", "Seal them anew with: tellback secret reseal")
    else:
        yield ok("sealed", "everything is under the present secrets")


def finding_of(watched: "Watched") -> Finding:
    """An alert as a finding: what is critical is wrong, the others are hints."""
    alert = watched.alert
    detail = f"{alert.metric} is {watched.value:g}, from {alert.threshold:g} on it is {alert.severity}"
    if not watched.fires:
        return ok("alert", detail)
    make = wrong if alert.severity == "critical" else hint
    return make("alert", detail, "See /metrics and tellback jobs, or set another threshold in observability.alerts.")


LOOKS: tuple[Callable[[psycopg.Connection], Finding], ...] = (
    _database, _pgvector, _migrations, _row_security, _role, _clock, _queues,
)  # fmt: skip
