"""``cds check``: can the knowledge be used, and what is in it?"""

import argparse
from pathlib import Path

from cds.cli.options import Commands, add_command, read_settings
from cds.engine.rules import Rule
from cds.knowledge.load import inspect


def add_commands(commands: Commands) -> None:
    """Add the command."""
    check = add_command(
        commands,
        "check",
        _check,
        "Check the clinical knowledge and list its rules.\n\n"
        "Every problem is named with its file and line. Each rule is listed with its source and its next review.",
        {0: "it can be used", 1: "it cannot"},
        "cds check\ncds check --knowledge cards",
    )
    check.add_argument("--knowledge", metavar="FOLDER", type=Path, help="folder to check (default: CDS_KNOWLEDGE_DIR)")


def _check(options: argparse.Namespace) -> int:
    folder = read_settings(knowledge_dir=options.knowledge).knowledge_dir
    knowledge, problems = inspect(folder)
    for problem in problems:
        print(problem)
    if knowledge is None or problems:
        print(f"{folder}: {len(problems)} problems. This knowledge cannot be used.")
        return 1
    for rule in knowledge.rules:
        print(_lines(rule))
    print(f"Version {knowledge.version}, {len(knowledge.rules)} rules, {len(knowledge.value_sets)} value sets")
    print(knowledge.digest)
    return 0


def _lines(rule: Rule) -> str:
    sources = dict.fromkeys(_cited(citation.label, citation.grade) for citation in rule.because)
    return "\n".join(
        (
            f"{rule.id} ({rule.kind})",
            f"    {'; '.join(sources) or 'local policy'}",
            f"    reviewed {rule.reviewed_on} by {rule.reviewed_by}; next review {rule.review_next}",
        )
    )


def _cited(label: str, grade: str) -> str:
    return f"{label} (grade {grade})" if grade else label
