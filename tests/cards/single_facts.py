"""A healthy patient with exactly one more fact, and what is shown for an order: quickly, for thousands of codes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from cds.engine.assess import assess
from cds.engine.dates import Interval
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import (
    Allergy,
    Coding,
    Component,
    Concept,
    Condition,
    Medication,
    MedicationKind,
    Observation,
    PatientFacts,
    Procedure,
    Provenance,
    Source,
)
from cds.engine.render import shown
from cds.engine.rules import Knowledge
from cds.knowledge.code_systems import load_code_systems
from tests.cards.answers import CARDS, knowledge
from tests.cards.case_language import GivenLine, Situation, default_lines, situation_of
from tests.cards.fire_table import fire_table
from tests.cards.order_lines import OrderWords
from tests.cards.words import coding, quantity

TODAY = date(2026, 2, 1)
SINCE = Interval(TODAY - timedelta(days=3), TODAY - timedelta(days=3))
LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class SingleFact:
    """One code as one fact: `kind` is that of the table, an observation with its value.

    A code that is empty stands for its display as mere words.
    """

    kind: str
    code: Coding


@cache
def healthy(order: str) -> Situation:
    """Return the healthy patient and an order of the table."""
    words: Any = fire_table().orders[order]
    named = words if isinstance(words, str) else OrderWords(**words)
    pressure = GivenLine(blood_pressure=f"118/76 on {TODAY}")
    return situation_of((*default_lines(TODAY), pressure), named, TODAY, systems())


@cache
def systems() -> Mapping[str, str]:
    """Return the code systems: short name to URI."""
    return load_code_systems(CARDS / "code_systems.yaml").uris


def fired(fact: SingleFact | None, order: str, rules: Knowledge) -> dict[str, str]:
    """Return the rows of all findings that are shown, with their levels.

    Args:
        fact: what the patient has; None for nothing.
        order: an order of the table.
        rules: the knowledge, or a part of its rules.
    """
    base = healthy(order)
    facts = with_fact(base.facts, fact) if fact else base.facts
    read = read_order(base.medication, facts, base.context, rules, base.at)
    assert read is not None
    found = shown(rules, assess(rules, facts, read, base.context, base.at))
    return {one.rule.implements[0]: one.level.value for one in sorted(found, key=lambda one: -one.level.rank)}


def with_fact(facts: PatientFacts, fact: SingleFact) -> PatientFacts:
    """Return the record with one more fact."""
    kind, _, value = fact.kind.partition(" ")
    concept = Concept((fact.code,)) if fact.code.code else Concept(text=fact.code.display)
    if kind == "condition":
        return replace(facts, conditions=(_condition(concept),))
    if kind == "medication":
        return replace(facts, medications=(_medication(concept),))
    if kind == "allergy":
        made = Allergy(_from("AllergyIntolerance", Source.ALLERGIES), (concept,), "active", "confirmed", "allergy")
        return replace(facts, allergies=(made,))
    if kind == "procedure":
        done = Procedure(_from("Procedure", Source.PROCEDURES), concept, "completed", SINCE)
        return replace(facts, procedures=(done,))
    return replace(facts, observations=(*_without(facts, concept), _observation(concept, value)))


def _from(resource: str, source: Source) -> Provenance:
    return Provenance(f"{resource}/the-fact", f"prefetch {source.value}", source)


def _condition(concept: Concept) -> Condition:
    return Condition(
        _from("Condition", Source.CONDITIONS),
        concept,
        "active",
        "confirmed",
        ("problem-list-item",),
        onset=SINCE,
        recorded=SINCE,
    )


def _medication(concept: Concept) -> Medication:
    return Medication(
        _from("MedicationRequest", Source.MEDICATIONS),
        MedicationKind.REQUEST,
        concept,
        status="active",
        intent="order",
        authored=SINCE,
    )


def _without(facts: PatientFacts, concept: Concept) -> tuple[Observation, ...]:
    """Return the healthy readings; a blood pressure of the fact takes the place of the normal one."""
    pressure = knowledge().definitions.blood_pressure
    sets = knowledge().index.sets_of_concept(concept)
    is_pressure = bool(sets & {pressure.panel, pressure.systolic, pressure.diastolic})
    return tuple(one for one in facts.observations if not (is_pressure and one.components))


def _observation(concept: Concept, value: str) -> Observation:
    made = Observation(_from("Observation", Source.LABORATORY), concept, "final", SINCE)
    number, _, unit = value.partition(" ")
    if "|" in value:
        return replace(made, value_concept=Concept((coding(value, systems()),)))
    if "/" in number:
        halves = zip(("8480-6", "8462-4"), number.split("/"), strict=True)
        parts = tuple(Component(Concept((Coding(LOINC, code),)), quantity(f"{half} {unit}")) for code, half in halves)
        return replace(made, components=parts)
    return replace(made, value=quantity(value))
