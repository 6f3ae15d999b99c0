"""Cases as clinicians write them: a patient, an order, and what a rule must say. Read into the engine's own types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, RootModel

from cds.engine.dates import Interval
from cds.engine.facts import (
    Coding,
    Encounter,
    Gap,
    HookContext,
    Medication,
    Patient,
    PatientFacts,
    Provenance,
    Source,
)
from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, parse
from cds.knowledge.strict_yaml import Document, read_document
from tests.cards import record_lines as lines
from tests.cards.order_lines import NAMED, OrderWords, order
from tests.cards.words import CaseError, interval

PATIENT = "1"
ENCOUNTER = "Encounter/1"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
WEIGHT = "loinc|29463-7 = 70 kg on {day}"
AGE_YEARS = 45
_Schema = TypeVar("_Schema", bound=BaseModel)
Expected = Literal["critical", "warning", "info", "not_found", "unknown", "not_applicable"]


class PatientWords(Closed):
    """Who the patient is; what is not said stays as in the default patient."""

    sex: str = "female"
    birth: str = ""
    deceased: bool = False


class GivenLine(Closed):
    """One line of `given`: exactly one of these."""

    condition: str | None = None
    observation: str | None = None
    blood_pressure: str | None = None
    medication: str | None = None
    allergy: str | None = None
    procedure: str | None = None
    flag: str | None = None
    family_history: str | None = None
    encounter: str | None = None
    unreadable: str | None = None
    absent: str | None = None
    cut_short: str | None = None
    patient: PatientWords | None = None
    order: OrderWords | None = None


class CaseText(Closed):
    """One case of a rule."""

    name: str
    given: tuple[GivenLine, ...] = ()
    expect: Expected
    threshold: str = ""
    edge: str = ""
    withheld: str = ""
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    today: str = ""
    without: tuple[Literal["weight"], ...] = ()


class CaseFileText(Closed):
    """The cases of one rule; `never` says why an answer cannot be reached, as not_found by a rule that always holds."""

    today: str
    order: str | OrderWords = "ketamine infusion"
    never: dict[Literal["not_found", "unknown"], str] = Field(default_factory=dict)
    cases: tuple[CaseText, ...] = Field(min_length=1)


class WorkedCaseText(Closed):
    """One worked case: the cards that must come out, by row of the clinical rules and indicator."""

    number: int
    name: str
    given: tuple[GivenLine, ...] = ()
    part: str = ""
    base: Literal["ctx", "ctx+crps"] = "ctx"
    expect: dict[str, str] = Field(default_factory=dict)
    next: dict[str, str] = Field(default_factory=dict)
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    today: str = ""
    order: str | OrderWords = "ketamine infusion"


class WorkedCasesText(RootModel[tuple[WorkedCaseText, ...]]):
    """All worked cases."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A patient, an order and a moment: what a case describes, ready to be assessed.

    At patient-view there is no draft: `medication` is not asked, but the active orders in `facts`.
    """

    facts: PatientFacts
    medication: Medication
    context: HookContext
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one rule, with its place in the file."""

    rule: str
    where: str
    text: CaseText
    situation: Situation


@dataclass(slots=True)
class _Record:
    """The facts of a case while its lines are read; new facts get numbers."""

    systems: Mapping[str, str]
    facts: PatientFacts
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, resource: str, group: str, text: str, read: Callable[..., object]) -> None:
        self.numbers[resource] = self.numbers.get(resource, 0) + 1
        name = f"{kind}-{self.numbers[resource]}"
        reference = name if kind == "medication" else f"{resource}/{name}"
        facts = (*getattr(self.facts, group), read(text, reference, self.systems))
        self.facts = replace(self.facts, **{group: facts})  # type: ignore[arg-type]


_RECORD: Mapping[str, tuple[str, str, Callable[..., object]]] = {
    "condition": ("Condition", "conditions", lines.condition),
    "observation": ("Observation", "observations", lines.observation),
    "blood_pressure": ("Observation", "observations", lines.blood_pressure),
    "medication": ("Medication", "medications", lines.medication),
    "allergy": ("AllergyIntolerance", "allergies", lines.allergy),
    "procedure": ("Procedure", "procedures", lines.procedure),
    "flag": ("Flag", "flags", lines.flag),
}


def read_cases(path: Path, root: Path, systems: Mapping[str, str]) -> tuple[Case, ...]:
    """Return the cases of a file, whose name is that of the rule.

    Raises:
        KnowledgeError: CDS-1xx for the first thing in the file that is not understood, with its line.
    """
    document = _document(path, root)
    text = _parsed(CaseFileText, document)
    return tuple(_case(path.stem, number, case, text, document, systems) for number, case in enumerate(text.cases))


