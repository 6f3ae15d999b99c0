"""Which patient data a rule uses: worked out from its criteria, and compared with what its file states."""

from collections.abc import Iterator

from cds.engine.definitions import Definitions
from cds.engine.rules import PatientCriterion, Rule
from cds.errors import KnowledgeError
from cds.knowledge.attributes import SourceAttributes
from cds.knowledge.inputs import criteria_in, sets_in
from cds.knowledge.strict_yaml import Document


def check_uses(
    rule: Rule, document: Document, attributes: SourceAttributes, definitions: Definitions
) -> Iterator[KnowledgeError]:
    """Yield what a rule uses and does not state, and what it states and does not use."""
    used = frozenset(used_by(rule, attributes, definitions))
    where = document.where("uses")
    action = f"Write: uses: [{', '.join(sorted(used))}]" if used else "Take the line out."
    for name in sorted(used - rule.uses):
        yield KnowledgeError("CDS-105", where, f"The rule uses '{name}', and 'uses' does not say so.", action=action)
    for name in sorted(rule.uses - used):
        yield KnowledgeError("CDS-105", where, f"'uses' names '{name}', which no criterion reads.", action=action)


def used_by(rule: Rule, attributes: SourceAttributes, definitions: Definitions) -> Iterator[str]:
    """Yield which kinds of patient data the criteria of a rule read; a rule that it asks about is not followed."""
    criteria = tuple(criteria_in(rule))
    for criterion in criteria:
        if isinstance(criterion, PatientCriterion):
            yield from _of_patient(criterion)
    read = {name for criterion in criteria for name in sets_in(criterion, definitions)}
    yield from (kind for kind, sets in attributes.value_sets.items() if read & sets.keys())


def _of_patient(criterion: PatientCriterion) -> Iterator[str]:
    if criterion.sex:
        yield "sex"
    if criterion.age_below is not None or criterion.age_at_least is not None:
        yield "date_of_birth"
