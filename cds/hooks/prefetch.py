"""The prefetch templates, computed from what the rules read, so that discovery cannot drift from the knowledge.

Only the search features that CDS Hooks recommends are used, no parameter stands twice (the CDS Hooks Sandbox would join
them), and a long list of codes is split over several keys (``laboratory``, ``laboratory_2``).

Source: CDS Hooks 2.0.1, "Prefetch query restrictions".
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from urllib.parse import quote

from cds.engine.facts import Source
from cds.engine.rules import BloodPressureCriterion, ChildPughCriterion, Knowledge, ObservationCriterion

LONGEST_URL = 2000
"""The most characters of a query with a patient id of 64 characters; servers and proxies refuse much longer ones."""

_PATIENT = "{{context.patientId}}"
_LONGEST_ID = 64
_TOKEN = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")
_SEARCHES = {
    Source.PATIENT: f"Patient/{_PATIENT}",
    Source.ENCOUNTER: "Encounter/{{context.encounterId}}",
    Source.CONDITIONS: f"Condition?patient={_PATIENT}",
    Source.ALLERGIES: f"AllergyIntolerance?patient={_PATIENT}",
    Source.MEDICATIONS: f"MedicationRequest?patient={_PATIENT}",
    Source.STATEMENTS: f"MedicationStatement?patient={_PATIENT}",
    Source.DISPENSES: f"MedicationDispense?patient={_PATIENT}",
    Source.PROCEDURES: f"Procedure?patient={_PATIENT}",
    Source.FLAGS: f"Flag?patient={_PATIENT}",
}
_NEWEST_FIRST = "&_sort=-date&_count=100"


def templates(knowledge: Knowledge) -> dict[str, str]:
    """Return prefetch key to query template: the patient's lists, and the observations that rules look at, by code."""
    found: dict[str, str] = {source.value: template for source, template in _SEARCHES.items()}
    for source, codes in _observation_codes(knowledge).items():
        for number, query in enumerate(_queries(codes), start=1):
            found[source.value if number == 1 else f"{source.value}_{number}"] = query
    return found


def resolve(template: str, context: Mapping[str, object]) -> str | None:
    """Return the query that a template stands for, or None when the context does not have one of its tokens.

    Source: CDS Hooks 2.0.1, prefetch tokens (``context`` fields that are plain strings).

    >>> resolve("Condition?patient={{context.patientId}}", {"patientId": "boris"})
    'Condition?patient=boris'
    >>> resolve("Encounter/{{context.encounterId}}", {"patientId": "boris"}) is None
    True
    """

    def value(match: re.Match[str]) -> str:
        found = context.get(match[1])
        return quote(found, safe="/") if found and isinstance(found, str) else match[0]

    query = _TOKEN.sub(value, template)
    return None if "{{" in query else query


def sources(offered: Mapping[str, str]) -> dict[str, Source]:
    """Return prefetch key to the part of the record that it reads.

    >>> sources({"laboratory_2": "Observation?..."})
    {'laboratory_2': <Source.LABORATORY: 'laboratory'>}
    """
    return {key: _source(key) for key in offered}


def _source(key: str) -> Source:
    head, _, number = key.rpartition("_")
    return Source(head if number.isdigit() else key)


def _observation_codes(knowledge: Knowledge) -> dict[Source, list[str]]:
    """Return for each source the tokens ``system|code`` of all value sets that are read from it, sorted."""
    tokens: dict[Source, set[str]] = defaultdict(set)
    for value_set, source in _observation_sets(knowledge):
        tokens[source].update(f"{system}|{code}" for system, code in knowledge.value_sets[value_set].codes)
    return {source: sorted(tokens[source]) for source in Source if tokens[source]}


def _observation_sets(knowledge: Knowledge) -> Iterator[tuple[str, Source]]:
    """Yield every observation value set that a rule or a shared definition looks at, with its source."""
    definitions = knowledge.definitions
    named = {definitions.weight[0]}
    for part in _parts(knowledge.rules):
        if isinstance(part, ObservationCriterion):
            named.update(part.value_sets)
        elif isinstance(part, ChildPughCriterion):
            child_pugh = definitions.child_pugh
            named.update((child_pugh.bilirubin[0], child_pugh.albumin[0], child_pugh.inr[0]))
        elif isinstance(part, BloodPressureCriterion):
            pressure = definitions.blood_pressure
            for value_set in (pressure.panel, pressure.systolic, pressure.diastolic):
                yield value_set, Source.BLOOD_PRESSURE
    for value_set in named:
        yield value_set, Source(definitions.observations[value_set].source)


def _parts(value: object) -> Iterator[object]:
    """Yield every dataclass inside a value: wherever a rule may have a criterion, it is found."""
    if isinstance(value, tuple):
        inner: list[object] = list(value)
    elif isinstance(value, Mapping):
        inner = list(value.values())
    elif is_dataclass(value):
        yield value
        inner = [getattr(value, field.name) for field in fields(value)]
    else:
        return
    for part in inner:
        yield from _parts(part)


def _queries(tokens: list[str]) -> Iterator[str]:
    """Yield searches that together ask for all codes, each within `LONGEST_URL`."""
    start = f"Observation?patient={_PATIENT}&code="
    room = LONGEST_URL - len(start) - len(_NEWEST_FIRST) - (_LONGEST_ID - len(_PATIENT))
    part: list[str] = []
    for token in tokens:
        if sum(map(len, part)) + len(part) + len(token) > room:
            yield f"{start}{','.join(part)}{_NEWEST_FIRST}"
            part = []
        part.append(token)
    yield f"{start}{','.join(part)}{_NEWEST_FIRST}"