def read_never(path: Path, root: Path) -> frozenset[str]:
    """Return the answers that the cases of a file say cannot be reached."""
    return frozenset(_parsed(CaseFileText, _document(path, root)).never)


def _case(
    rule: str, number: int, case: CaseText, text: CaseFileText, document: Document, systems: Mapping[str, str]
) -> Case:
    where = document.where("cases", number)
    try:
        base = () if "weight" in case.without else default_lines(_day(case.today or text.today))
        situation = situation_of((*base, *case.given), text.order, _day(case.today or text.today), systems)
    except CaseError as error:
        raise KnowledgeError("CDS-190", where, f"{error}.") from error
    return Case(rule, where, case, situation)


def read_worked_cases(path: Path, root: Path) -> tuple[WorkedCaseText, ...]:
    """Return the worked cases of a file, in its order; `situation_of` makes their patients."""
    return _parsed(WorkedCasesText, _document(path, root)).root


def default_lines(today: date) -> tuple[GivenLine, ...]:
    """Return what every patient has: a weight of seven days ago."""
    return (GivenLine(observation=WEIGHT.format(day=today - timedelta(days=7))),)


def situation_of(
    given: Sequence[GivenLine], named_order: str | OrderWords, today: date, systems: Mapping[str, str]
) -> Situation:
    """Return the patient, order and moment that the lines describe.

    Raises:
        CaseError: for a line that is not understood.
    """
    birth = today.replace(year=today.year - AGE_YEARS)
    patient = Patient(Provenance(f"Patient/{PATIENT}", "prefetch patient", Source.PATIENT), _exact(birth), "female")
    record = _Record(systems, PatientFacts(PATIENT, patient))
    words = _named(named_order)
    for line in given:
        words = _read(line, record, words)
    medication = order(words, systems)
    encounter = words.encounter or (ENCOUNTER if record.facts.encounter else "")
    context = HookContext(words.hook, PATIENT, encounter, country=words.country)
    return Situation(record.facts, medication, context, datetime.combine(today, time(12), UTC))


def _named(named_order: str | OrderWords) -> OrderWords:
    if isinstance(named_order, OrderWords):
        return named_order
    if named_order not in NAMED:
        raise CaseError(f"There is no order '{named_order}'; known: {', '.join(NAMED)}")
    return NAMED[named_order]


def _read(line: GivenLine, record: _Record, words: OrderWords) -> OrderWords:
    if len(line.model_fields_set) != 1:
        raise CaseError("a line of 'given' says exactly one thing")
    kind = next(iter(line.model_fields_set))
    value = getattr(line, kind)
    if kind in _RECORD:
        resource, group, read = _RECORD[kind]
        record.add(kind.replace("_", "-"), resource, group, value, read)
    elif kind == "order":
        return words.model_copy(update={name: getattr(value, name) for name in value.model_fields_set})
    elif kind == "patient":
        record.facts = replace(record.facts, patient=_patient(value, record.facts.patient))
    else:
        record.facts = _other(kind, value, record)
    return words


def _other(kind: str, value: str, record: _Record) -> PatientFacts:
    facts = record.facts
    if kind in {"unreadable", "absent"}:
        gap: Gap = lines.unreadable(value, record.systems) if kind == "unreadable" else lines.absent(value)
        return replace(facts, gaps=(*facts.gaps, gap))
    if kind == "cut_short":
        source, since = lines.cut_short(value)
        return replace(facts, complete_since={**facts.complete_since, source: since})
    if kind == "encounter":
        provenance = Provenance(ENCOUNTER, "prefetch encounter", Source.ENCOUNTER)
        return replace(facts, encounter=Encounter(provenance, Coding(ENCOUNTER_CLASS, value)))
    return facts  # family_history: no fact is made of it (D-COND-NO)


def _patient(words: PatientWords, default: Patient | None) -> Patient | None:
    if default is None:
        return None
    said = words.model_fields_set
    birth = (interval(words.birth) if words.birth else None) if "birth" in said else default.birth
    return replace(default, birth=birth, sex=words.sex if "sex" in said else default.sex, deceased=words.deceased)


def _document(path: Path, root: Path) -> Document:
    document, problems = read_document(path, root)
    if problems or document is None:
        raise problems[0]
    return document


def _parsed(schema: type[_Schema], document: Document) -> _Schema:
    text, problems = parse(schema, document)
    if text is None:
        raise problems[0]
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CaseError(f"'{text}' is no day") from error


def _exact(day: date) -> Interval:
    return Interval(day, day)
