"""The service over HTTP: what is answered, what is refused, and that nothing goes out unrecorded."""

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from cds.app import bodies
from cds.app.events import JsonLines
from cds.audit.record import Record
from cds.engine.quiet import Earlier
from cds.errors import AuditError
from cds.settings import Settings
from tests.hooks.bodies import body, bundle, draft, observation, request, searchset, whole_record
from tests.hooks.test_body import BAD_BODIES
from tests.response_checker import discovery_violations, outcome_violations, response_violations
from tests.running import Json, Running, running, settings_in

MOST_BYTES = 1_000_000


CANARY = "canary7"
CHANGES: tuple[Json, ...] = ({}, {"hook": CANARY}, {"prefetch": {}}, {"context": {CANARY: CANARY}})


def _fails(*_: object) -> Earlier:
    raise RuntimeError(CANARY)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service")
    with running(settings_in(folder, max_body_bytes=MOST_BYTES)) as service:
        yield service


def _code(answer: Json) -> str:
    code: str = answer["issue"][0]["details"]["coding"][0]["code"]
    return code


def test_discovery_is_as_cds_hooks_has_it_and_offers_one_service_for_each_hook(service: Running) -> None:
    answer = service.client.get("/cds-services").json()

    assert [] == discovery_violations(answer)
    assert {f"ketamine-{hook}": hook for hook in ("order-select", "order-sign", "patient-view")} == {
        offered["id"]: offered["hook"] for offered in answer["services"]
    }


def test_the_answer_is_recorded_byte_for_byte_under_the_id_that_its_cards_name(service: Running) -> None:
    response = service.post(body(request()))
    answer, record = response.json(), service.records()[0]

    assert [] == response_violations(answer)
    assert answer["cards"]
    assert response.content == record.sections["cards"]
    assert answer["cards"][0]["extension"]["org.ketamine-cds"]["record"] == record.envelope["id"]


def test_no_uuid_is_used_twice(service: Running) -> None:
    answers = [service.post(body(request())).json() for _ in range(2)]
    uuids = [card["uuid"] for answer in answers for card in answer["cards"]]

    assert len(uuids) == len(set(uuids))
    assert {4} == {UUID(uuid).version for uuid in uuids}


def test_an_order_that_is_not_ketamine_is_answered_without_any_data_of_the_patient(service: Running) -> None:
    sent = request(draftOrders=bundle(draft(medicationCodeableConcept={"text": "ketorolac 30 mg"})))
    del sent["prefetch"]

    response = service.post(body(sent))

    assert (200, {"cards": []}) == (response.status_code, response.json())
    assert "not-applicable" == service.records()[0].envelope["outcome"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request() | {"prefetch": {}}, 412, "CDS-301"),
        (request(draftOrders=None), 412, "CDS-302"),
        (request(patientId=None), 400, "CDS-214"),
        (request() | {"prefetch": {"patient": {"resourceType": "Patient", "id": "boris"}}}, 400, "CDS-218"),
        (request(draftOrders=bundle(draft(subject={"reference": "Patient/boris"}))), 400, "CDS-218"),
        (
            request(draftOrders=bundle(draft(subject={"reference": "https://elsewhere.example/fhir/Patient/amara"})))
            | {"fhirServer": "https://ehr.example/fhir"},
            400,
            "CDS-218",
        ),
    ],
)
def test_a_call_that_cannot_be_answered_is_refused_and_recorded(
    service: Running, sent: Json, status: int, code: str
) -> None:
    response = service.post(body(sent))
    record = service.records()[0]

    assert (status, code) == (response.status_code, _code(response.json()))
    assert [] == outcome_violations(response.json())
    assert (status, code) == (record.envelope["httpStatus"], record.envelope["problem"])
    assert "application/fhir+json" == response.headers["content-type"]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_cannot_be_read_safely_is_a_4xx_that_says_why(service: Running, name: str) -> None:
    raw, code, _, _ = BAD_BODIES[name]

    response = service.post(raw)

    assert (400, code) == (response.status_code, _code(response.json()))
    assert [] == outcome_violations(response.json())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_type": "text/plain"}, "CDS-212"),
        ({"content_type": "application/xml"}, "CDS-212"),
        ({"content_encoding": "gzip"}, "CDS-211"),
    ],
)
def test_a_body_of_another_kind_is_415(service: Running, headers: dict[str, str], code: str) -> None:
    response = service.post(body(request()), **headers)

    assert (415, code) == (response.status_code, _code(response.json()))


