"""A patient with an indication, a warning and a critical finding, and the clinicians who order and answer cards."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from cds.audit.queries import Filters, LogReader, StoredRecord
from tests.hooks.bodies import body, bundle, condition, infusion, request, searchset, whole_record
from tests.response_checker import response_violations
from tests.running import Json, Running

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
CRPS = condition("crps", "icd10cm|G90.511", "2024-05-01")
GLAUCOMA = condition("glaucoma", "icd10cm|H40.9", "2021-03-02")
PSYCHOSIS = condition("psychosis", "icd10cm|F29", "2026-01-31")
VISIT: Json = {
    "resourceType": "Encounter",
    "id": "visit-7",
    "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    "subject": {"reference": "Patient/amara"},
    "location": [{"location": {"reference": "Location/ward-7"}, "status": "active"}],
    "serviceProvider": {"reference": "Organization/north"},
}
NADIA = "Practitioner/nadia"
INDICATION, EYES, MIND = "KETCRPS1I", "KETIOP1W", "KETPSYCHOSIS1C"
PATIENTS = (f"patient-{number}" for number in count())


@contextmanager
def at(service: Running, moment: datetime) -> Iterator[None]:
    """Let the service decide, and take feedback, at a moment."""
    state = service.app.state
    before = state.ports, state.feedback
    state.ports, state.feedback = (replace(one, clock=lambda: moment) for one in before)
    try:
        yield
    finally:
        state.ports, state.feedback = before


@dataclass
class Clinic:
    """One patient; `headers` gives what a call of a path carries besides its body."""

    service: Running
    patient: str = field(default_factory=lambda: next(PATIENTS))
    conditions: tuple[Json, ...] = (CRPS, GLAUCOMA, PSYCHOSIS)
    server: str = "https://ehr.example/fhir"
    now: datetime = NOON
    headers: Callable[[str], Mapping[str, str]] = lambda _: {}

    def order(
        self,
        hook: str = "order-select",
        user: str | None = NADIA,
        order: Json | None = None,
        **context: Any,  # noqa: ANN401 - any JSON
    ) -> httpx.Response:
        """Select or sign an order for ketamine and return the answer."""
        keys = [*self._keys(), "encounter"]
        found = {"conditions": searchset(*self.conditions), "encounter": VISIT}
        drafts = bundle(order or infusion(id="draft-1", status="draft", authoredOn="2026-02-01"))
        sent = request(hook, draftOrders=drafts, userId=user, encounterId="visit-7", **context)
        sent |= {"fhirServer": self.server, "prefetch": whole_record(keys, **found)}
        written = body(sent).replace(b"amara", self.patient.encode())
        with at(self.service, self.now):
            return self._post(written, f"ketamine-{hook}")

    def cards(self, hook: str = "order-select", user: str | None = NADIA, **changed: Any) -> dict[str, Json]:  # noqa: ANN401 - any JSON
        """Return the cards that come, by topic."""
        answer = self.order(hook, user, **changed).json()
        assert [] == response_violations(answer)
        return {card["source"]["topic"]["code"]: card for card in answer["cards"]}

    def say(self, *items: Any, service: str = "ketamine-order-select") -> httpx.Response:  # noqa: ANN401 - any JSON
        """Send feedback."""
        with at(self.service, self.now):
            return self._post(json.dumps({"feedback": list(items)}).encode(), f"{service}/feedback")

    def feedback(self) -> list[StoredRecord]:
        """Return what is recorded of feedback, the newest first."""
        with LogReader(self.service.database) as log:
            return [log.find(str(entry.seq)) for entry in log.list(Filters(types=("feedback",)), 1000)]

    def _post(self, content: bytes, service: str) -> httpx.Response:
        return self.service.post(content, service, **self.headers(f"/cds-services/{service}"))

    def _keys(self) -> list[str]:
        path = "/cds-services"
        offered = self.service.client.get(path, headers=dict(self.headers(path))).json()["services"]
        return list(offered[0]["prefetch"])


def overridden(card: Json | str, code: str = "data-outdated-or-wrong", when: datetime = NOON, **more: Any) -> Json:  # noqa: ANN401 - any JSON
    """Say that a card was overridden for a reason; none if the code is empty."""
    reason = {"code": code, "system": "urn:ketamine-cds:override"}
    item = {"card": _uuid(card), "outcome": "overridden", "outcomeTimestamp": _utc(when)}
    return item | ({"overrideReason": {"reason": reason}} if code else {}) | more


def accepted(card: Json, number: int = 0, when: datetime = NOON) -> Json:
    """Say that a suggestion of a card was taken."""
    taken = [{"id": card["suggestions"][number]["uuid"]}]
    return {"card": _uuid(card), "outcome": "accepted", "acceptedSuggestions": taken, "outcomeTimestamp": _utc(when)}


def _uuid(card: Json | str) -> str:
    return card if isinstance(card, str) else str(card["uuid"])


def _utc(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")
