"""Secrets and what names a patient come nowhere: into no log, no answer and no record, on no way through the service.

Canary strings stand in every place where an EHR sends such data. Then the whole output of a real process at its most
talkative, every answer, and every byte of the record are searched for them. Source: trust/design.md 0a.3, 0a.10, 1.3.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from cds.audit.queries import LogReader
from tests.fuzz.served import Served, served
from tests.hooks.bodies import bundle, condition, draft, request, searchset
from tests.running import Json

TOKEN = "canary.access-token"
SECRETS = {
    "access token": TOKEN,
    "name": "canaryname",
    "record number": "canarymrn",
    "telephone": "canaryphone",
    "address": "canarystreet",
    "note": "canarynote",
    "narrative": "canarynarrative",
}
"""What may be nowhere at all."""
ORDER_NOTE = {"note on the order": "canaryordernote"}
"""Words of an order are an input of the decision: they are in the record, in sections that can be redacted."""
IDS = {"patient": "canary-patient", "encounter": "canary-encounter", "user": "canary-user"}
"""What the record holds in sections that can be redacted, and no log holds."""
EVERYTHING = SECRETS | ORDER_NOTE | IDS
PATIENT = {
    "resourceType": "Patient",
    "id": IDS["patient"],
    "birthDate": "1980-01-02",
    "gender": "female",
    "text": {"status": "generated", "div": f"<div>{SECRETS['narrative']}</div>"},
    "name": [{"text": SECRETS["name"], "family": SECRETS["name"], "given": [SECRETS["name"]]}],
    "identifier": [{"system": "urn:mrn", "value": SECRETS["record number"]}],
    "telecom": [{"system": "phone", "value": SECRETS["telephone"]}],
    "address": [{"line": [SECRETS["address"]], "city": SECRETS["address"]}],
    "contact": [{"name": {"text": SECRETS["name"]}, "telecom": [{"value": SECRETS["telephone"]}]}],
}
SUBJECT = {"reference": f"Patient/{IDS['patient']}", "display": SECRETS["name"]}
NOTED = {
    "subject": SUBJECT,
    "note": [{"text": SECRETS["note"], "authorString": SECRETS["name"]}],
    "text": PATIENT["text"],
    "identifier": PATIENT["identifier"],
}
CLOSED_PORT = "http://127.0.0.1:9/fhir"


def whole_request() -> Json:
    """Return a request that is answered with cards, with a canary wherever one can stand."""
    sent = request(
        patientId=IDS["patient"],
        encounterId=IDS["encounter"],
        userId=f"Practitioner/{IDS['user']}",
        draftOrders=bundle(
            draft(
                requester={"display": SECRETS["name"]}, **NOTED | {"note": [{"text": ORDER_NOTE["note on the order"]}]}
            )
        ),
    )
    conditions = searchset(condition("glaucoma", "icd10cm|H40.1190", "2026-01-02") | NOTED)
    return sent | {"prefetch": {"patient": PATIENT, "conditions": conditions, "other": PATIENT}}


def authorized(sent: Json, server: str, token: str = TOKEN) -> Json:
    """Return the request with a FHIR server that may be read with a token."""
    granted = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "s", "subject": TOKEN}
    return sent | {"fhirServer": server, "fhirAuthorization": granted}


@dataclass
class Watched:
    """A running service; `answers` is all that it ever sent, headers and all."""

    service: Served
    tokens: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def post(self, body: bytes, path: str = "/cds-services/ketamine-order-select", **headers: str) -> int:
        """Call it and return the status."""
        token = self.service.ehr.token(path.partition("?")[0])
        self.tokens.append(token)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "application/json", "authorization": f"Bearer {token}"} | given
        answer = self.service.client.post(path, content=body, headers=sent)
        self.answers.append(str(answer.headers.raw).encode() + answer.content)
        return answer.status_code

    def send(self, sent: Json) -> int:
        """Call it with a request."""
        return self.post(json.dumps(sent).encode())


@contextmanager
def watched(folder: Path, *program: str, **environment: str) -> Iterator[Watched]:
    """Run a service that may read FHIR servers on this machine, and logs as much as it can."""
    more = {"CDS_LOG_LEVEL": "debug", "CDS_MAX_BODY_BYTES": "100000", "CDS_PRIVATE_NETWORKS": '["127.0.0.0/8"]'}
    run = program or ("-m", "cds")
    with echo() as server, served(folder, more | environment, run, fhir_bases=[CLOSED_PORT, server]) as service:
        yield Watched(service)


class _Echo(BaseHTTPRequestHandler):
    """A FHIR server that refuses everything and repeats what it was sent."""

    def do_GET(self) -> None:
        said = orjson.dumps({"resourceType": "OperationOutcome", "issue": [{"diagnostics": str(self.headers)}]})
        self.send_response(401, self.headers.get("Authorization", ""))
        self.send_header("WWW-Authenticate", self.headers.get("Authorization", ""))
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def echo() -> Iterator[str]:
    """Run that server."""
    server = HTTPServer(("127.0.0.1", 0), _Echo)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hits(text: bytes, canaries: dict[str, str], tokens: list[str] | None = None) -> list[str]:
    """Return the canaries that are in a text; of a token each of its parts is one."""
    parts = {part for token in tokens or [] for part in token.split(".")[1:]}
    found = [name for name, canary in canaries.items() if canary.encode() in text]
    return found + ["JWT" for part in parts if part.encode() in text]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, list[int]]]:
    """Take every way through a service once."""
    with watched(tmp_path_factory.mktemp("canaries")) as service:
        yield service, [*_answered(service), *_refused(service)]


def _answered(service: Watched) -> Iterator[int]:
    sent, little = whole_request(), whole_request() | {"prefetch": {}}
    yield service.send(sent)
    yield service.send(sent | {"hookInstance": "no UUID", "extension": {"org.example": SECRETS["note"]}})
    for server in (CLOSED_PORT, _registered(service)):
        for token in (TOKEN, f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}\u00e9", f"{TOKEN}\u0000", f"{TOKEN} x"):
            yield service.send(authorized(sent, server, token))
            yield service.send(authorized(little, server, token))
    yield service.send(authorized(sent, f"https://{SECRETS['name']}:{TOKEN}@elsewhere.example/fhir?x={TOKEN}"))


def _registered(service: Watched) -> str:
    bases: list[str] = json.loads(service.service.ehr.clients.read_bytes())["clients"][0]["fhir_bases"]
    return bases[-1]


def _refused(service: Watched) -> Iterator[int]:
    sent = whole_request()
    body = json.dumps(authorized(sent, CLOSED_PORT)).encode()
    yield service.post(body[:-9])  # 400: truncated
    yield service.post(body.replace(b'"hook"', b'"hook": "x", "hook"', 1))  # 400: a name that stands twice
    yield service.send(sent | {"prefetch": sent["prefetch"] | {"patient": PATIENT | {"id": "other"}}})  # 400
    yield service.send(authorized(sent, CLOSED_PORT) | {"context": sent["context"] | {"patientId": "other"}})  # 400
    yield service.send(sent | {"prefetch": {"other": PATIENT}})  # 412
    yield service.post(body, authorization=f"Bearer {TOKEN}")  # 401
    yield service.post(body, authorization=f"Basic {TOKEN}")  # 401
    yield service.post(body, authorization="Bearer " + service.tokens[0])  # 401: a token is accepted once
    yield service.post(body, authorization="Bearer " + service.service.ehr.token(jti=TOKEN, aud=SECRETS["name"]))  # 401
    yield service.post(body + b" " * 100_000)  # 413
    yield service.post(body, content_type="text/plain")  # 415
    yield service.post(body, content_encoding="gzip")  # 415
    yield service.post(body, f"/cds-services/{SECRETS['name']}")  # 404
    yield service.post(body, f"/cds-services?{SECRETS['name']}={TOKEN}")  # 405


def test_every_way_was_taken(calls: tuple[Watched, list[int]]) -> None:
    _, statuses = calls

    assert [200, 400, 401, 404, 405, 412, 413, 415] == sorted(set(statuses))


def test_no_secret_and_nothing_that_names_a_patient_is_in_the_operational_log(calls: tuple[Watched, list[int]]) -> None:
    service, _ = calls
    written = service.service.written()

    assert b'"hook.answered"' in written
    assert [] == hits(written, EVERYTHING, service.tokens)


def test_no_secret_and_nothing_that_names_a_patient_is_in_an_answer(calls: tuple[Watched, list[int]]) -> None:
    """Not even in that to the EHR which sent it: answers are kept and shown elsewhere."""
    service, _ = calls

    assert [] == hits(b"\n".join(service.answers), SECRETS | ORDER_NOTE, service.tokens)


def test_no_secret_and_nothing_that_names_a_patient_is_in_the_record(calls: tuple[Watched, list[int]]) -> None:
    service, statuses = calls
    kept = _record(service)

    assert len(kept) >= len([status for status in statuses if status in {200, 412}])
    assert [] == [
        (name, found) for record in kept for name, text in record.items() if (found := _secret(service, text))
    ]
    assert [] == _secret(service, b"".join(_files(service)))


def test_the_permanent_part_of_a_record_does_not_say_whose_it_is(calls: tuple[Watched, list[int]]) -> None:
    """Ids of people, and words, stand in sections alone, which can be redacted; who ordered stands in one of them."""
    service, _ = calls
    kept = _record(service)
    user = {"user": IDS["user"]}

    assert [] == [found for record in kept if (found := hits(record["envelope"], EVERYTHING))]
    assert {"subject"} == {name for record in kept for name, text in record.items() if hits(text, user)}
    assert {"facts", "request"} == {name for one in kept for name, text in one.items() if hits(text, ORDER_NOTE)}


@pytest.mark.parametrize(("part", "status"), [("answer", 500), ("record", 503)])
def test_an_exception_that_says_everything_reaches_nobody(tmp_path: Path, part: str, status: int) -> None:
    """The log names the type of an exception and its place, never its text."""
    program = str(Path(__file__).with_name("broken_service.py"))
    with watched(tmp_path, program, BREAK=part) as service:
        answered = service.send(authorized(whole_request(), CLOSED_PORT))

    assert status == answered
    assert b"RuntimeError" in service.service.written()
    assert [] == hits(service.service.written(), EVERYTHING, service.tokens)
    assert [] == hits(b"\n".join(service.answers), SECRETS | ORDER_NOTE, service.tokens)
    assert [] == _secret(service, b"".join(_files(service)))


def test_the_canaries_are_found_where_they_are() -> None:
    """Else nothing here could fail."""
    sent = json.dumps(authorized(whole_request(), CLOSED_PORT)).encode()

    assert sorted(EVERYTHING) == sorted(hits(sent, EVERYTHING))
    assert ["JWT"] == hits(b"... e30 ...", {}, ["e30.e30"])


def _record(service: Watched) -> list[dict[str, bytes]]:
    """Return the entries of the record: every section, and the envelope."""
    with LogReader(service.service.folder / "record" / "record.sqlite") as log:
        found = [log.find(str(entry.seq)) for entry in log.list(limit=10_000)]
    return [{"envelope": orjson.dumps(one.envelope)} | dict(one.sections) for one in found]


def _files(service: Watched) -> Iterator[bytes]:
    folder = service.service.folder
    return (path.read_bytes() for name in ("record", "jti") for path in (folder / name).rglob("*") if path.is_file())


def _secret(service: Watched, text: bytes) -> list[str]:
    return hits(text, SECRETS, service.tokens)
