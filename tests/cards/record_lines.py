"""The lines of a case that describe the patient's record, as the engine's facts."""

from collections.abc import Mapping
from decimal import Decimal

from cds.engine.dates import Interval
from cds.engine.facts import (
    Allergy,
    Coding,
    Component,
    Concept,
    Condition,
    Dosage,
    Flag,
    Gap,
    GapScope,
    Medication,
    MedicationKind,
    Observation,
    Procedure,
    Provenance,
    Source,
)
from cds.engine.units import Quantity
from tests.cards.words import CaseError, Line, coding, concept, interval, number, quantity, read_line

Systems = Mapping[str, str]

CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved", "nostatus"})
VERIFICATION = frozenset({"confirmed", "unconfirmed", "provisional", "differential", "refuted", "entered-in-error"})
CATEGORIES = frozenset({"problem-list-item", "health-concern", "encounter-diagnosis", "nocategory"})
MEDICATION_STATUS = frozenset({
    "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown", "not-taken",
    "intended",
})  # fmt: skip
OBSERVATION_STATUS = frozenset({
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"
})  # fmt: skip
PROCEDURE_STATUS = frozenset({"completed", "in-progress", "not-done", "stopped", "entered-in-error", "preparation"})
LOINC = "loinc"
BP_PANEL, BP_SYSTOLIC, BP_DIASTOLIC = "85354-9", "8480-6", "8462-4"


def condition(text: str, reference: str, systems: Systems) -> Condition:
    """Read ``icd10cm|F20.0 active unconfirmed onset 2025-01-01 "words"``."""
    line = read_line(
        text, 1, CLINICAL | VERIFICATION | CATEGORIES, frozenset({"onset", "recorded", "abated", "encounter"})
    )
    category = line.flag(CATEGORIES, "problem-list-item")
    abatement = line.date("abated")
    return Condition(
        provenance=_provenance(reference, Source.CONDITIONS),
        code=concept(line.head[0], line.text, systems),
        clinical_status=line.flag(CLINICAL, "active").replace("nostatus", ""),
        verification_status=line.flag(VERIFICATION, "confirmed"),
        categories=() if category == "nocategory" else (category,),
        onset=line.date("onset"),
        abatement=abatement,
        abated=abatement is not None,
        recorded=line.date("recorded"),
        encounter=line.options.get("encounter", ""),
    )


def observation(text: str, reference: str, systems: Systems) -> Observation:
    """Read ``loinc|79892-6 = 21 mm[Hg] on 2026-01-20``, or a result in words or as a code."""
    code, equals, rest = text.partition(" = ")
    options = frozenset({"on", "status", "upper", "interpretation"})
    if not equals:
        line = read_line(text, 1, frozenset(), options)
        return _observation(code.split()[0], "", line, reference, systems)
    value, after = _value_and_options(rest, options)
    return _observation(code, value, read_line(after, 0, frozenset(), options), reference, systems)


def _value_and_options(text: str, options: frozenset[str]) -> tuple[str, str]:
    if text.startswith('"'):
        value, _, after = text[1:].partition('"')
        return f'"{value}"', after.strip()
    words = text.split()
    cut = next((place for place, word in enumerate(words) if word in options), len(words))
    rest = " ".join(words[cut:])
    # A limit is a number with a unit: "upper 40 U/L" is one option.
    return " ".join(words[:cut]), _quoted_limit(rest)


def _quoted_limit(text: str) -> str:
    words = text.split()
    if "upper" in words:
        place = words.index("upper")
        words[place + 1 : place + 3] = [f'"{" ".join(words[place + 1 : place + 3])}"']
    return " ".join(words)


