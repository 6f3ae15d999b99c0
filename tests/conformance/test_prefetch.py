"""A5: Prefetch."""

import json
import re

import pytest

from cds.hooks import decode
from tests.conformance.calls import asked, nothing_to_say, without_patient
from tests.conformance.exchange import Exchange
from tests.conformance.mutations import Break, having, put, services, turned_red_by, where, whole
from tests.hooks.bodies import bundle, draft, request, searchset
from tests.running import Json

USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
CONTEXT_TOKENS = {"context.userId", "context.patientId", "context.encounterId"}
"""The fields that order-select, order-sign and patient-view all mark as prefetch tokens."""

PLAIN = {"_id", "patient", "subject", "code", "category", "status", "date", "_sort", "_count"}
FAILED = {"severity": "error", "code": "exception", "diagnostics": "timeout"}
NOTHING_FOUND = {"severity": "warning", "code": "processing", "diagnostics": "Resource request returns no results."}
CONDITIONS_GAP = "KETGAP0W"


def _template(query: str) -> Json:
    return {"prefetch": {"patient": query}}


def _queries(exchange: Exchange) -> list[str]:
    found = [query for service in exchange.services() for query in service["prefetch"].values()]
    assert found
    return found


@pytest.mark.requirement(27)
@turned_red_by("single braces", services(put(**_template("Patient/{context.patientId}"))))
@turned_red_by("a token without its context", services(put(**_template("Patient/{{patientId}}"))))
@turned_red_by("an expression", services(put(**_template("Observation?date=ge{{today() - 90 days}}"))))
def test_every_token_is_a_field_of_the_context_or_a_user_id(exchange: Exchange) -> None:
    for query in _queries(exchange):
        tokens = re.findall(r"\{\{(.*?)\}\}", query)

        assert not re.search(r"[{}]", re.sub(r"\{\{.*?\}\}", "", query)), query
        assert all(token.startswith("context.") or token in USER_TOKENS for token in tokens), query


@pytest.mark.requirement(28)
@turned_red_by("the drafts in a template", services(put(**_template("Patient/{{context.draftOrders}}"))))
@turned_red_by("a field inside a field", services(put(**_template("Patient/{{context.draftOrders.id}}"))))
@turned_red_by("selections in a template", services(put(**_template("{{context.selections}}"))))
def test_no_token_names_more_than_a_plain_field_that_all_hooks_have(exchange: Exchange) -> None:
    named = {token for query in _queries(exchange) for token in re.findall(r"\{\{(.*?)\}\}", query)}

    assert named
    assert named <= CONTEXT_TOKENS | USER_TOKENS


@pytest.mark.requirement(29)
@turned_red_by("a modifier", services(put(**_template("Condition?patient=1&code:not=x"))))
@turned_red_by("a text search", services(put(**_template("Condition?code:text=glaucoma"))))
@turned_red_by("an _include", services(put(**_template("MedicationRequest?_include=MedicationRequest:medication"))))
@turned_red_by("a chain", services(put(**_template("Observation?patient.name=x"))))
@turned_red_by("a parameter twice", services(put(**_template("Observation?date=ge2020&date=le2021"))))
@turned_red_by("a date that is not so compared", services(put(**_template("Observation?date=ap2020"))))
@turned_red_by("an operation", services(put(**_template("Patient/1/$everything"))))
def test_templates_keep_to_the_recommended_subset_of_searches(exchange: Exchange) -> None:
    """The CDS Hooks Sandbox joins a parameter that stands twice by a comma: "and" becomes "or"."""
    for query in _queries(exchange):
        path, _, search = query.partition("?")
        parameters = [part.partition("=") for part in search.split("&")] if search else []
        names = [name for name, _, _ in parameters]

        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{[\w.]+\}\})?", path), query
        assert set(names) <= PLAIN, query
        assert len(names) == len(set(names)), query
        assert all(re.match(r"(eq|lt|gt|ge|le)?\d|\{\{", value) for name, _, value in parameters if name == "date")


