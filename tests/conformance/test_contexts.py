"""A4: What the hooks carry in their contexts."""

import re
from typing import Any

import pytest

from cds.hooks import decode, drafts
from tests.conformance.calls import BENZODIAZEPINE, ORDER, asked, changed, much_found
from tests.conformance.exchange import ORDER_SIGN, PATIENT_VIEW, Exchange
from tests.conformance.mutations import having, put, services, turned_red_by, where, whole
from tests.hooks.bodies import bundle, infusion, request, searchset
from tests.running import Json


def _subject(exchange: Exchange) -> str:
    """Return what the newest record says of who was treated, by whom, and where."""
    return exchange.running.records()[0].sections["subject"].decode()


@pytest.mark.requirement(18)
@turned_red_by("412 for everybody", where(200, status=412))
@turned_red_by("a service that does not read the user", having(decode, "_optional_id", lambda *_: "another"))
def test_order_select_reads_user_patient_encounter_selections_and_drafts(exchange: Exchange) -> None:
    assert exchange.post(asked(exchange)).cards()
    subject = _subject(exchange)

    assert [] == [name for name in ("Practitioner/nadia", '"amara"', "Encounter/visit-7") if name not in subject]


@pytest.mark.requirement(18)
@turned_red_by("200 without drafts", where(412, status=200))
@turned_red_by("400 without an encounter", where(200, status=400))
def test_order_select_needs_its_drafts_and_no_encounter(exchange: Exchange) -> None:
    sent = asked(exchange)

    assert 200 == exchange.post(changed(sent, encounterId=None)).status
    assert 412 == exchange.post(changed(sent, draftOrders=None)).status
    assert 400 == exchange.post(changed(sent, patientId=None)).status


@pytest.mark.requirement(19)
@turned_red_by("no cards for what is signed again", whole(put(cards=[])))
@turned_red_by("orders taken as ended", having(drafts, "_NOT_ORDERED", frozenset({"active"})))
def test_order_sign_is_about_orders_that_are_signed_again_too(exchange: Exchange) -> None:
    """After a revision, an order in draftOrders is active and no draft."""
    sent = asked(exchange, "order-sign")

    assert exchange.post(sent, ORDER_SIGN).cards()
    assert exchange.post(changed(sent, draftOrders=bundle(ORDER | {"status": "active"})), ORDER_SIGN).cards()


@pytest.mark.requirement(20)
@turned_red_by("400 for patients", where(200, status=400))
@turned_red_by("cards of nothing", whole(put(cards=[])))
def test_patient_view_is_answered_whoever_opens_the_record(exchange: Exchange) -> None:
    sent = much_found(exchange, "patient-view")
    sent["prefetch"]["medications"] = searchset(infusion(authoredOn="2026-01-12"))
    for user in ("Practitioner/nadia", "PractitionerRole/7", "Patient/amara", "RelatedPerson/3"):
        written = changed(sent, userId=user, draftOrders=None, selections=None)

        assert exchange.post(written, PATIENT_VIEW).cards()
        assert user in _subject(exchange)


def _offers(*hooks: str) -> Any:  # noqa: ANN401 - a mutation
    return services(lambda one: one.update(hook=hooks[0]))


@pytest.mark.requirement(21, 22)
@turned_red_by("order-dispatch in discovery", _offers("order-dispatch"))
@turned_red_by("encounter-start in discovery", _offers("encounter-start"))
@turned_red_by("an answer to a hook that is not read", where(404, status=200))
def test_a_hook_whose_context_is_not_read_is_neither_offered_nor_answered(exchange: Exchange) -> None:
    others = {"order-dispatch", "encounter-start", "encounter-discharge"}

    assert not others & {service["hook"] for service in exchange.services()}
    for hook in sorted(others):
        assert 404 == exchange.post(request(hook), f"ketamine-{hook}").status
        refused = exchange.post(request(hook))
        assert (400, "CDS-213") == (refused.status, refused.problem())


@pytest.mark.requirement(23)
@turned_red_by("all drafts taken as selected", having(drafts, "_is_selected", lambda *_: True))
@turned_red_by("cards for nobody", whole(put(cards=[])))
def test_order_select_is_about_the_selected_orders(exchange: Exchange) -> None:
    both = changed(asked(exchange), draftOrders=bundle(ORDER, BENZODIAZEPINE))

    assert [] == exchange.post(changed(both, selections=["MedicationRequest/other"])).cards()
    assert exchange.post(changed(both, selections=["MedicationRequest/draft-1"])).cards()


@pytest.mark.requirement(24)
@turned_red_by("400 for what is not finished", where(200, status=400))
@turned_red_by("silence for what is not finished", whole(put(cards=[])))
def test_an_order_without_dose_and_route_is_answered(exchange: Exchange) -> None:
    bare = {name: value for name, value in ORDER.items() if name != "dosageInstruction"}

    assert exchange.post(changed(much_found(exchange), draftOrders=bundle(bare))).cards()


@pytest.mark.requirement(25)
@turned_red_by("orders of DSTU2 are read", having(drafts, "_OLDER_ORDERS", {}))
@turned_red_by("a refusal without words", where(400, content=b'{"resourceType":"OperationOutcome"}'))
def test_orders_of_an_older_release_of_fhir_are_refused_in_words(exchange: Exchange) -> None:
    for older in ("MedicationOrder", "ProcedureRequest", "ReferralRequest", "DeviceUseRequest"):
        reply = exchange.post(request(draftOrders=bundle({"resourceType": older, "id": "1", "status": "draft"})))

        assert (400, "CDS-217") == (reply.status, _problem(reply.json()))
        assert "FHIR R4 (4.0.1)" in reply.json()["issue"][0]["diagnostics"]


def _problem(answer: Json) -> str:
    issues = answer.get("issue")
    assert issues, "there is no issue"
    code: str = issues[0]["details"]["coding"][0]["code"]
    return code


@pytest.mark.requirement(26)
@turned_red_by("any text as an id", having(decode, "_ID", re.compile(".*", re.DOTALL)))
@turned_red_by("200 for any id", where(400, status=200))
def test_a_patient_id_that_is_none_is_refused_before_it_can_stand_in_an_address(exchange: Exchange) -> None:
    for wrong in ("../Practitioner", "a?b=c", "a/b", "x" * 65, "a b", "a\nb"):
        reply = exchange.post(changed(request(), patientId=wrong))

        assert (400, "CDS-216") == (reply.status, reply.problem())


@pytest.mark.requirement(26)
@turned_red_by("a refusal", where(200, status=400))
@turned_red_by("a record that does not say so", having(decode, "_remarks", lambda *_: []))
def test_a_user_or_a_selection_that_is_no_reference_is_noted(exchange: Exchange) -> None:
    """Real clients send bare ids; a card that is not shown because of that helps nobody."""
    sent = changed(asked(exchange), userId="nadia", selections=["draft-1"])

    assert exchange.post(sent).cards()
    notes = exchange.notes()

    assert [] == [name for name in ("userId", "selections") if f"{name} is no reference" not in notes]
