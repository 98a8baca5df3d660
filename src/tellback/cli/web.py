"""`tellback web`: the web process."""

import socket
from typing import Annotated

import typer

from tellback.cli.environment import ensure_secret_key, prepare_database_url, read_options, set_up_django
from tellback.kernel.errors import Unavailable


def web(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", envvar="TELLBACK_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", envvar="TELLBACK_PORT")] = None,
) -> None:
    """Serve the pages, the API and the intake. Run as many as you like."""
    import uvicorn

    options = read_options()
    listener = listen(host or options.host, options.port if port is None else port)
    prepare_database_url(options)
    ensure_secret_key(options)
    set_up_django()
    server = uvicorn.Server(
        uvicorn.Config(
            "tellback.config.asgi:application",
            loop="uvloop",
            http="httptools",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=20,
            timeout_keep_alive=15,
            proxy_headers=True,
        )
    )
    server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `Unavailable` with what to do when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Cannot listen on {host}:{port} ({error.strerror}). Another program uses it: stop that, or set "
            "TELLBACK_PORT to a free port."
        ) from error
    listener.listen(1024)
    return listener
