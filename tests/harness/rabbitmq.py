"""A real RabbitMQ node for tests: Debian's package, with everything it writes in a folder of the test's own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness.processes import free_port, wait_until

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = 60


def require_rabbitmq() -> None:
    """Skip the test where RabbitMQ is not installed; where CI runs, that is a failure."""
    if SERVER.exists() and shutil.which("epmd"):
        return
    reason = "RabbitMQ is not installed here (Debian: apt-get install rabbitmq-server)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Node:
    """A node and its name server. Its own ports, cookie and folders keep it apart from any other on the machine."""

    folder: Path
    port: int = field(default_factory=free_port)
    names_port: int = field(default_factory=free_port)
    nodes_port: int = field(default_factory=free_port)
    started: float = 0.0
    _names: "subprocess.Popen[bytes] | None" = None
    _node: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Its address, as `TELLBACK_BROKER_URL` takes it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, with what it kept before, and return when it takes connections."""
        if self._names is None:
            names = ["epmd", "-address", "127.0.0.1", "-port", str(self.names_port)]
            self._names = subprocess.Popen(names, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.folder / "home").mkdir(exist_ok=True)
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        with (self.folder / "log").open("ab") as log:
            self._node = subprocess.Popen(
                [SERVER], env=self._environment(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        self.started = time.monotonic()
        wait_until(self._answers, seconds=START_SECONDS, what=f"RabbitMQ answers; see {self.folder / 'log'}")

    def kill(self) -> None:
        """End it at once, as without power."""
        if self._node is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._node.pid, signal.SIGKILL)
            self._node.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It stands still within the block: connections stay open, nothing is answered."""
        assert self._node
        os.killpg(self._node.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._node.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it and its name server."""
        self.kill()
        if self._names is not None:
            self._names.kill()
            self._names.wait()

    def _answers(self) -> bool:
        assert self._node is None or self._node.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": f"{folder}/home",
            "ERL_EPMD_PORT": str(self.names_port),
            "ERL_CRASH_DUMP": "/dev/null",
            "RABBITMQ_NODENAME": f"tellback{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.nodes_port),
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            # One scheduler and few threads: it serves one test.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +SDio 2",
        }


@contextmanager
def running_node() -> Iterator[Node]:
    """A node that runs within the block."""
    require_rabbitmq()
    folder = Path(tempfile.mkdtemp(prefix="tellback-rabbitmq-"))
    node = Node(folder)
    try:
        node.start()
        yield node
    finally:
        node.end()
        shutil.rmtree(folder, ignore_errors=True)
