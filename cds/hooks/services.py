"""The services that are offered, one per hook, and discovery.

One id per hook: a client that keys services by their address (the CDS Hooks Sandbox) would keep only the last of an id.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from cds.engine.rules import Knowledge
from cds.engine.withhold import PATIENT_VIEW

EXTENSION = "org.ketamine-cds"
"""The name of our extension in discovery and on every card."""

SOURCE_ATTRIBUTES = "/knowledge/{rule_id}/source-attributes"
"""Where a rule says what it rests on and which patient data it uses; every card links to that of its leading rule."""

_NEEDS_DRAFTS = "Needs draftOrders, and the Patient (prefetch 'patient' or fhirServer): without them the answer is 412."
_NEEDS_PATIENT = (
    "Needs the medication orders (prefetch 'medications' or fhirServer), else the answer is 412; without one for "
    "ketamine or esketamine it has no cards. With one it needs the Patient too (prefetch 'patient' or fhirServer)."
)
_USAGE = (
    "FHIR R4 (4.0.1) only. {needs} Any other prefetch that is missing, failed or cut short is read from fhirServer "
    "with the token of the request, if this client is registered for that server. What cannot be had in time makes the "
    "answers that rest on it unknown, and a card says so. Intended user: a clinician who prescribes ketamine or "
    "esketamine and can review the cited source. Advisory: it never blocks an order and is not for emergencies. Not a "
    "medical device; not for clinical use without local validation."
)
_LOOKS = (
    "looks in the patient's record for a documented reason to give it and for documented reasons not to, and says what "
    "could not be checked. Every card cites its source."
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its `id` is the last part of its address, `hook` what it is called for."""

    id: str
    hook: str
    title: str
    description: str
    needs: str = _NEEDS_DRAFTS

    @property
    def usage(self) -> str:
        """Return what a client must know to use it, as discovery says it."""
        return _USAGE.format(needs=self.needs)


SERVICES = {
    service.id: service
    for service in (
        Service(
            "ketamine-order-select",
            "order-select",
            "Ketamine: indications and contraindications",
            f"While ketamine or esketamine is being ordered: {_LOOKS}",
        ),
        Service(
            "ketamine-order-sign",
            "order-sign",
            "Ketamine: check before signing",
            f"Before an order for ketamine or esketamine is signed: {_LOOKS}",
        ),
        Service(
            "ketamine-patient-view",
            PATIENT_VIEW,
            "Ketamine: new reasons against an active order",
            "When the record of a patient with an active order for ketamine or esketamine is opened: says which "
            "critical reasons against it are newer than the order, and what could not be checked.",
            _NEEDS_PATIENT,
        ),
    )
}
"""All services, by id."""


def discovery(knowledge: Knowledge, templates: Mapping[str, str]) -> bytes:
    """Return the answer to ``GET /cds-services`` as JSON."""
    package = {"knowledge": knowledge.version, "digest": knowledge.digest}
    return orjson.dumps(
        {
            "services": [
                {
                    "hook": service.hook,
                    "title": service.title,
                    "description": service.description,
                    "id": service.id,
                    "prefetch": dict(templates),
                    "usageRequirements": service.usage,
                    "extension": {EXTENSION: package},
                }
                for service in SERVICES.values()
            ]
        }
    )
