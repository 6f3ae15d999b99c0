"""Run a program as a user whom file permissions stop, which root is not."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """Give a folder that every user may enter; those of pytest are private."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def run_as_another_user(program: str, path: Path) -> str:
    """Return what a Python program prints; it gets the path as its argument, and changes user first if it is root."""
    change = "import os\nif os.geteuid() == 0: os.setuid(65534)\n"
    command = [sys.executable, "-c", program.replace("CHANGE_USER\n", change), str(path)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