def test_a_request_in_the_media_type_of_fhir_is_read(service: Running) -> None:
    assert 200 == service.post(body(request()), content_type="application/fhir+json; charset=utf-8").status_code


def test_a_body_that_is_too_large_is_413_whether_or_not_it_says_so(service: Running) -> None:
    def in_parts() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 1000 + 1):
            yield b" " * 1000

    announced = service.post(b" " * (MOST_BYTES + 1))
    chunked = service.client.post("/cds-services/ketamine-order-select", content=in_parts())

    assert [(413, "CDS-204")] * 2 == [(each.status_code, _code(each.json())) for each in (announced, chunked)]


def test_a_body_that_does_not_come_is_408_and_holds_nobody_up(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.2)
    head = b"POST /cds-services/ketamine-order-select HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    address = ("127.0.0.1", service.client.base_url.port or 0)

    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head + b'{"h')
        answer = b""
        while not answer.endswith(b"}]}"):
            answer += connection.recv(65536) or pytest.fail("the connection was closed without an answer")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"CDS-223" in answer


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/cds-services/ketamine-encounter-start", 404, "CDS-220"),
        ("GET", "/", 404, "CDS-220"),
        ("GET", "/cds-services/ketamine-order-select", 405, "CDS-221"),
        ("PUT", "/cds-services", 405, "CDS-221"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(
    service: Running, method: str, path: str, status: int, code: str
) -> None:
    response = service.client.request(method, path)

    assert (status, code) == (response.status_code, _code(response.json()))
    assert [] == outcome_violations(response.json())
    for offered in ("GET /cds-services,", "POST /cds-services/ketamine-order-sign,"):
        assert offered in response.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_call_under_a_name_that_is_not_ours_is_refused(service: Running, host: str) -> None:
    """Else a web page could make a name of its own point here and read patients' data through the browser."""
    response = service.client.get("/cds-services", headers={"host": host})

    assert (400, "CDS-222") == (response.status_code, _code(response.json()))


def test_the_service_is_called_under_its_public_name_too(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, public_base_url="https://cds.hospital.example/ketamine")

    with running(settings) as service:
        response = service.client.get("/cds-services", headers={"host": "cds.hospital.example"})

    assert 200 == response.status_code


@dataclass
class BrokenRecorder:
    """A recorder whose disk is full."""

    error: Exception
    healthy: bool = False

    async def append_async(self, record: Record) -> None:  # noqa: ARG002 - as the service calls it
        raise self.error


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Running]:
    with running(settings_in(tmp_path)) as service:
        ports = service.app.state.ports
        full = AuditError("CDS-402", "log", "The disk is full.", action="Make room.")
        service.app.state.ports = replace(ports, recorder=BrokenRecorder(full))
        yield service


@pytest.mark.parametrize("medication", ["ketamine", "ketorolac"])
def test_a_call_that_cannot_be_recorded_is_503_and_never_an_answer(broken: Running, medication: str) -> None:
    """An empty list of cards would read as "checked, nothing found"; cards without a record cannot be accounted for."""
    response = broken.post(body(request(draftOrders=bundle(draft(medicationCodeableConcept={"text": medication})))))

    assert (503, "CDS-402") == (response.status_code, _code(response.json()))
    assert response.headers["retry-after"].isdigit()
    assert [] == outcome_violations(response.json())


def test_a_recorder_that_fails_in_another_way_is_503_as_well(broken: Running) -> None:
    broken.app.state.ports = replace(broken.app.state.ports, recorder=BrokenRecorder(OSError("no such device")))

    response = broken.post(body(request()))

    assert (503, "CDS-408") == (response.status_code, _code(response.json()))


def test_a_service_that_cannot_record_is_not_ready(broken: Running, service: Running) -> None:
    assert (503, 200) == tuple(each.client.get("/healthz").status_code for each in (broken, service))


def test_a_fault_of_the_service_itself_is_500_and_recorded(tmp_path: Path) -> None:
    with running(settings_in(tmp_path)) as service:
        service.app.state.ports = replace(service.app.state.ports, history=_fails)
        response = service.post(body(request()))
        record = service.records()[0]

    assert (500, "CDS-500") == (response.status_code, _code(response.json()))
    assert (500, "CDS-500") == (record.envelope["httpStatus"], record.envelope["problem"])
    assert CANARY not in response.text


