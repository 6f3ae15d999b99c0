"""A process that changes the key of a log and says the new one: ``python -m tests.audit.rotator FOLDER``."""

import sys
from pathlib import Path

from cds.audit.keys import KeyFiles
from cds.errors import AuditError
from tests.audit.records import recorder_in

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    opened = recorder_in(folder)
    try:
        sys.stdout.write(f"{opened.change_key(KeyFiles(folder / 'keys' / 'pseudonym.key'))}\n")
    except AuditError as failed:
        sys.stdout.write(f"{failed.code}\n")
    opened.close()
