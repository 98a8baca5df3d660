"""`tellback up` as a person meets it: starting, stopping, crashing, and what it says when it cannot start."""

import getpass
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.harness.processes import Installation, Process, Queues, free_port, wait_until

pytestmark = pytest.mark.trust

START_SECONDS = 60


@pytest.fixture(scope="module")
def home() -> Iterator[Installation]:
    """An installation with an embedded database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tellback-home-"))
    made = Installation(
        environment={"TELLBACK_DATA_DIR": str(folder / "var"), "TELLBACK_PORT": str(free_port())},
        log=folder / "log",
    )
    yield made
    made.end()
    shutil.rmtree(folder, ignore_errors=True)


def is_up(home: Installation) -> bool:
    """Whether the pages' process answers that everything is ready."""
    try:
        address = f"http://127.0.0.1:{home.environment['TELLBACK_PORT']}/readyz"
        return httpx.get(address, timeout=3, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def start(home: Installation) -> Process:
    """An `up` that is ready and has said so."""
    home.log.write_text("")
    process = home.start("up")
    wait_until(lambda: "Ctrl-C" in home.log.read_text(), seconds=START_SECONDS, what="the block of addresses")
    assert is_up(home)
    return process


def processes_of(home: Installation) -> dict[int, str]:
    """Living processes that work on this installation's data, by id, with their command lines."""
    folder = home.environment["TELLBACK_DATA_DIR"]
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mine = f"TELLBACK_DATA_DIR={folder}".encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if command and (mine or folder in command):
            found[int(entry.name)] = command
    return found


def child(home: Installation, role: str) -> int:
    """The process id of a role."""
    return next(pid for pid, command in processes_of(home).items() if command.rstrip().endswith(f"tellback.cli {role}"))


@pytest.mark.timeout(150)
def test_up_starts_survives_every_crash_and_ends_without_a_trace(home: Installation) -> None:
    first = start(home)
    said = home.log.read_text()
    assert re.search(r"API key +tb_\S+", said)
    assert re.search(r"Widget key +pk_\S+", said)
    assert "on this machine only" in said

    second = home.run("up", TELLBACK_PORT=str(free_port()))
    assert second.returncode == 1
    assert "running already" in second.stderr

    old = child(home, "web")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: is_up(home) and child(home, "web") != old, seconds=20, what="another web process")

    postmaster = int((Path(home.environment["TELLBACK_DATA_DIR"]) / "postgres/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_until(lambda: not is_up(home), seconds=5, what="the detector fires: not ready without a database")
    wait_until(lambda: is_up(home), seconds=30, what="the database started again")
    assert "PostgreSQL ended" in home.log.read_text()

    first.kill()
    first.wait()
    wait_until(
        lambda: all("postgres" in command for command in processes_of(home).values()),
        seconds=30,
        what="web and worker end when up is killed",
    )

    again = start(home)
    assert "API key" not in home.log.read_text()
    again.send_signal(signal.SIGINT)
    assert again.wait(30) == 0
    assert processes_of(home) == {}
    assert "Traceback" not in home.log.read_text()


@pytest.mark.timeout(60)
def test_a_process_file_whose_number_belongs_to_somebody_else_does_not_block_a_start(home: Installation) -> None:
    postgres = Path(home.environment["TELLBACK_DATA_DIR"]) / "postgres"
    if not postgres.exists():
        assert home.run("migrate").returncode == 0
    left = f"{os.getpid()}\n{postgres}\n1700000000\n5432\n{postgres}\n\n  1234 5678\nready   \n"
    (postgres / "postmaster.pid").write_text(left)
    done = home.run("migrate")
    assert done.returncode == 0, done.stderr
    assert processes_of(home) == {}


def refused(home: Installation, *arguments: str, **more: str) -> str:
    """The one sentence of a command that cannot start."""
    done = home.run(*arguments, **more)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("tellback: ")
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr


def test_a_taken_port_is_one_sentence_that_says_what_to_do(home: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "TELLBACK_PORT" in refused(home, "up", TELLBACK_PORT=port)


def test_an_unwritable_folder_is_one_sentence_that_says_what_to_do(home: Installation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "TELLBACK_DATA_DIR" in refused(home, "up", TELLBACK_DATA_DIR=str(tmp_path / "file" / "var"))
    if getpass.getuser() != "root":
        (tmp_path / "locked").mkdir(mode=0o500)
        assert "TELLBACK_DATA_DIR" in refused(home, "up", TELLBACK_DATA_DIR=str(tmp_path / "locked"))


@pytest.mark.parametrize("url", ["postgresql://nobody:wrong@127.0.0.1:1/none", "nonsense"])
def test_a_wrong_database_url_is_one_sentence_that_says_what_to_do(home: Installation, url: str) -> None:
    said = refused(home, "up", DATABASE_URL=url, TELLBACK_PORT=str(free_port()))
    assert "DATABASE_URL" in said
    assert "wrong@" not in said


def test_a_server_without_pgvector_is_one_sentence_that_says_what_to_do(home: Installation, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE bare")
    bare = database_url.replace("/tellback?", "/bare?")
    try:
        with psycopg.connect(bare, autocommit=True) as owner:
            owner.execute("CREATE SCHEMA hidden")
            owner.execute("CREATE VIEW hidden.pg_available_extensions AS SELECT ''::text AS name WHERE false")
        hiding = f"{bare}&options=-csearch_path%3Dhidden,pg_catalog,public"
        assert "pgvector" in refused(home, "up", DATABASE_URL=hiding, TELLBACK_PORT=str(free_port()))
        assert home.run("migrate", DATABASE_URL=bare).returncode == 0
    finally:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("DROP DATABASE bare WITH (FORCE)")


def test_production_refuses_unsafe_settings_and_names_each(home: Installation) -> None:
    done = home.run("up", TELLBACK_ENVIRONMENT="production", TELLBACK_SECRET_KEY="short")
    assert done.returncode == 2
    assert "TELLBACK_SECRET_KEY" in done.stderr
    assert "TELLBACK_BASE_URL" in done.stderr


def test_the_health_of_a_running_web_process_is_the_truth(installation: Installation, queues: Queues) -> None:
    port = free_port()
    web = installation.start("web", TELLBACK_PORT=str(port))
    address = f"http://127.0.0.1:{port}"

    def answers(path: str) -> int | None:
        try:
            return httpx.get(address + path, timeout=6, trust_env=False).status_code
        except httpx.HTTPError:
            return None

    wait_until(lambda: answers("/livez") == 200, seconds=30, what="a web process")
    assert answers("/readyz") == 200
    shut = queues.url.replace("/harness?", "/postgres?")

    def door(state: str) -> None:
        with psycopg.connect(shut, autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE harness ALLOW_CONNECTIONS {state}")
            if state == "false":
                owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'harness'")

    faults = [
        ("a migration is missing", "UPDATE django_migrations SET name = name || '-' WHERE app = 'platform'",
         "UPDATE django_migrations SET name = rtrim(name, '-') WHERE app = 'platform'"),
        ("a job has waited for an hour", "INSERT INTO procrastinate_jobs (task_name, queue_name, args, scheduled_at) "
         "VALUES ('x', 'effects', '{}', now() - interval '1 hour')", "DELETE FROM procrastinate_jobs"),
        ("there are no tables", "ALTER TABLE django_migrations RENAME TO mislaid",
         "ALTER TABLE mislaid RENAME TO django_migrations"),
        ("the app may not read the queue", "REVOKE SELECT ON procrastinate_jobs FROM tellback_app",
         "GRANT SELECT ON procrastinate_jobs TO tellback_app"),
    ]  # fmt: skip
    for what, harm, mend in faults:
        queues.rows(harm)
        assert (answers("/livez"), answers("/readyz")) == (200, 503), what
        queues.rows(mend)
        assert answers("/readyz") == 200, what
    web.send_signal(signal.SIGSTOP)
    assert (answers("/livez"), answers("/readyz")) == (None, None), "a process that stands still"
    web.send_signal(signal.SIGCONT)
    assert (answers("/livez"), answers("/readyz")) == (200, 200)
    door("false")
    assert (answers("/livez"), answers("/readyz"), answers("/metrics")) == (200, 503, 200)
    stranger = httpx.get(f"{address}/readyz", headers={"x-forwarded-for": "203.0.113.7"}, trust_env=False, timeout=6)
    assert stranger.json() == {"status": "unavailable"}
    door("true")
    wait_until(lambda: answers("/readyz") == 200, seconds=10, what="ready again by itself")
    metrics = httpx.get(f"{address}/metrics", trust_env=False).text
    assert "tellback_database_up 1.0" in metrics
    web.send_signal(signal.SIGTERM)
    assert web.wait(30) == 0
