"""What a rule reads: its criteria, wherever they stand, the value sets they name, and the parts of the record."""

from collections.abc import Iterable, Iterator, Mapping

from cds.engine.definitions import Definitions
from cds.engine.facts import Source
from cds.engine.rules import (
    AllergyCriterion,
    BloodPressureCriterion,
    ChildPughCriterion,
    ConditionCriterion,
    CountCriterion,
    CountedKind,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    FlagCriterion,
    MedicationCriterion,
    ObservationCriterion,
    OrderCriterion,
    OtherOrderCriterion,
    PatientCriterion,
    ProcedureCriterion,
    Rule,
    TrialCriterion,
    UncodedCriterion,
)

_SET_FIELDS = ("value_sets", "excluding", "result", "only", "ended_by")


def criteria_in(value: object) -> Iterator[Criterion]:
    """Yield every criterion in a rule or a part of one; those inside another as well."""
    parts: Iterable[object] = ()
    if isinstance(value, tuple):
        parts = value
    elif isinstance(value, Mapping):
        parts = value.values()
    elif names := getattr(value, "__dataclass_fields__", ()):
        if isinstance(value, Criterion):
            yield value
        parts = (getattr(value, name) for name in names)
    for part in parts:
        if part and not isinstance(part, str):
            yield from criteria_in(part)


def value_sets_of(rule: Rule, definitions: Definitions) -> frozenset[str]:
    """Return the ids of every value set that a rule looks at, those of the definitions it rests on included."""
    return frozenset(name for criterion in criteria_in(rule) for name in sets_in(criterion, definitions))


def sets_in(criterion: Criterion, definitions: Definitions) -> Iterator[str]:
    """Yield the value sets that one criterion names, or that its definition does."""
    for name in _SET_FIELDS:
        yield from getattr(criterion, name, ())
    if explained := getattr(criterion, "explained_by", None):
        yield from explained[0]
    if isinstance(criterion, TrialCriterion):
        definition = definitions.trials[criterion.of]
        yield from definition.since_onset_of
        for group in definition.groups:
            yield from (*group.value_sets, *group.procedures, *group.only_with)
    if isinstance(criterion, ChildPughCriterion):
        table = definitions.child_pugh
        yield from (table.bilirubin[0], table.albumin[0], table.inr[0], *table.findings)
    if isinstance(criterion, DoseCriterion):
        yield definitions.weight[0]


def sources_of(rule: Rule, definitions: Definitions) -> tuple[Source, ...]:
    """Return the parts of the record that a rule reads, in the order of `Source`; the order itself is not named."""
    read = {source for criterion in criteria_in(rule) for source in _sources_in(criterion, definitions)}
    if rule.applies.purposes:
        read.add(Source.CONDITIONS)
    return tuple(source for source in Source if source in read)


def _sources_in(criterion: Criterion, definitions: Definitions) -> Iterator[Source]:
    yield from _SOURCES.get(type(criterion), ())
    if isinstance(criterion, ObservationCriterion):
        yield from (Source(definitions.observations[name].source) for name in criterion.value_sets)
        yield from _MEDICATIONS if criterion.explained_by else ()
    if isinstance(criterion, MedicationCriterion) and not criterion.requests_only:
        yield Source.STATEMENTS
    if isinstance(criterion, CountCriterion):
        yield from _COUNTED[criterion.kind]
    if isinstance(criterion, (ConditionCriterion, ObservationCriterion)) and criterion.ended_by:
        yield from (Source.CONDITIONS, Source.PROCEDURES)
    if isinstance(criterion, OrderCriterion) and criterion.purposes:
        yield Source.CONDITIONS
    if isinstance(criterion, DoseCriterion):
        yield Source(definitions.observations[definitions.weight[0]].source)


_MEDICATIONS = (Source.MEDICATIONS, Source.STATEMENTS)
_SOURCES: Mapping[type, tuple[Source, ...]] = {
    ConditionCriterion: (Source.CONDITIONS,),
    ProcedureCriterion: (Source.PROCEDURES,),
    FlagCriterion: (Source.FLAGS,),
    AllergyCriterion: (Source.ALLERGIES,),
    MedicationCriterion: (Source.MEDICATIONS,),
    TrialCriterion: (*_MEDICATIONS, Source.DISPENSES, Source.PROCEDURES),
    ExposureCriterion: (*_MEDICATIONS, Source.DISPENSES),
    BloodPressureCriterion: (Source.BLOOD_PRESSURE,),
    ChildPughCriterion: (Source.LABORATORY, Source.CONDITIONS),
    PatientCriterion: (Source.PATIENT,),
    OtherOrderCriterion: (Source.MEDICATIONS,),
    UncodedCriterion: (Source.CONDITIONS,),
}
_COUNTED = {
    CountedKind.CONDITIONS: (Source.CONDITIONS,),
    CountedKind.ORDERS: (Source.MEDICATIONS, Source.DISPENSES),
    CountedKind.PROCEDURES: (Source.PROCEDURES,),
}
