"""`tellback web`: the web process."""

import contextlib
import errno
import resource
import signal
import socket
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from tellback.cli.environment import ensure_secret_key, prepare_database_url, read_options, set_up_django
from tellback.kernel.errors import Unavailable

#: Open files that one process can make use of.
MOST_FILES = 65_536


def web(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", envvar="TELLBACK_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", envvar="TELLBACK_PORT")] = None,
) -> None:
    """Serve the pages, the API and the intake. Run as many as you like.

    /livez says whether the process lives, /readyz whether it can work.

    Example: [bold]tellback web --host 0.0.0.0 --port 80[/]
    """
    import uvicorn

    from tellback.config.brokers import named_broker
    from tellback.config.http import PatientProtocol
    from tellback.edge.brokers import require_packages
    from tellback.platform.endings import run

    _allow_many_connections()
    options = read_options()
    if named_broker(options):
        require_packages()
    listener = listen(host or options.host, options.port if port is None else port)
    embedded = prepare_database_url(options)
    ensure_secret_key(options)
    set_up_django()
    _keep_static_files()
    server = uvicorn.Server(
        uvicorn.Config(
            "tellback.config.asgi:application",
            loop="uvloop",
            http=PatientProtocol,
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=20,
            timeout_keep_alive=15,
            proxy_headers=True,
        )
    )
    # Uvicorn raises the signal again when it has stopped; stopping as asked is no failure.
    with contextlib.suppress(KeyboardInterrupt), _ending_well():
        run(server.serve(sockets=[listener]), loop_factory=server.config.get_loop_factory())
    if embedded and embedded.started_here:
        embedded.stop_unless_used()


def _allow_many_connections() -> None:
    """As many open files as the system lets us have: each connection is one, and the usual limit is for shells."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(least, wanted), most))


def _keep_static_files() -> None:
    from django.conf import settings

    from tellback.web.static_files import keep_static_files

    keep_static_files(settings.KEPT_STATIC_FILES)


@contextlib.contextmanager
def _ending_well() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def listen(host: str, port: int, *, patience: float = 0.0) -> socket.socket:
    """A listening socket, tried for `patience` seconds. Raises `Unavailable` with what to do."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _bind(host, port)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise Unavailable(f"Cannot listen on {host}:{port} ({error.strerror}). {_advice(error)}") from error


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Another program uses it: stop that, or set TELLBACK_PORT to a free port."
    if error.errno == errno.EACCES:
        return "Ports below 1024 need more rights: set TELLBACK_PORT to a higher one."
    return "Set TELLBACK_HOST to an address of this machine, for instance 127.0.0.1."
