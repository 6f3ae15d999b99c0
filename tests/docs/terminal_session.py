"""A reader who types the commands of a page: in one folder, in their order, with a server that runs beside them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from tests.docs.page_commands import Step
from tests.running import free_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
"""How long a command may take, and a server until it answers."""

_IN_A_CLONE = ("Makefile", "cards", "deploy", "fhir_fixtures", "pyproject.toml", "requirements-dev.txt")
_SERVICE_OF_THE_PAGE = "http://127.0.0.1:8000"
_FHIR_OF_THE_PAGE = "http://127.0.0.1:28081/fhir"
_IS_THERE = "-o .venv/.project -o .venv/.locked"
"""For make: the environment is there, whatever the dates of its files say."""


class Session:
    """One terminal for commands and one for a server; both in `folder`, which looks like a clone."""

    def __init__(self, folder: Path, fhir: str) -> None:
        self._folder = folder
        self._fhir = fhir
        self._port = free_port()
        self._log = folder / "server.log"
        self._server: subprocess.Popen[bytes] | None = None
        for name in _IN_A_CLONE:
            (folder / name).symlink_to(ROOT / name)
        (folder / ".venv").symlink_to(sys.prefix)

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def type(self, step: Step) -> str:
        """Type the commands of a step and return what was printed; nothing for a server, which goes on running."""
        script = step.script.replace(_SERVICE_OF_THE_PAGE, self._address).replace(_FHIR_OF_THE_PAGE, self._fhir)
        command = ["bash", "-euo", "pipefail", "-c", script.replace("make ", f"make {_IS_THERE} ")]
        if step.is_server:
            self._serve(command)
            return ""
        finished = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert finished.returncode == 0, f"line {step.line} ends with {finished.returncode}:\n{finished.stdout}"
        return self._as_on_the_page(finished.stdout)

    def logged(self) -> str:
        """Return what the server has written so far."""
        return self._as_on_the_page(self._log.read_text(encoding="utf-8"))

    def end(self) -> None:
        """Stop the server, if one runs."""
        if self._server is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGTERM)
        self._server.wait(SECONDS)
        self._server = None
        deadline = time.monotonic() + SECONDS
        while self._answers() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _serve(self, command: Sequence[str]) -> None:
        self.end()
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                command, cwd=self._folder, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            running = self._server.poll() is None and time.monotonic() < deadline
            assert running, f"{command[-1]} does not answer:\n{self.logged()}"
            time.sleep(0.1)

    def _environment(self) -> dict[str, str]:
        """Return a reader's environment: no settings but the port, which two readers cannot share."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "MAKE", "MFLAGS"))}
        return {**kept, "PORT": str(self._port), "CDS_PORT": str(self._port), "COLUMNS": "120"}

    def _answers(self) -> bool:
        """Say whether a server answers."""
        try:
            with urlopen(f"{self._address}/healthz", timeout=1):
                return True
        except OSError:
            return False

    def _as_on_the_page(self, text: str) -> str:
        return text.replace(self._address, _SERVICE_OF_THE_PAGE)


@contextmanager
def session(folder: Path, fhir: str) -> Iterator[Session]:
    """Open the terminals; the server is stopped at the end in any case.

    Args:
        folder: where the commands are typed; it must be empty.
        fhir: base URL of a FHIR server, instead of the one that the page names.
    """
    opened = Session(folder, fhir)
    try:
        yield opened
    finally:
        opened.end()
