"""Criteria about the record in words: diagnoses, drugs, allergies, procedures and what was measured."""

from collections.abc import Iterator

from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllergyCriterion,
    BloodPressureCriterion,
    ChildPughCriterion,
    ConditionCriterion,
    ConditionState,
    CountCriterion,
    CountedKind,
    Dating,
    ExposureCriterion,
    FlagCriterion,
    MedicationCriterion,
    MedicationState,
    ObservationCriterion,
    ProcedureCriterion,
    TrialCriterion,
    Use,
)
from cds.engine.units import Quantity, plain
from cds.knowledge.pages.phrases import Naming, days, readable

_DIAGNOSIS = {
    ConditionState.ACTIVE: "An active diagnosis",
    ConditionState.ACUTE: "A recent diagnosis, even if it has ended since",
    ConditionState.PAST: "A past diagnosis (resolved, inactive or in remission)",
    ConditionState.ANY: "A diagnosis, current or past",
    ConditionState.SEQUELA_ACTIVE: "An active diagnosis, or an active late effect (sequela)",
}
_UNDATED = {
    Dating.INSIDE: "one without a date counts as well",
    Dating.OUTSIDE: "one without a date does not count",
    Dating.ONLY: "only one without a date",
}
_COUNTED = {
    CountedKind.CONDITIONS: "diagnoses",
    CountedKind.ORDERS: "orders or dispenses",
    CountedKind.PROCEDURES: "procedures",
}


def condition(one: ConditionCriterion, naming: Naming) -> str:
    """Say which diagnosis counts."""
    return ", ".join(_condition(one, naming))


def _condition(one: ConditionCriterion, naming: Naming) -> Iterator[str]:
    what = f": {naming.sets(one.value_sets)}" if one.value_sets else ""
    yield f"{_DIAGNOSIS[one.state]}{what}"
    if one.words:
        yield f"whose text names {readable(one.words)}"
    if one.within:
        yield f"{'recorded' if one.by_recorded else 'begun (else recorded)'} in the last {one.within}"
    if one.older_than:
        yield f"older than {one.older_than}"
    if one.undated in _UNDATED:
        yield _UNDATED[one.undated]
    if one.excluding:
        yield f"but not {naming.sets(one.excluding)}"
    if one.ended_by:
        yield f"and no later {naming.sets(one.ended_by)}"
    if one.reasons:
        yield "or such a diagnosis as the reason of the order"


def procedure(one: ProcedureCriterion, naming: Naming) -> str:
    """Say which procedure counts."""
    named = [naming.sets(one.value_sets)] if one.value_sets else []
    named += [f"one whose text names {readable(one.words)}"] if one.words else []
    return f"A procedure: {' or '.join(named)}{f', done in the last {one.within}' if one.within else ''}"


def flag(one: FlagCriterion, naming: Naming) -> str:
    """Say which flag counts."""
    named = [naming.sets(one.value_sets)] if one.value_sets else []
    named += [f"one whose text names {readable(one.words)}"] if one.words else []
    return f"An active flag on the record: {' or '.join(named)}"


def allergy(one: AllergyCriterion, naming: Naming) -> str:
    """Say which allergy counts."""
    standing = {ConditionState.ACTIVE: "A recorded", ConditionState.PAST: "A resolved or inactive"}
    only = f", recorded as {' or '.join(one.types)}" if one.types else ""
    but = f", not recorded as {' or '.join(one.excluding_types)}" if one.excluding_types else ""
    return f"{standing.get(one.state, 'Any')} allergy: {naming.sets(one.value_sets)}{only}{but}"


def medication(one: MedicationCriterion, naming: Naming) -> str:
    """Say which drug counts."""
    was = f"The patient {'' if one.requests_only else 'takes or '}has an active order of"
    ended = f", or of one that ended in the last {one.within}" if one.within else ""
    if one.state is MedicationState.ANY:
        kinds = "order" if one.requests_only else "order or record"
        was, ended = f"There is any {kinds} of", f", written in the last {one.within}" if one.within else ""
    but = f", other than {naming.sets(one.excluding)}" if one.excluding else ""
    rescue = ", except what is given only as needed in the same group of orders" if one.no_rescue else ""
    return f"{was} {naming.sets(one.value_sets)}{ended}{but}{rescue}"


