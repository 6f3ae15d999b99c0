"""Kill a process that appends for many tasks at once."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.crash.faults import ROOT, Aftermath, look

TASKS = 32


def kill_under_load(folder: Path, acknowledged: int) -> Aftermath:
    """Start appending to the log in `folder`, kill after so many acknowledged records, and look what is left."""
    command = [sys.executable, "-m", "tests.audit.appender", str(folder), "0", str(TASKS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        lines = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    return look(folder, [line.strip() for line in lines if line.endswith("\n")])
