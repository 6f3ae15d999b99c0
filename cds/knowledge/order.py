"""The order of rules, in which a rule comes after those it asks about."""

from collections.abc import Iterator, Sequence

from cds.errors import KnowledgeError
from cds.knowledge.rule_file import FOLDERS, RuleFile

_KINDS = list(FOLDERS)


def in_order(files: Sequence[RuleFile]) -> tuple[list[RuleFile], list[KnowledgeError]]:
    """Return the rules by kind and id, each after those it asks about, and an error for every circle."""
    by_id = {file.text.id: file for file in files}
    ordered: dict[str, RuleFile] = {}
    problems: list[KnowledgeError] = []

    def place(file: RuleFile, asked_by: tuple[str, ...]) -> None:
        if file.text.id in asked_by:
            circle = " asks ".join((*asked_by[asked_by.index(file.text.id) :], file.text.id))
            problems.append(KnowledgeError("CDS-109", file.document.where("levels"), f"A circle of rules: {circle}."))
        elif file.text.id not in ordered:
            for name in asked(file):
                if name in by_id:
                    place(by_id[name], (*asked_by, file.text.id))
            ordered[file.text.id] = file

    for file in sorted(files, key=lambda file: (asks_for_gaps(file), _KINDS.index(file.text.kind), file.text.id)):
        place(file, ())
    return list(ordered.values()), problems


def asks_for_gaps(file: RuleFile) -> bool:
    """Say whether a rule asks what could not be judged: it comes last, when every other rule has its verdict."""
    return any(criterion.gap is not None for _, criterion in file.criteria)


def asked(file: RuleFile) -> Iterator[str]:
    """Yield the ids of the rules that a rule asks about."""
    for _, criterion in file.criteria:
        if criterion.rule is not None:
            yield from criterion.rule.rules
