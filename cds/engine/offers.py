"""What a card offers to do with one click: which of a rule's suggestions apply to this order."""

from cds.engine.assessment import Offer
from cds.engine.criteria import holds
from cds.engine.derive.condition_state import Standing
from cds.engine.derive.diagnoses import diagnoses
from cds.engine.facts import Concept
from cds.engine.rules import Rule, SuggestionText
from cds.engine.scene import Scene


def offers_of(rule: Rule, scene: Scene) -> tuple[Offer, ...]:
    """Return the suggestions of a rule whose criterion holds."""
    if rule.card is None:
        return ()
    found = (_offer(text, scene) for text in rule.card.suggestions if holds(text.when, scene))
    return tuple(offer for offer in found if offer)


def _offer(text: SuggestionText, scene: Scene) -> Offer | None:
    if text.kind != "add_reason":
        return Offer(text.kind, text.label, order=text.order)
    reason = _missing_reason(text, scene)
    return Offer(text.kind, text.label, reason=reason) if reason else None


def _missing_reason(text: SuggestionText, scene: Scene) -> Concept | None:
    """Return the first confirmed active diagnosis of the value sets, unless the order has a reason of them already."""
    index = scene.knowledge.index
    wanted = set(text.value_sets)
    if any(wanted & index.sets_of_concept(reason) for reason in scene.order.medication.reasons):
        return None
    active = [one for one in diagnoses(scene, text.value_sets) if one.state.standing is Standing.ACTIVE]
    sure = [one.condition.code for one in active if not one.state.steps]
    return next(iter(sure), None)
