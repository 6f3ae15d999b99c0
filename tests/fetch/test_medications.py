"""A drug is recognised however it is named: in the order, beside it, on the FHIR server, or only in words.

Source: clinical/rules.md D-DRUG, D-MED.
"""

from typing import Any

import pytest

from tests.fetch.calls import CRPS, Answered, bundle_of, call, fill
from tests.fetch.fault_server import FaultServer, hang, page, says
from tests.hooks.bodies import CODES, bundle, condition, draft, infusion
from tests.running import Json, Running

KETAMINE = {"system": CODES["rxnorm"], "code": "6130", "display": "ketamine"}
MIDAZOLAM = {"system": CODES["rxnorm"], "code": "6960", "display": "midazolam"}
REFERENCE = {"reference": "Medication/vial"}
IV = [{"text": "intravenous infusion"}]


def medication(*codings: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    """A product."""
    return {"resourceType": "Medication", "id": "vial", "code": {"coding": list(codings)}} | members


def order(reference: Json, *beside: Json, **members: Any) -> Json:  # noqa: ANN401
    """Draft orders whose drug is named by a reference, with other resources beside the order."""
    named = draft(medicationReference=reference, dosageInstruction=IV, **members)
    del named["medicationCodeableConcept"]
    return bundle(named, *beside)


def sent_as(codeable: Json) -> Json:
    """Draft orders whose drug is named in the order itself."""
    return bundle(draft(medicationCodeableConcept=codeable, dosageInstruction=IV))


PRODUCT_NO_LIST_HOLDS = {
    "system": CODES["rxnorm"],
    "code": "99999999",
    "display": "ketamine 50 MG/ML Injection [Brand]",
}
NAMED: dict[str, tuple[Json, Json]] = {
    "on the server": (order(REFERENCE), medication(KETAMINE)),
    "on the server, as a version": (order({"reference": "Medication/vial/_history/2"}), medication(KETAMINE)),
    "on the server, with a display that says little": (
        order(REFERENCE | {"display": "anaesthetic, per protocol"}), medication(KETAMINE),
    ),
    "on the server, by its ingredient": (
        order(REFERENCE),
        medication(code={"text": "vial"}, ingredient=[{"itemCodeableConcept": {"coding": [KETAMINE]}}]),
    ),
    "contained": (
        order({"reference": "#vial"}, contained=[medication(KETAMINE)]), {},
    ),
    "beside it in the draft orders": (order(REFERENCE, medication(KETAMINE)), {}),
    "by display only": (order({"display": "ketamine 50 mg/mL"}), {}),
    "by display of a reference that nobody answers": (order(REFERENCE | {"display": "ketamine 50 mg/mL"}), {}),
    "by several codings": (
        sent_as({"coding": [{"system": "urn:oid:2.16.840.1.113883.6.68", "code": "1"}, {"code": "x"}, KETAMINE]}), {},
    ),
    "by the OID of RxNorm": (
        sent_as({"coding": [KETAMINE | {"system": "urn:oid:2.16.840.1.113883.6.88", "display": "x"}]}), {},
    ),
    "by the bare OID of RxNorm on the server": (
        order(REFERENCE), medication(KETAMINE | {"system": "urn:oid:2.16.840.1.113883.6.88", "display": "x"}),
    ),
    "by a product that no list holds, by its words": (sent_as({"coding": [PRODUCT_NO_LIST_HOLDS]}), {}),
    "by a product on the server, by its words": (order(REFERENCE), medication(PRODUCT_NO_LIST_HOLDS)),
}  # fmt: skip
"""How an order names ketamine, and the Medication that the server holds."""


@pytest.mark.parametrize("name", NAMED)
def test_an_order_for_ketamine_is_recognised_however_it_is_named(
    service: Running, server: FaultServer, name: str
) -> None:
    """The same cards for every form: a clear indication."""
    drafts, held = NAMED[name]
    fill(server, service, conditions=[CRPS])
    if held:
        server.held["Medication/vial"] = held

    assert "KETCRPS1I" in _call(service, server, drafts).topics


def test_a_medication_in_the_prefetch_is_not_read_again(service: Running, server: FaultServer) -> None:
    sent = {"products": bundle_of(medication(KETAMINE))}

    found = _call(service, server, order(REFERENCE), prefetch=sent)

    assert "KETIOP1W" in found.topics
    assert [] == server.asked_for("Medication")


def test_an_order_for_another_drug_ends_before_anything_of_the_patient_is_read(
    service: Running, server: FaultServer
) -> None:
    server.held["Medication/vial"] = medication(MIDAZOLAM)

    found = _call(service, server, order(REFERENCE))

    assert {"cards": []} == found.response.json()
    assert ["/fhir/Medication/vial"] == [asked.target for asked in server.asked]


@pytest.mark.parametrize(("status", "reason"), [(404, "HTTP 404"), (403, "HTTP 403"), (500, "HTTP 500")])
def test_an_order_whose_drug_cannot_be_had_is_a_refusal(
    service: Running, server: FaultServer, status: int, reason: str
) -> None:
    """Silence would read as "not ketamine"."""
    server.faults["Medication"] = says(status)

    found = _call(service, server, order(REFERENCE))

    assert (412, "CDS-303") == (found.response.status_code, found.problem)
    assert f"its Medication/vial could not be read ({reason})" in found.response.text


def test_an_order_whose_drug_lies_on_another_server_is_not_looked_for_there(
    service: Running, server: FaultServer
) -> None:
    found = _call(service, server, order({"reference": "https://elsewhere.example/fhir/Medication/vial"}))

    assert (412, "CDS-303") == (found.response.status_code, found.problem)
    assert [] == server.asked


LISTED = {
    "MedicationRequest": ("medications", infusion(id="listed")),
    "MedicationStatement": (
        "medication_statements", {"resourceType": "MedicationStatement", "id": "listed", "status": "active"},
    ),
    "MedicationDispense": (
        "medication_dispenses",
        {"resourceType": "MedicationDispense", "id": "listed", "status": "completed"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LISTED)
def test_a_drug_in_a_list_is_read_from_the_server_by_its_reference(
    service: Running, server: FaultServer, kind: str
) -> None:
    """The Medications of all lists are asked for together."""
    key, resource = LISTED[kind]
    listed = resource | {"subject": {"reference": "Patient/amara"}, "medicationReference": REFERENCE}
    listed.pop("medicationCodeableConcept", None)
    other = infusion(id="other", medicationReference={"reference": "Medication/bottle"})
    del other["medicationCodeableConcept"]
    lists = {"medications": [other]} | {key: [listed]} if key != "medications" else {key: [listed, other]}
    fill(server, service, conditions=[CRPS], **lists)
    together = bundle_of(medication(MIDAZOLAM), medication(KETAMINE, id="bottle"))
    for ids in ("vial,bottle", "bottle,vial"):
        server.held[f"Medication?_id={ids}&_count=25"] = together

    found = _call(service, server, None)

    assert 1 == len(server.asked_for("Medication"))
    assert {"midazolam", "ketamine"} <= set(_drugs(found))


def test_medications_that_cannot_be_searched_together_are_read_one_by_one(
    service: Running, server: FaultServer
) -> None:
    first, second = (infusion(id=name, medicationReference={"reference": f"Medication/{name}"}) for name in "ab")
    for listed in (first, second):
        del listed["medicationCodeableConcept"]
    fill(server, service, conditions=[CRPS], medications=[first, second])
    server.held["Medication/a"] = medication(MIDAZOLAM, id="a")
    server.held["Medication/b"] = medication(KETAMINE, id="b")

    assert {"midazolam", "ketamine"} <= set(_drugs(_call(service, server, None)))


@pytest.mark.parametrize("fault", [says(403), hang, says(200, page())], ids=["403", "hangs", "nothing found"])
def test_a_listed_drug_that_cannot_be_had_is_a_gap_that_names_it(
    service: Running,
    server: FaultServer,
    fault: Any,  # noqa: ANN401
) -> None:
    """Which drug it is stays unknown: no rule takes the list for free of its drug."""
    listed = infusion(id="listed", medicationReference=REFERENCE)
    del listed["medicationCodeableConcept"]
    fill(server, service, conditions=[CRPS], medications=[listed])
    server.faults["Medication"] = fault

    found = _call(service, server, None)

    assert 200 == found.response.status_code
    assert "its Medication/vial could not be read" in found.reasons("medications")
    assert "KETGAP0I" in found.topics


def test_an_id_that_is_none_is_not_put_into_an_address(service: Running, server: FaultServer) -> None:
    listed = infusion(id="listed", medicationReference={"reference": "Medication/../Patient?x=1"})
    del listed["medicationCodeableConcept"]
    fill(server, service, conditions=[CRPS], medications=[listed])

    found = _call(service, server, None)

    assert 200 == found.response.status_code
    assert [] == server.asked_for("Medication")


def test_a_reason_by_reference_is_the_diagnosis_that_was_read(service: Running, server: FaultServer) -> None:
    depression = condition("depression", "icd10cm|F33.2", "2025-01-01")
    fill(server, service, conditions=[CRPS, depression])
    reason = {"reasonReference": [{"reference": f"{server.base}/Condition/depression"}]}
    drafts = bundle(draft(medicationCodeableConcept={"coding": [KETAMINE]}, dosageInstruction=IV, **reason))

    assert "KETAPPROVAL1I" in _call(service, server, drafts).topics


def _call(service: Running, server: FaultServer, drafts: Json | None, prefetch: Json | None = None) -> Answered:
    context: Json = {"userId": "Practitioner/nadia", "patientId": "amara", "selections": ["MedicationRequest/draft-1"]}
    context["draftOrders"] = drafts or sent_as({"coding": [KETAMINE]})
    return call(service, server.base, context=context, prefetch=prefetch or {})


def _drugs(found: Answered) -> list[str]:
    """The drugs among the facts that the record holds."""
    held = found.record.section("facts")["facts"]
    return [coding["display"] for one in held if "drug" in one for coding in one["drug"].get("codings", [])]
