"""Why a finding that stands is not shown as a card; it stays in the record with its reason.

Source: clinical/rules.md D-AGE (a deceased patient), RG-CONTEXT, D-SNOOZE (renewal), PV-1.
"""

from collections.abc import Iterable

from cds.engine.assessment import Evidence
from cds.engine.criteria import holds
from cds.engine.criteria_dose import other_order
from cds.engine.rules import Level, OtherOrderCriterion, Rule
from cds.engine.scene import Scene

PATIENT_VIEW = "patient-view"
_RUNS_ANYWAY = ("data_gap", "dose")


def renewed_order(scene: Scene) -> Evidence | None:
    """Return the active order that this one renews: same drug, same route, old enough; None if there is none."""
    older_than = scene.knowledge.definitions.snooze.renewal_after
    outcome = other_order(OtherOrderCriterion(same_route=True, older_than=older_than), scene)
    return max(outcome.evidence, key=lambda one: one.date, default=None)


def why_withheld(rule: Rule, scene: Scene, level: Level, evidence: Iterable[Evidence]) -> str:
    """Return why no card is shown for a finding at this level; empty if one is.

    Args:
        rule: the rule that found something.
        scene: the order, the patient and what was found so far.
        level: the level of the finding.
        evidence: the facts it rests on.
    """
    patient = scene.facts.patient
    if patient and patient.deceased:
        return "the patient is recorded as deceased"
    least = rule.applies.contexts[scene.order.context]
    if level.rank > least.rank:
        return f"only {least.value} findings are shown in the context {scene.order.context.value}"
    repeated = _repeated(rule, scene, level, tuple(evidence))
    if repeated:
        return repeated
    return next((line.text for line in rule.withheld_when if holds(line.when, scene)), "")


def _repeated(rule: Rule, scene: Scene, level: Level, evidence: tuple[Evidence, ...]) -> str:
    """Return why a finding brings nothing new to an order that is already there."""
    if scene.context.hook == PATIENT_VIEW and rule.kind != "data_gap":
        ordered = str(scene.order.medication.authored or "")
        if level is not Level.CRITICAL or not _is_new(evidence, ordered):
            return f"patient-view shows only what is critical and newer than the order of {ordered or 'unknown date'}"
    renewed = scene.renewed
    if renewed is None or level is Level.CRITICAL or rule.kind in _RUNS_ANYWAY or rule.in_renewal_always:
        return ""
    if _is_new(evidence, renewed.date):
        return ""
    return f"renewal of {renewed.reference} of {renewed.date}: no fact is newer"


def _is_new(evidence: tuple[Evidence, ...], since: str) -> bool:
    """Say whether a fact is dated after a day (ISO dates compare as text); a reason of the order is no fact."""
    return any(one.date[:10] > since for one in evidence if one.date)
