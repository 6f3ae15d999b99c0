"""Everything one assessment looks at, prepared once: the facts grouped by the value sets that hold them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from cds.engine.assessment import Evidence, Finding, Outcome
from cds.engine.derive.condition_state import ConditionState
from cds.engine.derive.medication_state import medication_sets
from cds.engine.facts import (
    Allergy,
    Condition,
    Gap,
    GapScope,
    HookContext,
    Medication,
    MedicationKind,
    Observation,
    PatientFacts,
    Procedure,
    Source,
)
from cds.engine.order import Order
from cds.engine.rules import Knowledge

SetIds = frozenset[str]
_F = TypeVar("_F")


@dataclass(frozen=True, slots=True)
class FactIndex:
    """The patient's facts by value set: each list holds the facts with one of its codes or words.

    `condition_sets` and `medication_sets` map a fact's reference to all value sets that it belongs to.
    """

    conditions: Mapping[str, list[Condition]]
    observations: Mapping[str, list[Observation]]
    medications: Mapping[str, list[Medication]]
    allergies: Mapping[str, list[Allergy]]
    procedures: Mapping[str, list[Procedure]]
    condition_sets: Mapping[int, SetIds]
    medication_sets: Mapping[int, SetIds]


@dataclass(frozen=True, slots=True)
class Scene:
    """One order of one patient at one time; `today` is the day of the call in the client's time zone.

    `findings` holds the rules that were assessed so far, for criteria that ask about another rule; `renewed` the older
    active order that this one renews, if there is one. `answers` and `standings` remember what was worked out already.
    """

    knowledge: Knowledge
    facts: PatientFacts
    index: FactIndex
    order: Order
    context: HookContext
    at: datetime
    today: date
    findings: dict[str, Finding] = field(default_factory=dict)
    renewed: Evidence | None = None
    answers: dict[int, Outcome] = field(default_factory=dict)
    standings: dict[int, ConditionState] = field(default_factory=dict)

    def silence(self, sources: Iterable[Source], value_sets: Iterable[str] = ()) -> tuple[Gap, ...]:
        """Return why finding nothing in these sources proves nothing; empty if they were read whole.

        An unreadable entry counts where its code could still be seen and is in one of the value sets.
        """
        if not self.facts.gaps:
            return ()
        wanted = set(value_sets)
        return tuple(
            gap
            for gap in self.facts.gaps
            if gap.source in set(sources) and (gap.scope is GapScope.SOURCE or self._could_be(gap, wanted))
        )

    def _could_be(self, gap: Gap, value_sets: set[str]) -> bool:
        sets_of = self.knowledge.index.sets_of
        return any(value_sets.intersection(sets_of(coding)) for coding in gap.codings)


def local_day(at: datetime, context: HookContext) -> date:
    """Return the calendar day of a moment in the client's time zone."""
    return at.astimezone(ZoneInfo(context.time_zone)).date()


def index_facts(facts: PatientFacts, knowledge: Knowledge, order: Medication | None) -> FactIndex:
    """Group the facts by value set. The assessed order itself is no fact about the patient."""
    index = knowledge.index
    condition_sets = {id(fact): index.sets_of_concept(fact.code) for fact in facts.conditions}
    drugs = [fact for fact in facts.medications if not _is_order(fact, order)]
    drug_sets = {id(fact): medication_sets(fact, index, knowledge.definitions.medication) for fact in drugs}
    return FactIndex(
        conditions=_grouped((fact, condition_sets[id(fact)]) for fact in facts.conditions),
        observations=_grouped((fact, _observation_sets(fact, knowledge)) for fact in facts.observations),
        medications=_grouped((fact, drug_sets[id(fact)]) for fact in drugs),
        allergies=_grouped((fact, _allergy_sets(fact, knowledge)) for fact in facts.allergies),
        procedures=_grouped((fact, index.sets_of_concept(fact.code)) for fact in facts.procedures),
        condition_sets=condition_sets,
        medication_sets=drug_sets,
    )


def _is_order(fact: Medication, order: Medication | None) -> bool:
    if order is None:
        return False
    reference = order.provenance.reference
    same = bool(reference) and fact.provenance.reference == reference
    return fact is order or (same and fact.kind in (MedicationKind.REQUEST, MedicationKind.SERVICE))


def _observation_sets(fact: Observation, knowledge: Knowledge) -> SetIds:
    own = knowledge.index.sets_of_concept(fact.code)
    parts = (knowledge.index.sets_of_concept(component.code) for component in fact.components)
    return own.union(*parts)


def _allergy_sets(fact: Allergy, knowledge: Knowledge) -> SetIds:
    coded = frozenset(name for substance in fact.substances for name in knowledge.index.sets_of_concept(substance))
    words = (word for substance in fact.substances for word in substance.words)
    return coded | knowledge.index.sets_named_in(words)


def _grouped(pairs: Iterable[tuple[_F, SetIds]]) -> Mapping[str, list[_F]]:
    groups: dict[str, list[_F]] = defaultdict(list)
    for fact, names in pairs:
        for name in names:
            groups[name].append(fact)
    return groups
