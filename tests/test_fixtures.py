"""The cast of fhir_fixtures/: valid, made of known codes, and each patient as the README says."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds.engine.facts import Coding
from cds.engine.terminology import ValueSet
from cds.fhir.r4b import validate_resource
from cds.fhir.shift import AS_OF, as_of
from cds.knowledge.value_sets import load_value_sets
from tests.population.evaluate import AS_OF as NOON
from tests.population.evaluate import ROOT, Patient, evaluate, order

FOLDER = ROOT / "fhir_fixtures"
PATIENTS = sorted((FOLDER / "patients").glob("*.json"))
ORDERS = sorted((FOLDER / "orders").glob("*.json"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")
CAST = dict(re.findall(r"^\| ([a-z]+) \| .* \| ([A-Z0-9 ]+|none) \|$", README, re.MULTILINE))
FULL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
TERMINOLOGY = ("http://terminology.hl7.org/CodeSystem/", "http://unitsofmeasure.org")

Json = dict[str, Any]


def named(path: Path) -> str:
    return path.stem


def content(path: Path) -> Json:
    found: Json = json.loads(path.read_bytes())
    return found


def parts(value: object) -> Iterator[Json]:
    """Every object inside a JSON value."""
    if isinstance(value, list):
        for item in value:
            yield from parts(item)
    elif isinstance(value, dict):
        yield value
        yield from parts(list(value.values()))


@pytest.fixture(scope="module")
def value_sets() -> list[ValueSet]:
    return list(load_value_sets(ROOT / "cards" / "value_sets").values())


@pytest.mark.parametrize("path", [*PATIENTS, *ORDERS], ids=named)
def test_every_fixture_is_valid_fhir(path: Path) -> None:
    assert () == validate_resource(content(path))


@pytest.mark.parametrize("path", PATIENTS, ids=named)
def test_every_bundle_can_be_loaded_under_ids_of_its_own(path: Path) -> None:
    """A server that numbers resources itself refuses ids of digits only; ids of two patients must not collide."""
    entries = content(path)["entry"]
    resources = [entry["resource"] for entry in entries]

    assert [f"{one['resourceType']}/{one['id']}" for one in resources] == [entry["request"]["url"] for entry in entries]
    assert len(entries) == len({entry["fullUrl"] for entry in entries})
    assert all(re.fullmatch(rf"{path.stem}(-[a-z0-9-]+)?", one["id"]) for one in resources)


@pytest.mark.parametrize("path", PATIENTS, ids=named)
def test_every_reference_leads_somewhere(path: Path) -> None:
    bundle = content(path)
    here = {entry["request"]["url"] for entry in bundle["entry"]}

    assert set() == {part["reference"] for part in parts(bundle) if "reference" in part} - here


@pytest.mark.parametrize("path", [*PATIENTS, *ORDERS], ids=named)
def test_only_codes_of_the_value_sets_are_used(path: Path, value_sets: list[ValueSet]) -> None:
    used = [
        Coding(part["system"], part["code"])
        for part in parts(content(path))
        if "system" in part and not part["system"].startswith(TERMINOLOGY)
    ]

    assert [] == [coding for coding in used if not any(one.contains(coding) for one in value_sets)]


@pytest.mark.parametrize("path", PATIENTS, ids=named)
def test_nothing_is_dated_after_the_day_they_are_written_for(path: Path) -> None:
    texts = [text for part in parts(content(path)) for text in part.values() if isinstance(text, str)]
    dates = [date.fromisoformat(text[:10]) for text in texts if FULL_DATE.fullmatch(text)]

    assert max(dates) <= AS_OF


def test_the_readme_names_everyone_and_nobody_else() -> None:
    assert {path.stem for path in PATIENTS} == set(CAST)
    assert {path.stem for path in ORDERS} == set(re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE))


@pytest.mark.parametrize("path", PATIENTS, ids=named)
def test_each_patient_gets_the_cards_that_the_readme_says(path: Path) -> None:
    cards = evaluate(Patient(path.stem, content(path), NOON), order("ketamine_iv_infusion")).cards

    assert CAST[path.stem] == (" ".join(card.topic for card in cards) or "none")


@pytest.mark.parametrize("path", PATIENTS, ids=named)
def test_moved_to_another_day_a_patient_gets_the_same_cards(path: Path) -> None:
    """What was true on the day they are written for is true of a server that is filled next year."""
    days = 400
    moved = as_of(content(path), AS_OF + timedelta(days=days))

    cards = evaluate(Patient(path.stem, moved, NOON + timedelta(days=days)), order("ketamine_iv_infusion")).cards

    assert CAST[path.stem] == (" ".join(card.topic for card in cards) or "none")


def test_one_patient_has_more_than_a_page_of_orders_and_of_observations() -> None:
    kinds = [entry["resource"]["resourceType"] for entry in content(FOLDER / "patients" / "samuel.json")["entry"]]

    assert kinds.count("Observation") > 25
    assert kinds.count("MedicationRequest") > 20
