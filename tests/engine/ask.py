"""Asking the engine: rules made for a test, assessed against the published definitions and value sets."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from hypothesis import settings

from cds.engine.assess import assess
from cds.engine.assessment import Assessment, Finding
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import (
    HookContext,
    Medication,
    PatientFacts,
)
from cds.engine.order import Order, OrderContext, Purpose
from cds.engine.rules import Applicability, CardText, Citation, Criterion, Knowledge, Level, Line, Rule, SuggestionText
from cds.knowledge.load import load_knowledge
from tests.engine.build import AT, order

FEW = settings(max_examples=40, deadline=None)  # enough for small domains, and fast
ANY_ORDER = Applicability(contexts=dict.fromkeys(OrderContext, Level.INFO))


@cache
def published() -> Knowledge:
    """Return the knowledge of cards/, loaded once."""
    return load_knowledge(Path(__file__).resolve().parents[2] / "cards")


def hook(name: str = "order-select", *, zone: str = "UTC", in_encounter: str = "") -> HookContext:
    """Return the context of a call."""
    return HookContext(name, "amara", in_encounter, zone)


def read(
    knowledge: Knowledge,
    medication: Medication,
    facts: PatientFacts,
    context: HookContext | None = None,
    at: datetime = AT,
) -> Order:
    """Return the order as it is read; it must be one for ketamine or esketamine."""
    found = read_order(medication, facts, context or hook(), knowledge, at)
    assert found is not None
    return found


def rule(
    name: str = "rule_of_the_test",
    levels: Mapping[Level, Criterion] | None = None,
    *,
    topic: str = "KETTEST1",
    kind: str = "contraindication",
    family: str = "",
    applies: Applicability = ANY_ORDER,
    summary: str = "",
    detail: tuple[Line, ...] = (),
    because: tuple[Citation, ...] = (Citation("cohen", "Cohen 2018", "Says so.", "B"),),
    joins: Mapping[Level, str] | None = None,
    withheld_when: tuple[Line, ...] = (),
    suggestions: tuple[SuggestionText, ...] = (),
    not_checked: str = "",
    purposes: frozenset[Purpose] = frozenset(),
) -> Rule:
    """Return a rule; its summary is its name, unless another is given, at every level."""
    text = (Line(summary or name),)
    return Rule(
        name, name.replace("_", " "), topic, ("TEST",), kind, family or name, "relative", 1, f"cards/{name}.yaml",
        "nobody", "2026-01-01", "2027-01-01", replace(applies, purposes=purposes or applies.purposes), levels or {},
        because, CardText(dict.fromkeys(Level, text), detail, not_checked, suggestions=suggestions),
        joins or {}, withheld_when,
    )  # fmt: skip


def with_rules(knowledge: Knowledge, *rules: Rule) -> Knowledge:
    """Return the knowledge with these rules only; definitions and value sets stay."""
    return replace(knowledge, rules=rules)


def assessed(
    knowledge: Knowledge,
    facts: PatientFacts,
    medication: Medication | None = None,
    context: HookContext | None = None,
    at: datetime = AT,
) -> Assessment:
    """Assess an order of this patient: ketamine by vein, unless another is given."""
    context = context or hook()
    ordered = read(knowledge, medication or order(route="IV"), facts, context, at)
    return assess(knowledge, facts, ordered, context, at)


def found(
    knowledge: Knowledge,
    criterion: Criterion | Mapping[Level, Criterion],
    facts: PatientFacts,
    medication: Medication | None = None,
    context: HookContext | None = None,
    at: datetime = AT,
) -> Finding:
    """Return the finding of a rule that asks just this; one criterion alone is asked at level critical."""
    levels = criterion if isinstance(criterion, Mapping) else {Level.CRITICAL: criterion}
    return assessed(with_rules(knowledge, rule(levels=levels)), facts, medication, context, at).findings[0]


def answer(finding: Finding) -> str:
    """Return the level of a finding that is present, else its verdict."""
    return finding.level.value if finding.level else finding.verdict.value


def remarks(finding: Finding) -> tuple[str, ...]:
    """Return what is remarked on the facts of a finding."""
    return tuple(dict.fromkeys(remark for one in finding.evidence for remark in one.remarks))