def _observation(code: str, value: str, line: Line, reference: str, systems: Systems) -> Observation:
    numeric, coded = _result(value, systems)
    interpretation = line.options.get("interpretation")
    return Observation(
        provenance=_provenance(reference, Source.LABORATORY),
        code=concept(code, "", systems),
        status=line.options.get("status", "final"),
        effective=line.date("on"),
        value=numeric,
        value_concept=coded,
        interpretations=(coding(interpretation, systems),) if interpretation else (),
        upper_limit=quantity(line.options["upper"]) if "upper" in line.options else None,
    )


def _result(value: str, systems: Systems) -> tuple[Quantity | None, Concept | None]:
    if not value:
        return None, None
    if value.startswith('"'):
        return None, Concept(text=value.strip('"'))
    if "|" in value:
        return None, concept(value, "", systems)
    return quantity(value), None


def blood_pressure(text: str, reference: str, systems: Systems) -> Observation:
    """Read ``186/96 on 2026-02-01``; kPa, mm[Hg] or another unit may follow, ``?`` is a half that is missing."""
    words = text.split()
    unit = words.pop(1) if len(words) > 1 and words[1] not in {"on", "status"} else "mm[Hg]"
    line = read_line(" ".join(words), 1, frozenset(), frozenset({"on", "status"}))
    halves = line.head[0].split("/")
    if len(halves) != 2:
        raise CaseError(f"'{text}' is no blood pressure such as 120/80")
    components = tuple(
        Component(_loinc(code, systems), Quantity(number(half), unit))
        for code, half in zip((BP_SYSTOLIC, BP_DIASTOLIC), halves, strict=True)
        if half != "?"
    )
    return Observation(
        provenance=_provenance(reference, Source.BLOOD_PRESSURE),
        code=_loinc(BP_PANEL, systems),
        status=line.options.get("status", "final"),
        effective=line.date("on"),
        components=components,
    )


def medication(text: str, reference: str, systems: Systems) -> Medication:
    """Read ``rxnorm|36437 "sertraline" active authored 2025-01-01 days 90``, or another order of the drug.

    ``rxnorm|6130 "ketamine" active authored 2026-01-12 route "IV" ref MedicationRequest/x group g1 prn``
    """
    flags = MEDICATION_STATUS | {"dispensed", "statement", "prn"}
    options = frozenset({
        "authored", "days", "dose", "perday", "route", "started", "ended", "form", "intent", "rate", "minutes", "ref",
        "group", "replaces", "reason", "category",
    })  # fmt: skip
    line = read_line(text, 1, flags, options)
    kind = _kind(line)
    started, ended = line.date("started"), line.date("ended")
    statement = kind is MedicationKind.STATEMENT
    return Medication(
        provenance=_provenance(line.options.get("ref", f"{kind.value}/{reference}"), _SOURCES[kind]),
        kind=kind,
        drug=concept(line.head[0], line.text, systems),
        form=Concept(text=line.options.get("form", "")),
        status=line.flag(MEDICATION_STATUS, "completed" if kind is MedicationKind.DISPENSE else "active"),
        intent=line.options.get("intent", "order" if kind is MedicationKind.REQUEST else ""),
        dosages=(_dosage(line, started, None if statement else ended),),
        authored=line.date("authored"),
        validity_start=started if statement else None,
        validity_end=ended if statement else None,
        supply_days=line.number("days"),
        categories=(Concept(text=line.options["category"]),) if "category" in line.options else (),
        reasons=(concept(line.options["reason"], "", systems),) if "reason" in line.options else (),
        replaces=(line.options["replaces"],) if "replaces" in line.options else (),
        group=line.options.get("group", ""),
        draft=line.flag(frozenset({"draft"})) == "draft",
    )


_SOURCES = {
    MedicationKind.REQUEST: Source.MEDICATIONS,
    MedicationKind.STATEMENT: Source.STATEMENTS,
    MedicationKind.DISPENSE: Source.DISPENSES,
}


def _kind(line: Line) -> MedicationKind:
    kind = line.flag(frozenset({"dispensed", "statement"}))
    kinds = {"dispensed": MedicationKind.DISPENSE, "statement": MedicationKind.STATEMENT}
    return kinds.get(kind, MedicationKind.REQUEST)