def trials(one: TrialCriterion, naming: Naming) -> str:
    """Say how many earlier treatments are asked for."""
    number = f"At least {one.at_least}" if one.at_least is not None else f"Fewer than {one.fewer_than}"
    only = f", only {naming.sets(one.only)}" if one.only else ""
    unknown = ", those of unknown length counted as well" if one.unknown_durations else ""
    return f"{number} of: {naming.trials[one.of]}{only}{unknown}"


def observation(one: ObservationCriterion, naming: Naming) -> str:
    """Say which measured or coded result counts."""
    when = f" {days(one.within)}" if one.within else ""
    what = f"{naming.sets(one.value_sets)}{when}"
    if one.measured:
        return f"There is a result: {what}"
    which = {Use.LATEST: "The latest", Use.LATEST_PER_CODE: "Of each kind the latest", Use.ANY: "Any",
             Use.LATEST_PER_DAY: "The latest of a day"}[one.use]  # fmt: skip
    return f"{which} {what} is {_compared(one, naming)}{''.join(_conditions(one, naming))}"


def _compared(one: ObservationCriterion, naming: Naming) -> str:
    limits = (("above", one.above), ("at least", one.at_least), ("below", one.below), ("at most", one.at_most))
    for word, limit in limits:
        if limit is not None:
            return f"{word} {limit}"
    if one.above_upper_limit:
        return f"above {one.above_upper_limit} times the laboratory's upper limit"
    return f"one of: {naming.sets(one.result)}"


def _conditions(one: ObservationCriterion, naming: Naming) -> Iterator[str]:
    if one.every:
        yield ", and each kind was measured"
    if one.ended_by:
        yield f", and no later {naming.sets(one.ended_by)} is recorded"
    if one.explained_by:
        yield f", not explained by {naming.sets(one.explained_by[0])} within {one.explained_by[1]} before"
    yield _if_missing(one.if_missing)


def _if_missing(verdict: Verdict) -> str:
    return "; never measured: no finding" if verdict is Verdict.NOT_FOUND else "; not measured: unknown"


def blood_pressure(one: BloodPressureCriterion, naming: Naming) -> str:
    """Say which blood pressure counts."""
    del naming
    when = f" {days(one.within)}" if one.within else ""
    if one.measured:
        return f"There is a blood pressure{when}"
    which = f"The latest blood pressure{when}"
    if one.of_last:
        within = f" within {one.within}" if one.within else ""
        which = f"On {one.of_last[0]} of the last {one.of_last[1]} days with a reading{within} the blood pressure"
    limit = f"at most {_pair(one.at_most)} (both)" if one.at_most else ""
    if one.above:
        limit = f"above {_pair(one.above)} (systolic above the first or diastolic above the second)"
    return f"{which} is {limit}{_if_missing(one.if_missing)}"


def _pair(pair: tuple[Quantity, Quantity]) -> str:
    return f"{plain(pair[0].value)}/{plain(pair[1].value)} {pair[0].unit}"


def child_pugh(one: ChildPughCriterion, naming: Naming) -> str:
    """Say which Child-Pugh class counts."""
    del naming
    return f"The Child-Pugh class is {' or '.join(one.classes)}; where a value is missing: unknown"


def count(one: CountCriterion, naming: Naming) -> str:
    """Say how often something has to be on record."""
    what = _COUNTED[one.kind]
    return f"At least {one.at_least} {what} within {one.within}, each day counted once: {naming.sets(one.value_sets)}"


def exposure(one: ExposureCriterion, naming: Naming) -> str:
    """Say for how long a drug has to have been had."""
    return f"{naming.sets(one.value_sets)} was had for at least {one.at_least} within {one.within}"
