"""Run an appending process with one system call that fails, or in which the process is killed.

Source: the method of Tessera (transparency-dev), which injects a fault at each call of an append by strace.
"""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cds.audit.offline.notes import VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from tests.audit.records import decision, recorder_in
from tests.required import REQUIRE_FAULTS, cannot

ROOT = Path(__file__).resolve().parents[2]
APPENDS = 3
SYSTEM_CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "unlink", "flock", "link", "mkdir", "openat")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Fault:
    """The `nth` of these system calls fails in this way, or is the process's last."""

    system_call: str
    fault: str
    nth: int


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is found after a process ended: records that were acknowledged and are lost, and what does not verify."""

    acknowledged: int
    lost: frozenset[str]
    problems: tuple[str, ...]


def strace() -> str:
    """Return the path of strace; skip the test where it cannot trace, or fail it where it must."""
    found = shutil.which("strace")
    if not found:
        cannot("strace is not installed", REQUIRE_FAULTS)
    if subprocess.run([found, "-o", "/dev/null", "true"], check=False, capture_output=True).returncode:
        cannot("this machine does not allow tracing", REQUIRE_FAULTS)
    return found


def calls_of_an_append(folder: Path, *, is_first: bool = False) -> Counter[str]:
    """Return how often a process that opens a log, appends and closes makes each system call that may fail."""
    _prepare(folder, is_first=is_first)
    trace = folder / "trace"
    _run(folder, "-e", f"trace={','.join(SYSTEM_CALLS)}", "-o", str(trace))
    calls = Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    own = Counter(re.findall(r"^\d+ +(openat)\([^\n]*/(?:data|keys)/", trace.read_text(), re.MULTILINE))
    return calls | own


def suffer(folder: Path, fault: Fault, *, is_first: bool = False) -> Aftermath:
    """Let a process append with a fault; then open the log again, append once more, and look.

    With `is_first` it is the process that makes the log and its keys.
    """
    _prepare(folder, is_first=is_first)
    done = _run(folder, "-o", "/dev/null", "-e", f"inject={fault.system_call}:{fault.fault}:when={fault.nth}")
    return look(folder, _ID.findall(done.stdout))


def suffer_change_of_key(folder: Path, fault: Fault) -> tuple[str, ...]:
    """Let a process change the key of a log with a fault; then open the log, append, and return what does not verify.

    Whichever key is in force then: the one before, or the new one, with both of which it must verify.
    """
    before = recorder_in(folder)
    before.append(decision())
    before.close()
    injected = f"inject={fault.system_call}:{fault.fault}:when={fault.nth}"
    _trace([sys.executable, "-m", "tests.audit.rotator", str(folder)], "-o", "/dev/null", "-e", injected)
    recorder = recorder_in(folder)
    recorder.append(decision())
    recorder.close()
    keys = [VerificationKey.parse(text) for text in dict.fromkeys((before.verification_key, recorder.verification_key))]
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        anchor = keys[-1].checkpoint((folder / "keys" / "checkpoint").read_text("utf-8"))
        return tuple(verify_stored(connection, keys, [anchor]).problems)


def calls_of_a_change_of_key(folder: Path) -> Counter[str]:
    """Return how often a process that changes a key makes each system call that may fail."""
    recorder_in(folder).close()
    trace = folder / "trace"
    command = [sys.executable, "-m", "tests.audit.rotator", str(folder)]
    _trace(command, "-e", f"trace={','.join(SYSTEM_CALLS)}", "-o", str(trace))
    return Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))


def look(folder: Path, acknowledged: list[str]) -> Aftermath:
    """Open a log after whatever happened to it, append once more, and say what is missing."""
    recorder = recorder_in(folder)
    recorder.append(decision())
    recorder.close()
    key = VerificationKey.parse(recorder.verification_key)
    with closing(sqlite3.connect(folder / "data" / "record.sqlite")) as connection:
        stored = {record_id for (record_id,) in connection.execute("SELECT id FROM entry")}
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        anchor = key.checkpoint((folder / "keys" / "checkpoint").read_text("utf-8"))
        verdict = verify_stored(connection, [key], [anchor])
    return Aftermath(len(acknowledged), frozenset(acknowledged) - stored, tuple(verdict.problems))


def _prepare(folder: Path, *, is_first: bool) -> None:
    if is_first:
        folder.mkdir(parents=True, exist_ok=True)
    else:
        recorder_in(folder).close()


def _run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return _trace([sys.executable, "-m", "tests.audit.appender", str(folder), str(APPENDS), "1"], *options)


def _trace(command: list[str], *options: str) -> "subprocess.CompletedProcess[str]":
    traced = [strace(), "-f", "--seccomp-bpf", *options, *command]
    return subprocess.run(traced, cwd=ROOT, check=False, capture_output=True, text=True)
