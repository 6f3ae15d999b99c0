"""Start a server as a process of its own, wait until it answers, and stop it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

START_SECONDS = 30
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process id, its port on 127.0.0.1, and what was set in its environment."""

    pid: int
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the CPU time (user and system) that the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


@contextmanager
def serving(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a program of this environment with ``--port PORT`` until the block ends.

    It is up when ``/healthz`` answers, within `START_SECONDS`.

    Raises:
        RuntimeError: when the server does not start.
    """
    port = _free_port()
    program = Path(sys.executable).with_name(arguments[0])
    command = [str(program), *arguments[1:], "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, **environment}) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}/healthz")
            yield Server(process.pid, port, environment)
        finally:
            process.terminate()


@contextmanager
def serving_cds(environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run ``cds serve`` with a record and keys of its own, which are removed at the end."""
    with TemporaryDirectory() as folder:
        places = {
            "CDS_DATABASE": f"{folder}/record/record.sqlite",
            "CDS_PSEUDONYM_KEY": f"{folder}/keys/pseudonym.key",
            "CDS_LOG_LEVEL": "warning",
        }
        with serving(["cds", "serve"], {**places, **(environment or {})}) as server:
            yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    how = "did not answer in time" if process.poll() is None else f"ended with exit status {process.returncode}"
    raise RuntimeError(f"The server for {url} {how}")