@pytest.mark.requirement(30)
@turned_red_by("sorting as in DSTU2", services(put(**_template("Observation?_sort:desc=date"))))
@turned_red_by("no sorting where only the newest are asked", services(put(**_template("Observation?_count=9"))))
def test_the_newest_come_first_wherever_not_all_are_asked(exchange: Exchange) -> None:
    counted = [query for query in _queries(exchange) if "_count" in query or "sort" in query]

    assert counted
    assert [] == [query for query in counted if "&_sort=-date&" not in query]


def _topics(exchange: Exchange, conditions: Json | None) -> set[str]:
    """Return which cards come if the EHR sends this for the patient's conditions; None sends nothing."""
    sent = asked(exchange)
    if conditions is None:
        del sent["prefetch"]["conditions"]
    else:
        sent["prefetch"]["conditions"] = conditions
    return {card["source"]["topic"]["code"] for card in exchange.post(sent).cards()}


def _forget(code: str) -> Break:
    def edit(answer: Json) -> None:
        answer["cards"] = [card for card in answer["cards"] if card["source"]["topic"]["code"] != code]

    return whole(edit)


@pytest.mark.requirement(31)
@turned_red_by("silence about what was not read", _forget(CONDITIONS_GAP))
@turned_red_by("no answer", where(200, status=500))
def test_a_first_page_alone_is_said_to_be_incomplete(exchange: Exchange) -> None:
    """There is no FHIR server in this call, so that the next page cannot be read."""
    first = searchset() | {"link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]}

    assert CONDITIONS_GAP in _topics(exchange, first)


@pytest.mark.requirement(32)
@turned_red_by("silence about what failed", _forget(CONDITIONS_GAP))
@turned_red_by("nothing is found in an empty list", _forget("KETNOIND1W"))
def test_nothing_found_failed_and_not_sent_are_three_things(exchange: Exchange) -> None:
    def outcome(issue: Json) -> Json:
        return {"resourceType": "OperationOutcome", "issue": [issue]}

    def entry(issue: Json) -> Json:
        return {**searchset(), "entry": [{"resource": outcome(issue), "search": {"mode": "outcome"}}]}

    empty = json.loads(json.dumps(searchset()))
    for nothing in (json.loads("null"), empty, entry(NOTHING_FOUND)):
        sent = asked(exchange)
        sent["prefetch"]["conditions"] = nothing
        topics = {card["source"]["topic"]["code"] for card in exchange.post(sent).cards()}

        assert "KETNOIND1W" in topics
        assert CONDITIONS_GAP not in topics
    for failed in (outcome(FAILED), entry(FAILED), None):
        assert CONDITIONS_GAP in _topics(exchange, failed)


@pytest.mark.requirement(33)
@turned_red_by("an empty list of cards", where(412, status=200, content=b'{"cards":[]}'))
@turned_red_by("400 for missing data", where(412, status=400))
@turned_red_by("a refusal that does not say what is missing", where(412, content=b'{"resourceType":"Patient"}'))
@turned_red_by("a service that needs no drafts", having(decode, "_drafts", lambda _: ()))
def test_required_data_that_cannot_be_had_are_412_and_never_an_empty_list(exchange: Exchange) -> None:
    for sent, named in (
        (without_patient(), "patient"),
        (request() | {"prefetch": {"patient": None}}, "patient"),
        (request(draftOrders=None), "draftOrders"),
        (
            request(
                draftOrders=bundle(
                    draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/gone"})
                )
            ),
            "Medication/gone",
        ),
    ):
        reply = exchange.post(sent)

        assert 412 == reply.status
        assert named in reply.content.decode()
        assert "OperationOutcome" == reply.json()["resourceType"]


@pytest.mark.requirement(33)
@turned_red_by("a refusal for want of what nobody needs", where(200, status=412))
def test_an_order_that_no_rule_is_about_needs_no_data(exchange: Exchange) -> None:
    assert [] == exchange.post(nothing_to_say() | {"prefetch": {}}).cards()


@pytest.mark.requirement(34)
@turned_red_by("a refusal of prefetch alone", where(200, status=412))
@turned_red_by(
    "a card for every list that was not read", whole(put(cards=[{"source": {"topic": {"code": CONDITIONS_GAP}}}]))
)
def test_prefetch_alone_is_enough(exchange: Exchange) -> None:
    assert "KETNOIND1W" in _topics(exchange, searchset())
    assert CONDITIONS_GAP not in _topics(exchange, searchset())
