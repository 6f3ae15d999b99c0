"""``cds check``: can the knowledge be used, what is in it, and is anybody's review overdue?"""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from cds.cli.options import Commands, add_command, read_settings
from cds.knowledge.load import inspect
from cds.knowledge.overview import overdue, overview


def add_commands(commands: Commands) -> None:
    """Add the command."""
    check = add_command(
        commands,
        "check",
        _check,
        "Check the clinical knowledge and list its rules.\n\n"
        "Every problem is named with its file and line. Each rule is listed with what it needs, its sources, how many\n"
        "cases prove it, and its next review.",
        {0: "it can be used", 1: "it cannot, or the review of a rule is overdue"},
        "cds check\ncds check --knowledge cards --today 2027-01-15",
    )
    check.add_argument("--knowledge", metavar="FOLDER", type=Path, help="folder to check (default: CDS_KNOWLEDGE_DIR)")
    check.add_argument("--cases", metavar="FOLDER", type=Path, help="its cases (default: tests/cards beside cards)")
    check.add_argument(
        "--today",
        metavar="DAY",
        type=date.fromisoformat,
        default=datetime.now(UTC).date(),
        help="day for which reviews are due, such as 2027-01-15 (default: today)",
    )


def _check(options: argparse.Namespace) -> int:
    settings = read_settings(knowledge_dir=options.knowledge)
    folder: Path = settings.knowledge_dir
    knowledge, problems = inspect(folder, settings.site_policy)
    for problem in problems:
        print(problem)
    if knowledge is None or problems:
        print(f"{folder}: {len(problems)} problems. This knowledge cannot be used.")
        return 1
    rules = overview(knowledge, options.cases or folder.parent / "tests" / folder.name)
    for rule in rules:
        print(rule.words(options.today))
    print(f"Version {knowledge.version}, {len(knowledge.rules)} rules, {len(knowledge.value_sets)} value sets")
    print(knowledge.digest)
    late = overdue(rules, options.today)
    if late:
        print(f"The review of {len(late)} rules is overdue: {', '.join(rule.id for rule in late)}.")
    return 1 if late else 0