def test_no_patient_data_and_no_token_are_in_the_operational_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Canaries in every place where a caller can write: none may come out, also when the service fails."""
    sent = request(patientId=CANARY, userId=f"Practitioner/{CANARY}", encounterId=CANARY) | {
        "hookInstance": CANARY,
        "fhirServer": f"https://{CANARY}.example/fhir",
        "fhirAuthorization": {"access_token": CANARY, "token_type": "Bearer"},
        "extension": {CANARY: {"a": CANARY}},
        "prefetch": {"patient": {"resourceType": "Patient", "id": CANARY, "name": [{"text": CANARY}]}, CANARY: CANARY},
    }
    caplog.set_level(logging.DEBUG)
    with running(settings_in(tmp_path)) as service:
        for change in CHANGES:
            service.post(body(sent | change))
        service.app.state.ports = replace(service.app.state.ports, history=_fails)
        service.post(body(sent | {"context": sent["context"] | {"draftOrders": bundle(draft(subject={}))}}))
    lines = [JsonLines().format(record) for record in caplog.records if record.name != "httpx"]

    assert "hook.failed" in [json.loads(line)["event"] for line in lines]
    assert [] == [line for line in lines if CANARY in line]


def test_the_access_token_is_nowhere_in_the_record(tmp_path: Path) -> None:
    token = "s3cr3t-t0k3n"
    with running(settings_in(tmp_path)) as service:
        sent = {"fhirServer": "https://ehr.example/fhir", "fhirAuthorization": {"access_token": token}}
        service.post(body(request() | sent))

    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert b"amara" in stored
    assert token.encode() not in stored


def test_a_clock_that_is_set_is_the_time_of_every_decision(tmp_path: Path) -> None:
    moment = datetime(2019, 5, 1, 12, tzinfo=UTC)
    with running(settings_in(tmp_path, clock=moment)) as service:
        service.post(body(request()))
        record = service.records()[0]

    assert "2019-05-01T12:00:00" == str(record.envelope["at"])[:19]


def test_a_service_whose_record_cannot_be_opened_does_not_start(tmp_path: Path) -> None:
    settings = Settings(database=tmp_path / "record.sqlite", pseudonym_key=tmp_path / "pseudonym.key")

    with pytest.raises(RuntimeError, match="did not start"), running(settings):
        pass


SITE_POLICY = """\
- rule: raised_intraocular_pressure
  number: "21 mm[Hg]"
  use: "22 mm[Hg]"
  note: decision of the ophthalmology board
  by: A. Clinician
  on: "2026-01-15"
"""


def test_a_site_can_change_a_number_of_local_policy_and_the_card_says_so(tmp_path: Path) -> None:
    """A pressure of 21.5 is raised by the shipped number and not by this site's; one of 23 is raised by both."""
    noon, policy = datetime(2026, 2, 1, 12, tzinfo=UTC), tmp_path / "policy.yaml"
    policy.write_text(SITE_POLICY)
    with running(settings_in(tmp_path, clock=noon, site_policy=policy)) as service:
        cards = [_eye_cards(service, pressure) for pressure in (21.5, 23.0)]
        digest = service.app.state.ports.knowledge.digest
    with running(settings_in(tmp_path, clock=noon)) as shipped:
        (card,) = _eye_cards(shipped, 21.5)
        other = shipped.app.state.ports.knowledge.digest

    assert [[], 1] == [cards[0], len(cards[1])]
    assert "Local policy of this site: 22 mm[Hg] instead of 21 mm[Hg]" in cards[1][0]["detail"]
    assert "of this site" not in card["detail"]
    assert digest != other


def _eye_cards(service: Running, pressure: float) -> list[Json]:
    keys = service.client.get("/cds-services").json()["services"][0]["prefetch"]
    measured = searchset(observation("iop", "loinc|79892-6", "2026-01-20", pressure, "mm[Hg]"))
    sent = request() | {"prefetch": whole_record(keys, measurements=measured)}
    cards = service.post(body(sent)).json()["cards"]
    return [card for card in cards if "KETIOP1" in card["extension"]["org.ketamine-cds"]["rules"]]
