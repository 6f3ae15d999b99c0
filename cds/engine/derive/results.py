"""Whether a coded or written result is one of those that are asked for (rules.md D-OBS, urine screens, hCG)."""

from collections.abc import Mapping, Sequence

from cds.engine.derive.readings import Reading
from cds.engine.facts import Coding, Concept
from cds.engine.logic import Verdict
from cds.engine.terminology import ValueSet


def result_verdict(reading: Reading, wanted: Sequence[str], known: Mapping[str, ValueSet]) -> Verdict:
    """Say whether the result is in one of the wanted value sets.

    The interpretation counts as well (a number counts only by its interpretation). A result that is in none of the
    known sets, by code or by word, is unknown: never taken as negative.
    """
    concepts = [Concept((coding,), coding.display) for coding in reading.observation.interpretations]
    if reading.result:
        concepts.append(reading.result)
    names = {name for concept in concepts for name, value_set in known.items() if _is_in(concept, value_set)}
    if names.intersection(wanted):
        return Verdict.PRESENT
    understood = bool(names) or any(_is_coded(coding) for coding in _codings(reading.result))
    return Verdict.NOT_FOUND if understood else Verdict.UNKNOWN


def _is_in(concept: Concept, value_set: ValueSet) -> bool:
    if value_set.codes_of(concept):
        return True
    displays = {member.display.lower() for member in value_set.codes.values()}
    return any(word.strip().lower() in displays for word in concept.words)


def _codings(concept: Concept | None) -> tuple[Coding, ...]:
    return concept.codings if concept else ()


def _is_coded(coding: Coding) -> bool:
    return bool(coding.system and coding.code)
