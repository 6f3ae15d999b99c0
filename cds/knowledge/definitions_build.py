"""From cards/definitions.yaml to the engine's types, and the checks across its parts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds.engine.definitions import (
    BloodPressureDefinition,
    ChildPughDefinition,
    ConditionDefinition,
    ContextDefinition,
    Definitions,
    DrugDefinition,
    DrugWords,
    MedicationDefinition,
    ObservationDefinition,
    PurposeDefinition,
    SnoozeDefinition,
    TrialDefinition,
    TrialGroup,
)
from cds.engine.order import Route
from cds.engine.terminology import ValueSet
from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, did_you_mean
from cds.knowledge.definitions import (
    Block,
    ChildPughText,
    ConditionText,
    CutOffsText,
    DefinitionsText,
    MedicationText,
    ObservationText,
    PurposeText,
    TrialText,
)
from cds.knowledge.strict_yaml import Document, Keys


def build_definitions(text: DefinitionsText) -> Definitions:
    """Return the definitions as the engine has them."""
    return Definitions(
        drug=_drug(text),
        pain=_purpose(text.pain),
        mood=_purpose(text.mood),
        context=ContextDefinition(**_values(text.context)),
        condition=_condition(text.condition),
        medication=_medication(text.medication),
        blood_pressure=BloodPressureDefinition(**_values(text.blood_pressure)),
        child_pugh=_child_pugh(text.child_pugh),
        observations={name: _observation(text) for name, text in text.observations.sets.items()},
        trials={name: _trial(name, text) for name, text in text.trials.items()},
        weight=(text.weight.value_set, text.weight.within),
        max_cards=text.cards.at_most,
        snooze=SnoozeDefinition(text.snooze.override_for, text.snooze.renewal_after, text.snooze.repeat_info_after),
    )


def check_definitions(
    text: DefinitionsText, document: Document, value_sets: Mapping[str, ValueSet] | None
) -> Iterator[KnowledgeError]:
    """Yield value sets that do not exist, and units and classes that do not fit together."""
    for keys, name in named_sets(text):
        if value_sets is not None and name not in value_sets:
            question = did_you_mean(name, value_sets)
            yield KnowledgeError("CDS-104", document.where(*keys), f"There is no value set '{name}'.", question)
    yield from _units(text, document)
    missing = [route.value for route in Route if route is not Route.UNKNOWN and route not in text.routes.in_this_order]
    if missing:
        where = document.where("routes", "in_this_order")
        yield KnowledgeError("CDS-105", where, f"A route is missing: {', '.join(missing)}.")


def named_sets(text: DefinitionsText) -> Iterator[tuple[Keys, str]]:
    """Yield every value set that the definitions name, with its path in the file."""
    for keys, name, value in _fields(text, ()):
        if name in _SET_FIELDS:
            for one in (value,) if isinstance(value, str) else value:
                yield keys, one
    yield from ((("observations", "sets", name), name) for name in text.observations.sets)
    yield from ((("child_pugh", "points_of_findings", name), name) for name in text.child_pugh.points_of_findings)
    half = text.blood_pressure
    yield from ((("blood_pressure", key), getattr(half, key)) for key in ("panel", "systolic", "diastolic"))


_SET_FIELDS = frozenset({
    "value_set", "value_sets", "supporting", "remission_value_sets", "sequela_value_sets", "family_history_value_sets",
    "local_value_sets", "since_onset_of", "results_known", "procedures", "only_with",
})  # fmt: skip


def _fields(value: object, keys: Keys) -> Iterator[tuple[Keys, str, Any]]:
    """Yield every field of every mapping in the file, with its path."""
    if isinstance(value, Closed):
        for name, field in type(value).model_fields.items():
            here = (*keys, field.alias or name)
            yield here, name, getattr(value, name)
            yield from _fields(getattr(value, name), here)
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, tuple):
        parts = enumerate(value)
    for key, part in parts:
        yield from _fields(part, (*keys, key))


def _units(text: DefinitionsText, document: Document) -> Iterator[KnowledgeError]:
    sets = text.observations.sets
    for key in ("bilirubin", "albumin", "inr"):
        cut: CutOffsText = getattr(text.child_pugh, key)
        unit = sets[cut.value_set].unit if cut.value_set in sets else None
        if cut.two_points_from.unit != unit or cut.to.unit != unit or cut.two_points_from.value >= cut.to.value:
            what = f"The cut-offs are not two rising values in the unit of '{cut.value_set}', {unit}."
            yield KnowledgeError("CDS-106", document.where("child_pugh", key), what)
    for name, one in sets.items():
        if one.default_upper_limit and one.default_upper_limit.unit != one.unit:
            where = document.where("observations", "sets", name, "default_upper_limit")
            yield KnowledgeError("CDS-106", where, f"The upper limit is not in {one.unit}.")
    if text.weight.value_set not in sets:
        where = document.where("weight", "in")
        yield KnowledgeError("CDS-104", where, f"There is no block under 'observations' for '{text.weight.value_set}'.")


def _values(text: Closed) -> dict[str, Any]:
    """Return what a block says, for an engine type whose fields are named as in the file."""
    return {name: getattr(text, name) for name in type(text).model_fields if name not in Block.model_fields}


def _drug(text: DefinitionsText) -> DrugDefinition:
    routes = text.routes.in_this_order
    return DrugDefinition(
        esketamine=DrugWords(text.drug.esketamine.value_set, text.drug.esketamine.patterns),
        ketamine=DrugWords(text.drug.ketamine.value_set, text.drug.ketamine.patterns),
        taken_out=text.drug.taken_out,
        injectable_words=text.drug.injectable_words,
        nasal_words=text.drug.nasal_words,
        service_words=text.services.words,
        service_exclusions=text.services.never,
        routes={route.value: one.words for route, one in routes.items()},
        route_value_sets={route.value: one.value_set for route, one in routes.items()},
    )


def _purpose(text: PurposeText) -> PurposeDefinition:
    return PurposeDefinition(text.value_sets, text.words, text.supporting)


def _condition(text: ConditionText) -> ConditionDefinition:
    codes = ("active", "past", "remission", "unconfirmed", "refuted", "problem_categories", "encounter_categories")
    return ConditionDefinition(
        **{name: frozenset(getattr(text, name)) for name in codes},
        encounter_diagnosis_within=text.encounter_diagnosis_within,
        remission_value_sets=text.remission_value_sets,
        sequela_value_sets=text.sequela_value_sets,
        family_history_value_sets=text.family_history_value_sets,
    )


def _medication(text: MedicationText) -> MedicationDefinition:
    return MedicationDefinition(
        active_statuses=frozenset(text.active_statuses),
        trial_statuses=frozenset(text.trial_statuses),
        stale_after=text.stale_after,
        local_forms=text.local_forms,
        local_value_sets=text.local_value_sets,
    )


def _observation(text: ObservationText) -> ObservationDefinition:
    return ObservationDefinition(
        unit=text.unit,
        source=text.read_with.value,
        worse=text.worse,
        results_known=text.results_known,
        plausible=text.plausible,
        factors=text.factors,
        default_upper_limit=text.default_upper_limit,
    )


def _trial(name: str, text: TrialText) -> TrialDefinition:
    groups = tuple(TrialGroup(**_values(group)) for group in text.groups)
    return TrialDefinition(
        name, text.title, groups, text.within, text.since_onset_of, text.at_most_back, text.minimum_daily_doses
    )


def _child_pugh(text: ChildPughText) -> ChildPughDefinition:
    cuts = {key: getattr(text, key) for key in ("bilirubin", "albumin", "inr")}
    return ChildPughDefinition(
        within=text.within,
        findings=text.points_of_findings,
        classes={name: (int(low), int(high)) for name, (low, high) in text.classes.items()},
        **{key: (cut.value_set, cut.two_points_from, cut.to) for key, cut in cuts.items()},
    )
