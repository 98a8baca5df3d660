"""The tests' PostgreSQL itself, paused, killed and started again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from django.db import connections

from tellback.platform.postgres import start_embedded


class Server:
    """The server of a database, with all its processes."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        self.folder = Path(row[0])

    def processes(self) -> list[int]:
        """The postmaster and its children."""
        postmaster = int((self.folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No process of it moves within the block; connections stay open and are not answered."""
        stopped: list[int] = []
        try:
            # A child may be born while the others are stopped.
            while born := set(self.processes()) - set(stopped):
                for process in sorted(born):
                    stopped.append(process)
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in stopped:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """All of it dies at once, as without power; it is started again after the block."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        try:
            yield
        finally:
            start_embedded(self.folder.parent)
            # A later test of this process would meet a connection that has died.
            connections.close_all()
