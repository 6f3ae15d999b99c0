"""Criteria about the order, the patient, other rules and what could not be read, in words."""

from collections.abc import Iterator

from cds.engine.derive.dose import Amount
from cds.engine.facts import name_of
from cds.engine.logic import Verdict
from cds.engine.order import Route
from cds.engine.rules import (
    DoseCriterion,
    GapCriterion,
    OrderCriterion,
    OtherOrderCriterion,
    PatientCriterion,
    RuleCriterion,
    UncodedCriterion,
)
from cds.knowledge.pages.phrases import CONTEXTS, DRUGS, HOOKS, PURPOSES, Naming, listed, readable

_AMOUNTS = {
    Amount.RATE: "infusion rate",
    Amount.BOLUS: "single dose (bolus)",
    Amount.TOTAL: "total dose",
    Amount.DURATION: "duration of one administration",
    Amount.SESSION: "dose of one session",
    Amount.SESSIONS_A_WEEK: "number of sessions a week",
    Amount.DOSE_PER_KG: "single dose",
    Amount.TIMES_A_DAY: "number of doses a day",
}
_VERDICTS = {
    Verdict.PRESENT: "is found",
    Verdict.NOT_FOUND: "is not found",
    Verdict.UNKNOWN: "could not be judged",
}


def order(one: OrderCriterion, naming: Naming) -> str:
    """Say what is ordered."""
    del naming
    return f"The order is {', '.join(_order(one))}"


def _order(one: OrderCriterion) -> Iterator[str]:
    if one.drugs:
        yield f"for {listed(DRUGS[drug] for drug in one.drugs)}"
    if one.routes:
        routes = ("an unstated" if route is Route.UNKNOWN else route.value for route in one.routes)
        yield f"by {listed(routes)} route"
    if one.contexts:
        yield f"for {listed(CONTEXTS[context] for context in one.contexts)}"
    if one.purposes:
        yield f"for {listed(PURPOSES[purpose] for purpose in one.purposes)}"
    if one.hooks:
        yield f"looked at {listed(HOOKS[hook] for hook in one.hooks)}"
    yield from _besides(one)


def _besides(one: OrderCriterion) -> Iterator[str]:
    if one.take_home is not None:
        yield "one that the patient takes home" if one.take_home else "given where the patient is watched"
    if one.countries:
        yield f"written in {listed(one.countries)}"
    if one.words:
        yield f"one whose words name {readable(one.words)}"


def patient(one: PatientCriterion, naming: Naming) -> str:
    """Say who the patient is."""
    del naming
    said = [one.sex] if one.sex else []
    said += [f"younger than {one.age_below} years"] if one.age_below is not None else []
    said += [f"{one.age_at_least} years old or older"] if one.age_at_least is not None else []
    return f"The patient is {', '.join(said)}"


def dose(one: DoseCriterion, naming: Naming) -> str:
    """Say which amount counts."""
    del naming
    what = f"The ordered {_AMOUNTS[one.of]}"
    if one.per_kg:
        return f"{what} is written per kg of body weight"
    if one.no_multiple_of:
        return f"{what} is no whole multiple of {one.no_multiple_of}"
    limits = (("above", one.above), ("at least", one.at_least), ("below", one.below))
    word, limit = next((word, limit) for word, limit in limits if limit is not None)
    return f"{what} is {word} {limit}; not stated: no finding"


def other_order(one: OtherOrderCriterion, naming: Naming) -> str:
    """Say which other order counts."""
    del naming
    if one.overlapping:
        return "Another order of ketamine or esketamine overlaps with this one and is no part of the same regimen"
    older = f", older than {one.older_than}" if one.older_than else ""
    return f"There is an active order of the same drug by the same route{older}"


def uncoded(one: UncodedCriterion, naming: Naming) -> str:
    """Say that diagnoses in words count."""
    del one, naming
    return "The problem list has an entry in words only, without a code"


def rule(one: RuleCriterion, naming: Naming) -> str:
    """Say what another rule has to say."""
    names = listed(naming.rules.get(name, name) for name in one.rules)
    at = f" as {listed(level.value for level in one.levels)}" if one.levels else ""
    return f"The rule {names} {_VERDICTS[one.verdict]}{at}"


def gap(one: GapCriterion, naming: Naming) -> str:
    """Say what could not be read."""
    del naming
    names = listed(name_of(source) for source in one.sources)
    if one.whole:
        return f"This could not be read: {names}"
    return f"A single entry or value could not be read, and could matter: {names}"
