"""A process that appends records one after the other and says how long the slowest waited.

Usage: ``python -m tests.audit.timed_appender FOLDER COUNT``.
"""

import sys
import time
from pathlib import Path

from tests.audit.records import not_applicable, recorder_in

if __name__ == "__main__":
    recorder = recorder_in(Path(sys.argv[1]))
    waits = []
    for _ in range(int(sys.argv[2])):
        record = not_applicable()
        began = time.monotonic()
        recorder.append(record)
        waits.append(time.monotonic() - began)
    recorder.close()
    waits.sort()
    sys.stdout.write(f"{waits[-1] * 1000:.0f} {waits[len(waits) // 2] * 1000:.1f}\n")
