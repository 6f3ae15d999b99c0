"""Check a folder of clinical knowledge: ``python -m cds.knowledge.check cards/`` prints every problem with its line.

If there is none, it lists for each rule what it needs, its sources, its cases and its next review.

Exit status: 0 the knowledge can be used; 1 it cannot, or the review of a rule is overdue; 2 the folder does not exist.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from cds.engine.rules import Knowledge
from cds.knowledge.load import inspect
from cds.knowledge.overview import overdue, overview


def main(arguments: Sequence[str]) -> int:
    """Check the folder named, or ``cards/``, and return the exit status."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder)
    if not folder.is_dir():
        print(f"There is no folder {options.folder}.", file=sys.stderr)
        return 2
    knowledge, problems = inspect(folder, options.site_policy)
    for problem in problems:
        print(problem)
    if knowledge is None:
        print(f"{options.folder}: {len(problems)} problems. This knowledge cannot be used.")
        return 1
    late = _list(knowledge, options.cases or folder.parent / "tests" / folder.name, options.today)
    print(f"{options.folder}: version {knowledge.version}, {len(knowledge.rules)} rules, {knowledge.digest}")
    if late:
        print(f"The review of {late} rules is overdue.")
    return 1 if late else 0


def _list(knowledge: Knowledge, cases: Path, today: date) -> int:
    """Print an entry for each rule, and return how many reviews are overdue."""
    entries = overview(knowledge, cases)
    for entry in entries:
        print(entry.words(today))
    return len(overdue(entries, today))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cds.knowledge.check", description="Check clinical knowledge.")
    parser.add_argument("folder", nargs="?", default="cards")
    parser.add_argument("--cases", type=Path, help="folder of cases (default: tests/cards beside cards)")
    parser.add_argument("--site-policy", type=Path, help="the site's own numbers (default: site_policy.yaml in it)")
    parser.add_argument(
        "--today", type=date.fromisoformat, default=datetime.now(UTC).date(), help="day of the check, YYYY-MM-DD"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
