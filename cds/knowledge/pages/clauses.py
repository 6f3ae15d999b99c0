"""A criterion in words, as a list that can be read from top to bottom."""

from collections.abc import Callable, Mapping
from typing import Any

from cds.engine.rules import (
    AllergyCriterion,
    AllOf,
    AnyOf,
    BloodPressureCriterion,
    ChildPughCriterion,
    ConditionCriterion,
    CountCriterion,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    FlagCriterion,
    GapCriterion,
    MedicationCriterion,
    Named,
    NotCriterion,
    ObservationCriterion,
    OrderCriterion,
    OtherOrderCriterion,
    PatientCriterion,
    ProcedureCriterion,
    Rule,
    RuleCriterion,
    TrialCriterion,
    UncodedCriterion,
    Unless,
)
from cds.knowledge.inputs import criteria_in
from cds.knowledge.pages import order_clauses, record_clauses
from cds.knowledge.pages.markdown import slug
from cds.knowledge.pages.phrases import Clause, Naming, spaced

_LEAVES: Mapping[type, Callable[[Any, Naming], str]] = {
    ConditionCriterion: record_clauses.condition,
    ProcedureCriterion: record_clauses.procedure,
    FlagCriterion: record_clauses.flag,
    AllergyCriterion: record_clauses.allergy,
    MedicationCriterion: record_clauses.medication,
    TrialCriterion: record_clauses.trials,
    ObservationCriterion: record_clauses.observation,
    BloodPressureCriterion: record_clauses.blood_pressure,
    ChildPughCriterion: record_clauses.child_pugh,
    CountCriterion: record_clauses.count,
    ExposureCriterion: record_clauses.exposure,
    OrderCriterion: order_clauses.order,
    DoseCriterion: order_clauses.dose,
    OtherOrderCriterion: order_clauses.other_order,
    UncodedCriterion: order_clauses.uncoded,
    PatientCriterion: order_clauses.patient,
    RuleCriterion: order_clauses.rule,
    GapCriterion: order_clauses.gap,
}


def clause_of(criterion: Criterion, naming: Naming) -> Clause:
    """Return a criterion in words; a named one is a link to the heading that bears its name."""
    if isinstance(criterion, Named):
        return Clause(_named(criterion, naming))
    if isinstance(criterion, AnyOf):
        return Clause("One of these:", tuple(clause_of(part, naming) for part in criterion.criteria))
    if isinstance(criterion, AllOf):
        return Clause("All of these:", tuple(clause_of(part, naming) for part in criterion.criteria))
    if isinstance(criterion, NotCriterion):
        return Clause("It is known that this does not hold:", (clause_of(criterion.criterion, naming),))
    if isinstance(criterion, Unless):
        held, exception = clause_of(criterion.criterion, naming), clause_of(criterion.exception, naming)
        return Clause(held.text, (*held.parts, Clause("unless it is known that:", (exception,))))
    return Clause(_LEAVES[type(criterion)](criterion, naming))


def anchors(rule: Rule) -> Mapping[str, str]:
    """Return the headings of a rule's named criteria; the second heading of one name on a page has a number."""
    names = {name: slug(spaced(name)) for name in named_in(rule)}
    return {name: f"{anchor}-1" if anchor == slug(rule.title) else anchor for name, anchor in names.items()}


def named_in(value: object) -> dict[str, Criterion]:
    """Return every named criterion in a rule or a part of one, in the order in which they are met."""
    return {one.name: one.criterion for one in criteria_in(value) if isinstance(one, Named)}


def _named(criterion: Named, naming: Naming) -> str:
    name, anchor = spaced(criterion.name), naming.anchors.get(criterion.name)
    return f"[{name}](#{anchor})" if anchor else name


def in_one_line(criterion: Criterion, naming: Naming) -> str:
    """Return a criterion in one line, for the condition beside a text."""
    clause = clause_of(criterion, naming)
    return _folded(clause)


def _folded(clause: Clause) -> str:
    if not clause.parts:
        return clause.text
    joined = {"One of these:": " or ", "All of these:": " and "}.get(clause.text, "; ")
    parts = joined.join(f"({_folded(part)})" if part.parts else _folded(part) for part in clause.parts)
    return parts if clause.text in {"One of these:", "All of these:"} else f"{clause.text} {parts}"
