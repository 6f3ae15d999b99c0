"""An EHR's order entry: takes suggestions as CDS Hooks says, or as the public Sandbox does, and calls again."""

from dataclasses import dataclass, field

from tests.feedback.clinic import NADIA
from tests.hooks.bodies import body, request, searchset, whole_record
from tests.running import Json, Running

SERVICE = "ketamine-order-select"
SANDBOX_ID = "request-123"
SANDBOX_DRAFT: Json = {
    "resourceType": "MedicationRequest",
    "id": SANDBOX_ID,
    "status": "draft",
    "subject": {"reference": "Patient/amara"},
    "authoredOn": "2026-02-01",
}
"""The Sandbox's order as it is before a drug is chosen."""


@dataclass
class OrderEntry:
    """The unsigned orders of one patient; `take` does with an action what CDS Hooks says.

    Source: CDS Hooks 2.0.1, "Action".
    """

    service: Running
    drafts: list[Json]
    found: Json = field(default_factory=dict)

    def call(self, service: str = SERVICE) -> dict[str, Json]:
        """Return the cards that come for the orders as they are, by topic."""
        offered = self.service.client.get("/cds-services").json()["services"]
        record = whole_record(offered[0]["prefetch"], **{key: searchset(*found) for key, found in self.found.items()})
        entries = [{"resource": resource} for resource in self.drafts]
        selected = [f"{one['resourceType']}/{one['id']}" for one in self.drafts if "id" in one]
        drafts = {"resourceType": "Bundle", "entry": entries}
        sent = request(draftOrders=drafts, selections=selected[:1], userId=NADIA) | {"prefetch": record}
        answer = self.service.post(body(sent), service)
        assert 200 == answer.status_code, answer.text
        return {card["source"]["topic"]["code"]: card for card in answer.json()["cards"]}

    def take(self, suggestion: Json) -> None:
        """Do what a suggestion says; the EHR gives a new order its id."""
        for action in suggestion["actions"]:
            named = action.get("resourceId") or self._reference(action["resource"])
            kept = [one for one in self.drafts if self._reference(one) != named]
            if action["type"] == "create":
                kept = [*self.drafts, action["resource"] | {"id": f"new-{len(self.drafts)}"}]
            elif action["type"] == "update":
                kept.append(action["resource"])
            self.drafts = kept

    def _reference(self, resource: Json) -> str:
        return f"{resource['resourceType']}/{resource.get('id', '')}"


class Sandbox(OrderEntry):
    """Order entry as in the CDS Hooks Sandbox: one order, of which a suggestion can set or clear the drug alone.

    Source: cds-hooks/sandbox 3b7e255, medication-reducers.js (TAKE_SUGGESTION, createFhirResource).
    """

    def take(self, suggestion: Json) -> None:
        """Take the drug of the first action that has one; clear it at a delete; leave everything else as it is."""
        for action in suggestion["actions"]:
            if action["type"] == "delete":
                self.drafts = [SANDBOX_DRAFT]
                return
            concept = action["resource"].get("medicationCodeableConcept", {})
            if concept.get("text") and concept["coding"][0].get("code"):
                self.drafts = [_sandbox_order(concept)]
                return


def _sandbox_order(concept: Json) -> Json:
    """Return an order as the Sandbox writes it: the code is RxNorm's, whatever system was sent; category is no list."""
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    coding = {"display": concept["text"], "system": rxnorm, "code": concept["coding"][0]["code"]}
    category = {"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "community"}
    return SANDBOX_DRAFT | {
        "intent": "order",
        "category": {"coding": [category]},
        "medicationCodeableConcept": {"text": concept["text"], "coding": [coding]},
    }
