"""Evaluating whole patients: from a Bundle, by the prefetch that an EHR would send, to an assessment and its cards."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from cds.ehr import request_for
from cds.engine.assess import assess
from cds.engine.assessment import Assessment
from cds.engine.card import Card
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import HookContext
from cds.engine.render import render
from cds.engine.rules import Knowledge
from cds.fhir.context import ReadContext, as_received
from cds.fhir.drafts import entries_of, read_drafts
from cds.fhir.read import read_facts
from cds.hooks.prefetch import sources, templates
from cds.knowledge.code_systems import CodeSystems, load_code_systems
from cds.knowledge.load import load_knowledge

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fhir_fixtures"
AS_OF = datetime(2026, 2, 1, 12, tzinfo=UTC)
"""The day that the dates of the fixtures are meant for."""

Prefetch = dict[str, bytes]
_DATES = ("effectiveDateTime", "issued", "recordedDate", "onsetDateTime", "abatementDateTime", "authoredOn")
_PERIODS = ("performedPeriod", "effectivePeriod")


@dataclass(frozen=True)
class Patient:
    """A Bundle and the moment at which it is looked at."""

    name: str
    bundle: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class Evaluated:
    """What came out."""

    assessment: Assessment
    cards: tuple[Card, ...]


@cache
def knowledge() -> Knowledge:
    """The knowledge of the repository."""
    return load_knowledge(ROOT / "cards")


@cache
def code_systems() -> CodeSystems:
    """The code systems of the repository."""
    return load_code_systems(ROOT / "cards" / "code_systems.yaml")


@cache
def offered() -> Mapping[str, str]:
    """The prefetch templates."""
    return templates(knowledge())


def order(name: str) -> dict[str, Any]:
    """A draft order of fhir_fixtures/orders."""
    found: dict[str, Any] = json.loads((FIXTURES / "orders" / f"{name}.json").read_bytes())
    return found


def fixtures() -> list[Patient]:
    """The synthetic patients of the repository, as of the day they are made for."""
    paths = sorted((FIXTURES / "patients").glob("*.json"))
    return [Patient(path.stem, json.loads(path.read_bytes()), AS_OF) for path in paths]


def synthea(folder: Path, names: list[str] | None = None) -> list[Patient]:
    """Synthea patients, each at its last record plus one day and with its death left out.

    Otherwise nothing recent would exist, and no rule that looks back would ever be tried.
    """
    paths = [folder / f"{name}.json.gz" for name in names] if names else sorted(folder.glob("*.json.gz"))
    return [_living(path) for path in paths]


def _living(path: Path) -> Patient:
    bundle = json.loads(gzip.decompress(path.read_bytes()))
    for entry in bundle["entry"]:
        entry["resource"].pop("deceasedDateTime", None)
    last = max(date for entry in bundle["entry"] for date in _dates(entry["resource"]))
    noon = datetime.fromisoformat(last[:10] + "T12:00:00+00:00")
    return Patient(path.name.removesuffix(".json.gz"), bundle, noon + timedelta(days=1))


def _dates(resource: dict[str, Any]) -> list[str]:
    if resource["resourceType"] == "Patient":
        return []
    periods = [resource[name].get("end") or resource[name]["start"] for name in _PERIODS if name in resource]
    return [resource[name] for name in _DATES if name in resource] + periods


def evaluate(
    patient: Patient, draft: dict[str, Any], change: Callable[[Prefetch], Prefetch] = lambda prefetch: prefetch
) -> Evaluated:
    """Assess a draft order for a patient; `change` may take something away from the prefetch before it is read."""
    request = request_for(patient.bundle, draft, "order-select", offered())
    received = as_received(change({key: orjson.dumps(value) for key, value in request["prefetch"].items()}))
    patient_id = request["context"]["patientId"]
    expected = {key: source for key, source in sources(offered()).items() if key != "encounter"}
    context = ReadContext(expected, patient_id, "", patient.at, ZoneInfo("UTC"), code_systems().canonical)
    entries = entries_of(msgspec.Raw(orjson.dumps(request["context"]["draftOrders"])))
    drafts = [entry.medication for entry in read_drafts(entries, context, received) if entry.medication]
    facts = read_facts(received, context, drafts)
    hook = HookContext("order-select", patient_id)
    ordered = read_order(next(drug for drug in facts.medications if drug.draft), facts, hook, knowledge(), patient.at)
    assert ordered is not None
    assessment = assess(knowledge(), facts, ordered, hook, patient.at)
    return Evaluated(assessment, render(knowledge(), [assessment]))
