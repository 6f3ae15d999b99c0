"""One entry for each rule: what it needs, its citation, its cases and its review date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cds.engine.facts import name_of
from cds.engine.rules import Citation, Knowledge, Rule
from cds.knowledge.cases import read_case_lines
from cds.knowledge.inputs import sources_of


@dataclass(frozen=True, slots=True)
class RuleOverview:
    """A rule in a few words.

    Attributes:
        rows: the rows of the clinical rules that it implements.
        needs: the parts of the record that it reads, as people call them; empty if it asks only the order.
        citations: its sources with their grades, each once, the primary one first.
        cases: how many cases prove it; None where the folder of cases is not at hand.
        review_next: by which day it has to be reviewed again, as an ISO date.
    """

    id: str
    title: str
    kind: str
    rows: tuple[str, ...]
    needs: tuple[str, ...]
    citations: tuple[str, ...]
    cases: int | None
    reviewed_by: str
    reviewed_on: str
    review_next: str

    def is_overdue(self, today: date) -> bool:
        """Say whether the day by which the rule was to be reviewed again has passed."""
        return date.fromisoformat(self.review_next) < today

    def words(self, today: date) -> str:
        """Return the entry as lines of text."""
        cases = "not at hand" if self.cases is None else str(self.cases)
        overdue = "  OVERDUE" if self.is_overdue(today) else ""
        return "\n".join((
            f"{self.id} ({', '.join(self.rows)}; {self.kind.replace('_', ' ')}): {self.title}",
            f"    needs   {', '.join(self.needs) or 'the order alone'}",
            f"    source  {'; '.join(self.citations) or 'none: it decides which rules run, or what was not checked'}",
            f"    cases   {cases}",
            f"    review  {self.reviewed_on} ({self.reviewed_by}); next {self.review_next}{overdue}",
        ))  # fmt: skip


def overview(knowledge: Knowledge, cases: Path | None) -> tuple[RuleOverview, ...]:
    """Return an entry for every rule, in the order of the knowledge.

    Args:
        knowledge: the rules.
        cases: the folder of cases, which mirrors ``cards/``; None or a folder that is not there: not at hand.

    Raises:
        KnowledgeError: CDS-101 to CDS-103 if a file of cases is no strict YAML.
    """
    at_hand = cases if cases is not None and cases.is_dir() else None
    return tuple(_of(rule, knowledge, at_hand) for rule in knowledge.rules)


def overdue(entries: Iterable[RuleOverview], today: date) -> tuple[RuleOverview, ...]:
    """Return the rules whose review is overdue: knowledge that nobody answers for any more."""
    return tuple(entry for entry in entries if entry.is_overdue(today))


def _of(rule: Rule, knowledge: Knowledge, cases: Path | None) -> RuleOverview:
    return RuleOverview(
        id=rule.id,
        title=rule.title,
        kind=rule.kind,
        rows=rule.implements,
        needs=tuple(name_of(source) for source in sources_of(rule, knowledge.definitions)),
        citations=citations_of(rule),
        cases=len(read_case_lines(rule, cases)) if cases else None,
        reviewed_by=rule.reviewed_by,
        reviewed_on=rule.reviewed_on,
        review_next=rule.review_next,
    )


def citations_of(rule: Rule) -> tuple[str, ...]:
    """Return the rule's sources, each once, with the grades that they give."""
    cited: dict[str, list[Citation]] = {}
    for citation in rule.because:
        cited.setdefault(citation.label, []).append(citation)
    return tuple(_cited(label, citations) for label, citations in cited.items())


def _cited(label: str, citations: list[Citation]) -> str:
    grades = "; ".join(dict.fromkeys(graded(one.grade) for one in citations if one.grade))
    memory = ", from memory" if all(one.sure == "M" for one in citations) else ""
    return f"{label}{f' ({grades})' if grades else ''}{memory}"


def graded(grade: str) -> str:
    """Return a grade as people say it.

    >>> graded("B"), graded("Level 3")
    ('grade B', 'Level 3')
    """
    return f"grade {grade}" if len(grade) == 1 else grade