def _dosage(line: Line, started: Interval | None, ended: Interval | None) -> Dosage:
    per_day: Decimal | None = line.number("perday")
    return Dosage(
        route=Concept(text=line.options.get("route", "")),
        dose=quantity(line.options["dose"]) if "dose" in line.options else None,
        rate=quantity(line.options["rate"]) if "rate" in line.options else None,
        per_day=per_day,
        duration_minutes=line.number("minutes"),
        as_needed="prn" in line.flags,
        starts=started,
        ends=ended,
    )


def allergy(text: str, reference: str, systems: Systems) -> Allergy:
    """Read ``rxnorm|6130 active type intolerance "words"``."""
    statuses = frozenset({"active", "inactive", "resolved", "nostatus"})
    options = frozenset({"type", "category", "recorded"})
    line = read_line(text, 1, statuses | VERIFICATION, options)
    return Allergy(
        provenance=_provenance(reference, Source.ALLERGIES),
        substances=(concept(line.head[0], line.text, systems),),
        clinical_status=line.flag(statuses, "active").replace("nostatus", ""),
        verification_status=line.flag(VERIFICATION, "confirmed"),
        type=line.options.get("type", ""),
        categories=(line.options["category"],) if "category" in line.options else (),
        recorded=line.date("recorded"),
    )


def procedure(text: str, reference: str, systems: Systems) -> Procedure:
    """Read ``snomed|23835007 completed on 2025-06-01 "words"``."""
    line = read_line(text, 1, PROCEDURE_STATUS, frozenset({"on"}))
    return Procedure(
        provenance=_provenance(reference, Source.PROCEDURES),
        code=concept(line.head[0], line.text, systems),
        status=line.flag(PROCEDURE_STATUS, "completed"),
        performed=line.date("on"),
    )


def flag(text: str, reference: str, systems: Systems) -> Flag:
    """Read ``snomed|385763009 active "words"`` or ``text "Hospice patient" inactive``."""
    statuses = frozenset({"active", "inactive", "entered-in-error"})
    line = read_line(text, 1, statuses, frozenset())
    return Flag(
        provenance=_provenance(reference, Source.FLAGS),
        code=concept(line.head[0], line.text, systems),
        status=line.flag(statuses, "active"),
    )


def unreadable(text: str, systems: Systems) -> Gap:
    """Read ``conditions`` (the whole of it), or ``conditions entry icd10cm|F20.0`` (one entry, its code readable)."""
    line = read_line(text, 1, frozenset(), frozenset({"entry"}))
    entry = line.options.get("entry")
    if entry:
        codings: tuple[Coding, ...] = (coding(entry, systems),)
        return Gap(source(line.head[0]), GapScope.ENTRY, "could not be read", "Resource/unreadable", codings)
    return Gap(source(line.head[0]), GapScope.SOURCE, "HTTP 403")


def absent(text: str) -> Gap:
    """Read ``medications``: the key was not sent, and there is no server to ask."""
    return Gap(source(text), GapScope.SOURCE, "not sent, and no FHIR server to ask")


def source(text: str) -> Source:
    """Return the part of the record that a word names."""
    try:
        return Source(text)
    except ValueError as error:
        raise CaseError(f"'{text}' is none of {', '.join(Source)}") from error


def cut_short(text: str) -> tuple[Source, Interval]:
    """Read ``laboratory back to 2025-06-01``: sorted newest first, and read only so far."""
    name, _, day = text.partition(" back to ")
    return source(name), interval(day)


def _loinc(code: str, systems: Systems) -> Concept:
    return concept(f"{LOINC}|{code}", "", systems)


def _provenance(reference: str, where: Source) -> Provenance:
    return Provenance(reference, f"prefetch {where.value}", where)
