"""A record on the FHIR server that an EHR is registered with, and calls that have it read."""

import asyncio
from typing import Any

from tests.conformance.calls import ORDER, PSYCHOSIS
from tests.conformance.exchange import Reply
from tests.conformance.trusted import Trusted
from tests.fetch.fault_server import Asked, FaultServer, answer_held, write
from tests.hooks.bodies import bundle, request, searchset, whole_record
from tests.running import Json

TOKEN = "s3cr3t-acc3ss-t0k3n"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "x",
}
FOUND = {"KETPSYCHOSIS1C", "KETNOIND1W"}
"""What comes of a record with a psychosis and no reason for ketamine."""


async def wants_the_token(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer only who has the token of the request."""
    if asked.headers.get("authorization") == f"Bearer {TOKEN}":
        await answer_held(server, asked, writer)
    else:
        write(writer, 401, b"")


def queries(trusted: Trusted) -> dict[str, str]:
    """Return prefetch key to query for the patient of these tests."""
    templates: dict[str, str] = trusted.get().json()["services"][0]["prefetch"]
    tokens = {"patientId": "amara", "encounterId": "visit-7", "userId": "Practitioner/nadia"}
    filled = dict(templates)
    for name, value in tokens.items():
        filled = {key: query.replace(f"{{{{context.{name}}}}}", value) for key, query in filled.items()}
    return filled


def holding(trusted: Trusted) -> Json:
    """Put a record on the FHIR server, and return what an EHR would have sent of it as prefetch."""
    asked = queries(trusted)
    record = whole_record(asked, conditions=searchset(PSYCHOSIS))
    trusted.fhir.faults.clear()
    trusted.fhir.faults["*"] = wants_the_token
    trusted.fhir.held = {asked[key]: held for key, held in record.items()}
    trusted.fhir.asked.clear()
    trusted.other.asked.clear()
    return record


def call(trusted: Trusted, prefetch: Json | None = None, **changed: Any) -> Reply:  # noqa: ANN401 - any JSON
    """Call order-select for the patient of that record; `changed` are members of the request."""
    sent = request(draftOrders=bundle(ORDER)) | {"prefetch": prefetch or {}}
    return trusted.post(sent | {"fhirServer": trusted.fhir.base, "fhirAuthorization": AUTHORIZATION} | changed)


def topics(reply: Reply) -> set[str]:
    """Return which cards came."""
    return {card["source"]["topic"]["code"] for card in reply.cards()}
