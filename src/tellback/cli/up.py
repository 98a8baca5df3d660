"""`tellback up`: everything on one machine, supervised."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from tellback.cli.environment import ensure_secret_key, prepare_database_url, read_options, set_up_django
from tellback.cli.migrate import migrate_if_needed
from tellback.cli.web import listen
from tellback.config.brokers import named_broker
from tellback.config.options import Options
from tellback.edge.brokers import require_packages
from tellback.kernel.errors import Unavailable
from tellback.platform.postgres import EmbeddedPostgres, prepare_folder, start_embedded

console = Console(highlight=False)
STOP_SECONDS = 28
RESTARTS = 5
STEADY_SECONDS = 60
PR_SET_PDEATHSIG = 1


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty workspace with sample feedback.")] = False,
) -> None:
    """Start everything on this machine: database, web, worker, with a broker consume too. Ctrl-C stops it all.

    [bold]tellback up --demo[/] is the quickest look at Tellback.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # Also where a shell started us in the background with SIGINT ignored.
        signal.signal(number, _interrupt)
    options = read_options()
    if _storing(options):
        require_packages()
    prepare_folder(options.data_dir)
    with _only_one(options):
        # Children of an `up` that was killed give the port back within moments.
        listen(options.host, options.port, patience=2.0).close()
        _run(options, demo=demo)


def _run(options: Options, *, demo: bool) -> None:
    embedded = prepare_database_url(options)
    children: list[Child] = []
    try:
        ensure_secret_key(options)
        set_up_django()
        migrate_if_needed(options)
        _announce_and_run(options, embedded, children, demo=demo)
    except KeyboardInterrupt:
        # Once is enough: a second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        console.print("Stopping …")
    finally:
        _stop(children)
        if embedded:
            embedded.stop()


@contextlib.contextmanager
def _only_one(options: Options) -> Iterator[None]:
    """Holds the data folder for this `up`; the kernel lets go of it however we end."""
    with (options.data_dir / ".up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unavailable(
                f"Tellback is running already with the data in {options.data_dir}. Stop it first, or set "
                "TELLBACK_DATA_DIR to another folder."
            ) from error
        yield


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _announce_and_run(
    options: Options, embedded: EmbeddedPostgres | None, children: list["Child"], *, demo: bool
) -> None:
    from tellback.cli.bootstrap import ensure_installation
    from tellback.understanding.engine import finish_preparing_engine, start_preparing_engine

    preparing = start_preparing_engine()
    installation = ensure_installation()
    children += [Child("web", ["web"]), *_storing(options), Child("worker", ["worker"])]
    for child in children[:-1]:
        child.start()
    finish_preparing_engine(preparing)
    children[-1].start()
    base_url = (options.base_url or f"http://{options.host}:{options.port}").rstrip("/")
    _await_page(options, children)
    console.print(_welcome(options, base_url, installation), soft_wrap=True)
    if demo:
        children.append(Child("demo", ["demo", "load", "--quiet"], runs_once=True))
        children[-1].start()
    while True:
        time.sleep(0.5)
        if embedded and not embedded.is_alive():
            console.print("PostgreSQL ended; starting it again.", style="yellow")
            start_embedded(options.data_dir)
        for child in children:
            child.watch()


def _storing(options: Options) -> list["Child"]:
    """What stores the feedback that the edge hands to a broker; the edge itself does without one."""
    return [Child("consume", ["consume"])] if named_broker(options) else []


def _await_page(options: Options, children: list["Child"]) -> None:
    import httpx

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104 - read, not bound
    address = f"http://{f'[{host}]' if ':' in host else host}:{options.port}/livez"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children:
            child.watch()
        try:
            if httpx.get(address, timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise Unavailable("The web process did not answer within a minute. Look at its messages above.")


def _welcome(options: Options, base_url: str, installation: object) -> Text:
    from tellback.cli.bootstrap import Installation
    from tellback.workspaces.entry import entry_path

    assert isinstance(installation, Installation)
    rows = [("Open", base_url), ("Sign in", f"{base_url}{entry_path(user=installation.owner)}  (works once)")]
    if installation.password:
        rows.append(("or with", f"{installation.owner.email}  password {installation.password}"))
    if installation.api_key:
        rows += [("API key", installation.api_key), ("Widget key", str(installation.widget_key))]
        rows.append(("", "Keys and password are shown only now."))
    mail = "sent as TELLBACK_MAIL_URL says" if options.mail_url else f"kept, read it at {base_url}/admin/mailbox"
    if broker := named_broker(options):
        rows.append(("Feedback", f"comes in through {broker.kind} at {broker.hosts}"))
    rows += [("Mail", mail), ("Data", str(options.data_dir.resolve())), ("Stop", "Ctrl-C")]
    text = Text("\nTellback is running", style="bold")
    if options.database_url is None and options.environment == "local":
        text.append(" on this machine only (embedded PostgreSQL, plain HTTP)", style="not bold")
    text.append("\n\n")
    for label, value in rows:
        text.append(f"  {label:<11}", style="dim not bold").append(f"{value}\n", style="not bold")
    return text


@dataclass
class Child:
    """A process of ours: started, watched, started again when it falls."""

    name: str
    arguments: list[str]
    runs_once: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    falls: int = field(default=0)

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches only us."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tellback.cli", *self.arguments],
            # One heap for all threads of a process: glibc's default of one each keeps tens of megabytes unused.
            env={"MALLOC_ARENA_MAX": "2", **os.environ},
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has no other threads
        )

    def watch(self) -> None:
        """Start it again when it ended; give up when it keeps falling."""
        if self.process is None or self.process.poll() is None:
            return
        if self.runs_once:
            self.process = None
            return
        self.falls = 0 if time.monotonic() - self.started_at > STEADY_SECONDS else self.falls + 1
        if self.falls > RESTARTS:
            raise Unavailable(f"The {self.name} process ended {RESTARTS} times in a row. Look at its messages above.")
        console.print(
            f"The {self.name} process ended with {self.process.returncode}; starting it again.", style="yellow"
        )
        time.sleep(min(0.2 * 2**self.falls, 5))
        self.start()

    def ask_to_stop(self) -> None:
        """SIGTERM: finish or release what is held."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for it until the deadline, then end it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _die_with(parent: int) -> Callable[[], None] | None:
    """On Linux, have the kernel end the child when we are gone, however we went."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _stop(children: list[Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.end(deadline)
