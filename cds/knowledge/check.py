"""Check a folder of clinical knowledge: ``python -m cds.knowledge.check cards/`` prints every problem with its line.

Exit status: 0 the knowledge can be used, 1 it cannot, 2 the folder does not exist.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from cds.knowledge.load import inspect


def main(arguments: Sequence[str]) -> int:
    """Check the folders named, or ``cards/``, and return the exit status."""
    status = 0
    for name in arguments or ("cards",):
        folder = Path(name)
        if not folder.is_dir():
            print(f"There is no folder {name}.", file=sys.stderr)
            return 2
        knowledge, problems = inspect(folder)
        for problem in problems:
            print(problem)
        if knowledge is None:
            print(f"{name}: {len(problems)} problems. This knowledge cannot be used.")
            status = 1
        else:
            print(f"{name}: version {knowledge.version}, {len(knowledge.rules)} rules, {knowledge.digest}")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
