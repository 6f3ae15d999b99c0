"""Reading the unsigned orders of a session."""

import json
from typing import Any

import pytest

from cds.engine.facts import MedicationKind
from cds.fhir.context import as_received
from cds.fhir.drafts import DraftEntry, entries_of, read_drafts
from cds.fhir.read import read_facts
from tests.fhir.records import SUBJECT, Json, condition, context, request, searchset

KETAMINE = {"text": "ketamine 50 MG/ML Injectable Solution"}


def draft(identifier: str = "draft-1", **members: Any) -> Json:  # noqa: ANN401 - any JSON
    return request(identifier, **{"status": "draft", "medicationCodeableConcept": KETAMINE, **members})


def drafts(bundle: Any, prefetch: Json | None = None) -> tuple[DraftEntry, ...]:  # noqa: ANN401 - any JSON
    received = as_received({key: json.dumps(value).encode() for key, value in (prefetch or {}).items()})
    return read_drafts(entries_of(json.dumps(bundle).encode()), context(), received)


def test_an_order_as_the_sandbox_sends_it_is_read() -> None:
    """No Bundle.type, no intent, objects where lists belong."""
    order = draft(intent=None, category={"coding": [{"code": "community"}]}, reasonCode={"text": "CRPS"})

    (found,) = drafts({"resourceType": "Bundle", "entry": [{"fullUrl": "urn:x:1", "resource": order}]})

    assert ("MedicationRequest/draft-1", "urn:x:1", "MedicationRequest", ()) == (
        found.reference,
        found.full_url,
        found.resource_type,
        found.gaps,
    )
    assert found.medication
    assert (KETAMINE["text"], "CRPS", True) == (
        found.medication.drug.label,
        found.medication.reasons[0].label,
        found.medication.draft,
    )
    assert "draftOrders" == found.medication.provenance.origin


def test_an_order_without_a_drug_yet_is_an_order_without_a_drug() -> None:
    (found,) = drafts(searchset(draft(medicationCodeableConcept=None)))

    assert found.medication
    assert ("", ()) == (found.medication.drug.label, found.gaps)


def test_a_treatment_may_be_ordered_as_a_service() -> None:
    service = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "draft",
        "intent": "order",
        "subject": SUBJECT,
        "code": {"text": "Ketamine infusion therapy"},
        "orderDetail": [{"text": "outpatient"}],
        "patientInstruction": "Bring a driver",
        "note": [{"text": "first session"}],
        "replaces": [{"reference": "ServiceRequest/s0"}],
        "occurrencePeriod": {"start": "2026-02-05", "end": "2026-02-06"},
    }

    (found,) = drafts(searchset(service))

    assert found.medication
    assert (MedicationKind.SERVICE, "Ketamine infusion therapy") == (found.medication.kind, found.medication.drug.label)
    assert ("outpatient", "Bring a driver", "first session") == found.medication.notes
    assert (("ServiceRequest/s0",), "2026-02-05", "2026-02-06") == (
        found.medication.replaces,
        str(found.medication.validity_start),
        str(found.medication.validity_end),
    )


def test_orders_of_other_kinds_are_named_and_not_read() -> None:
    (found,) = drafts(searchset({"resourceType": "NutritionOrder", "id": "n1", "status": "draft"}))

    assert ("NutritionOrder/n1", "NutritionOrder", None, ()) == (
        found.reference,
        found.resource_type,
        found.medication,
        found.gaps,
    )


@pytest.mark.parametrize("where", ["draft orders", "prefetch"])
def test_the_drug_of_an_order_is_looked_for_in_the_draft_orders_then_in_the_prefetch(where: str) -> None:
    product = {"resourceType": "Medication", "id": "med-1", "code": KETAMINE}
    order = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/med-1"})
    beside, prefetch = ([product], {}) if where == "draft orders" else ([], {"medications": searchset(product)})

    found = drafts(searchset(order, *beside), prefetch)[0]

    assert found.medication
    assert (KETAMINE["text"], "") == (found.medication.drug.label, found.missing)


def test_a_drug_that_was_not_sent_is_named_so_that_it_can_be_read() -> None:
    order = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/med-9"})

    (found,) = drafts(searchset(order), {"conditions": searchset(condition())})

    assert "Medication/med-9" == found.missing
    assert ["its Medication/med-9 could not be read"] == [gap.reason for gap in found.gaps]


def test_an_order_for_another_patient_is_not_read() -> None:
    (found,) = drafts(searchset(draft(subject={"reference": "Patient/boris"})))

    assert found.medication is None
    assert ["it is for another patient"] == [gap.reason for gap in found.gaps]


def test_an_unreadable_order_costs_only_itself() -> None:
    bad = draft("bad", dosageInstruction=True, medicationCodeableConcept={"coding": [{"code": "6130"}]})

    first, second = drafts(searchset(bad, draft()))

    assert (None, "6130") == (first.medication, first.gaps[0].codings[0].code)
    assert second.medication


@pytest.mark.parametrize("bundle", [None, 5, [], {}, {"resourceType": "Bundle"}, {"entry": [{}, None, 7]}])
def test_draft_orders_that_hold_nothing_are_no_orders(bundle: object) -> None:
    assert () == drafts(bundle) or bundle == {}


def test_the_reasons_of_a_draft_are_resolved_with_the_patients_diagnoses() -> None:
    (found,) = drafts(searchset(draft(reasonReference=[{"reference": "Condition/c1"}])))
    assert found.medication
    received = as_received({"conditions": json.dumps(searchset(condition("c1"))).encode()})

    facts = read_facts(received, context(), [found.medication])

    assert ["Paranoid schizophrenia"] == [reason.label for reason in facts.medications[0].reasons]
    assert facts.medications[0].draft


def test_a_draft_without_an_id_is_called_by_its_place() -> None:
    order = draft()
    del order["id"]

    (found,) = drafts(searchset(order))

    assert "MedicationRequest entry 1 of draftOrders" == found.reference


def test_a_draft_dated_ahead_is_still_an_order() -> None:
    """An order that is being written cannot be an error in the record."""
    (found,) = drafts(searchset(draft(authoredOn="2026-03-01")))

    assert found.medication
