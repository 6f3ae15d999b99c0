"""A patient on a FHIR server, a call that brings no prefetch, and what is recorded of its answer."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import httpx

from cds.fhir.client.reader import MOST_PAGES
from cds.hooks.prefetch import resolve
from cds.hooks.services import SERVICES
from cds.network.http import open_http
from cds.network.rules import NetworkRules
from cds.service import Answer, Incoming, answer, open_reader
from cds.trust.client import Caller, Client
from tests.fetch.fault_server import FaultServer
from tests.hooks.bodies import body, concept, condition, infusion, observation, request, whole_record
from tests.running import Json, Running

PATIENT = {"patientId": "amara"}
TOKEN = "t0ken-CANARY-~1"
GLAUCOMA = condition("glaucoma", "icd10cm|H40.9", "2021-03-02")
PSYCHOSIS = condition("psychosis", "icd10cm|F29", "2026-01-31")
CRPS = condition("crps", "icd10cm|G90.511", "2025-06-01")
PRESSURE = observation("pressure", "loinc|8480-6", "2026-01-31", 184, "mm[Hg]")
SERTRALINE = infusion(id="sertraline", medicationCodeableConcept=concept("rxnorm|36437", "sertraline"))


LOCAL = NetworkRules(allow_loopback=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, how many seconds it took, and its record."""

    response: httpx.Response
    seconds: float
    record: Any

    @property
    def topics(self) -> list[str]:
        """The topics of the cards, in order."""
        return [card["source"]["topic"]["code"] for card in self.response.json()["cards"]]

    @property
    def problem(self) -> str:
        """The code of an OperationOutcome."""
        return str(self.response.json()["issue"][0]["details"]["coding"][0]["code"])

    def verdicts(self) -> dict[str, str]:
        """Rule to verdict."""
        (assessment,) = self.record.section("rules")["assessments"]
        return {rule["ruleId"]: rule["verdict"] for rule in assessment["rules"]}

    def reasons(self, source: str) -> str:
        """Why what a source does not say proves nothing, as it is recorded."""
        section = "facts" if self.response.status_code == 200 else "request"
        gaps = self.record.section(section).get("gaps", [])
        return "; ".join(gap["reason"] for gap in gaps if gap["source"] == source)


def templates(service: Running) -> dict[str, str]:
    """What discovery offers."""
    found: dict[str, str] = service.client.get("/cds-services").json()["services"][0]["prefetch"]
    return found


def fill(server: FaultServer, service: Running, **found: list[Json]) -> None:
    """Let the server hold an answer for every template: what was found by key, else nothing on record."""
    offered = templates(service)
    record = whole_record(offered, **{key: bundle_of(*entries) for key, entries in found.items()})
    for key, resource in record.items():
        query = resolve(offered[key], PATIENT)
        assert query
        server.held[query] = resource


def entry(resource: Json) -> Json:
    """An entry that a search found."""
    return {"resource": resource, "search": {"mode": "match"}}


def bundle_of(*resources: Json) -> Json:
    """The result of a search."""
    entries = [entry(resource) for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def fill_well(server: FaultServer, service: Running) -> None:
    """Let the server hold a patient about whom several rules speak."""
    fill(server, service, conditions=[CRPS, GLAUCOMA, PSYCHOSIS], medications=[SERTRALINE], blood_pressure=[PRESSURE])


def call(service: Running, base: str, hook: str = "order-select", **changed: Any) -> Answered:  # noqa: ANN401
    """Call with a token for the server at `base`, without prefetch unless `prefetch` is given."""
    given = {name: value for name, value in (without_prefetch(base, hook) | changed).items() if value is not None}
    started = time.monotonic()
    response = service.post(body(given), f"ketamine-{hook}")
    return Answered(response, time.monotonic() - started, service.records()[0])


def ask(service: Running, sent: Json, client: Client, rules: NetworkRules, times: int = 1) -> list[Answer]:
    """Call the service as a registered client, `times` in a row, with connections of its own."""

    async def all_of_them() -> list[Answer]:
        async with aclosing(open_http(rules)) as http:
            reader = open_reader(http, MOST_PAGES)
            ports = replace(service.app.state.ports, reader=reader, any_loopback=False)
            return [await answer(_incoming(sent, client), ports) for _ in range(times)]

    return asyncio.run(all_of_them())


def _incoming(sent: Json, client: Client) -> Incoming:
    now = asyncio.get_running_loop().time()
    return Incoming(body(sent), SERVICES[f"ketamine-{sent['hook']}"], Caller(client), "", now)


def without_prefetch(base: str, hook: str = "order-select", token: str = TOKEN) -> Json:
    """A request that brings nothing but a token for the server at `base`."""
    authorization = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    return request(hook) | {"prefetch": {}, "fhirServer": base, "fhirAuthorization": authorization}
