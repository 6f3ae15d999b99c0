"""A process that appends records and says which were acknowledged.

Usage: ``python -m tests.audit.appender FOLDER COUNT TASKS``.

COUNT 0 goes on until the process is killed; so many TASKS append at a time.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from cds.audit.writer import Recorder
from cds.errors import AuditError
from tests.audit.records import decision, recorder_in


async def append_all(recorder: Recorder, count: int, tasks: int) -> None:
    """Append `count` records from several tasks; print each id once `append_async` has returned."""
    numbers = iter(range(count)) if count else itertools.count()

    async def append_some() -> None:
        for _ in numbers:
            record = decision()
            await recorder.append_async(record)
            sys.stdout.write(f"{record.call.record_id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(append_some() for _ in range(tasks)))


if __name__ == "__main__":
    opened = recorder_in(Path(sys.argv[1]))
    try:
        asyncio.run(append_all(opened, int(sys.argv[2]), int(sys.argv[3])))
    except AuditError as failed:
        sys.stdout.write(f"{failed.code} healthy={opened.healthy}\n")
    opened.close()
