"""What an EHR did not send, or sent in part, is read from its FHIR server; what it says it has not is not asked again.

Source: CDS Hooks 2.0.1 prefetch; clinical/rules.md D-EMPTY.
"""

import pytest

from tests.fetch.calls import CRPS, PSYCHOSIS, bundle_of, call, entry, fill, templates
from tests.fetch.fault_server import FaultServer, outcome, page, says
from tests.hooks.bodies import draft, infusion, whole_record
from tests.running import Json, Running


@pytest.mark.requirement(31, 32)
def test_a_first_page_that_was_sent_is_completed_from_its_next_link(service: Running, server: FaultServer) -> None:
    """Only the rest is read; the psychosis stands there."""
    first = page(entry(CRPS), after=f"{server.base}?_getpages=7")
    server.faults[""] = says(200, page(entry(PSYCHOSIS)))

    found = call(service, server.base, prefetch=_sent(service, conditions=first))

    assert {"KETPSYCHOSIS1C", "KETCRPS1I"} <= set(found.topics)
    assert "" == found.reasons("conditions")
    assert 1 == len(server.asked)


@pytest.mark.requirement(32)
@pytest.mark.parametrize(
    "sent",
    [
        outcome("timeout"),
        page({"resource": outcome("timeout")}),
        {"resourceType": "Patient", "id": "amara"},
        "Conditions",
        bundle_of() | {"total": 12},
    ],
    ids=["an error", "an error in the Bundle", "something else", "no resource", "a part without next link"],
)
def test_a_prefetch_that_failed_is_read_again(service: Running, server: FaultServer, sent: object) -> None:
    found = call(service, server.base, prefetch=_sent(service, conditions=sent))

    assert "KETPSYCHOSIS1C" in found.topics
    assert ["/fhir/Condition?patient=amara"] == [asked.target for asked in server.asked]


@pytest.mark.requirement(32)
@pytest.mark.parametrize(
    "sent",
    [
        None,
        bundle_of(),
        page(
            {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}}
        ),
    ],
    ids=["null", "an empty search", "Epic's warning"],
)
def test_what_the_ehr_says_it_does_not_have_is_not_asked_for_again(
    service: Running, server: FaultServer, sent: object
) -> None:
    found = call(service, server.base, prefetch=_sent(service, conditions=sent))

    assert "KETNOIND1W" in found.topics
    assert [] == server.asked


def test_what_was_sent_of_a_page_stays_when_the_rest_cannot_be_had(service: Running, server: FaultServer) -> None:
    server.faults[""] = says(500)
    first = page(entry(PSYCHOSIS), after=f"{server.base}?_getpages=7")

    found = call(service, server.base, prefetch=_sent(service, conditions=first))

    assert {"KETPSYCHOSIS1C", "KETGAP0W"} <= set(found.topics)
    assert "cut short: HTTP 500" == found.reasons("conditions")


def test_what_was_sent_beside_an_error_stays_when_it_cannot_be_read_again(
    service: Running, server: FaultServer
) -> None:
    server.faults["Condition"] = says(403)
    sent = page(entry(PSYCHOSIS), {"resource": outcome("timeout"), "search": {"mode": "outcome"}})

    found = call(service, server.base, prefetch=_sent(service, conditions=sent))

    assert {"KETPSYCHOSIS1C", "KETGAP0W"} <= set(found.topics)
    assert "HTTP 403" in found.reasons("conditions")


def test_no_encounter_is_asked_for_where_the_call_names_none(service: Running, server: FaultServer) -> None:
    context = {"patientId": "amara", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft()}]}}

    call(service, server.base, context=context)
    without = len(server.asked_for("Encounter"))
    call(service, server.base, context=context | {"encounterId": "visit-7"})

    assert (0, ["/fhir/Encounter/visit-7"]) == (without, [asked.target for asked in server.asked_for("Encounter")])


def test_a_call_that_names_no_server_is_answered_from_what_was_sent(service: Running) -> None:
    found = call(service, "", fhirServer=None, prefetch={"patient": whole_record([])["patient"]})

    assert 200 == found.response.status_code
    assert "not sent" == found.reasons("conditions")


def test_where_no_ketamine_is_given_only_the_orders_are_read(service: Running, server: FaultServer) -> None:
    """The chart of every patient is opened; nothing is read of those whom it does not concern."""
    found = call(service, server.base, "patient-view")

    assert {"cards": []} == found.response.json()
    assert ["/fhir/MedicationRequest?patient=amara"] == [asked.target for asked in server.asked]


def test_where_ketamine_is_given_the_rest_is_read(service: Running, server: FaultServer) -> None:
    fill(server, service, conditions=[PSYCHOSIS], medications=[infusion()])

    assert ["KETPSYCHOSIS1C"] == call(service, server.base, "patient-view").topics


@pytest.mark.requirement(33)
def test_without_the_list_of_orders_a_patient_view_is_refused(service: Running, server: FaultServer) -> None:
    server.faults["MedicationRequest"] = says(403)

    found = call(service, server.base, "patient-view")

    assert (412, "CDS-304") == (found.response.status_code, found.problem)
    assert "HTTP 403" in found.response.text


def _sent(service: Running, **changed: object) -> Json:
    """A prefetch that answers every key."""
    return whole_record(templates(service)) | changed
