"""Who the patient is stands in one place of a record: taking that away makes the rest nobody's."""

from pathlib import Path
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from cds.audit.identifiers import hidden, restored
from cds.audit.record import Subject
from cds.service.replay import ReplayOutcome, replay
from tests.hooks.bodies import body, bundle, draft, request, whole_record
from tests.running import running, settings_in

WHO = Subject("https://ehr.example/fhir", "7", "Encounter/visit-7", "Practitioner/nadia")
SECTION = {"patient": "7", "encounter": "Encounter/visit-7", "user": "Practitioner/nadia"}
WORDS = st.sampled_from(
    [
        "Patient/7",
        "Patient/77",
        "7",
        "Encounter/visit-7",
        "Practitioner/nadia",
        "{patient}",
        "\\u007bpatient}",
        "\\",
        '"',
    ],
)
TEXT = st.lists(st.one_of(WORDS, st.text(max_size=3)), max_size=6).map("".join)
JSON = st.recursive(st.one_of(TEXT, st.integers(-9, 9)), lambda inner: st.dictionaries(TEXT, inner, max_size=4))


@given(JSON)
@example({"patientId": "7", "draft": '{"subject":{"reference":"Patient/7"},"text":"\\u007bpatient}"}'})
def test_what_was_sealed_comes_back_byte_by_byte(value: Any) -> None:  # noqa: ANN401 - any JSON
    content = orjson.dumps(value)

    stored = hidden(content, WHO)

    assert content == restored(stored, dict(SECTION))
    assert isinstance(orjson.loads(stored), type(value))


def test_only_the_subject_section_names_patient_encounter_and_user(tmp_path: Path) -> None:
    identifiers = {"patientId": "pat-4711", "encounterId": "enc-4712", "userId": "Practitioner/doc-4713"}
    order = draft(subject={"reference": "Patient/pat-4711"}, encounter={"reference": "Encounter/enc-4712"})
    patient = {"resourceType": "Patient", "id": "pat-4711", "birthDate": "2015-01-01", "gender": "female"}
    with running(settings_in(tmp_path)) as service:
        offered = {service["id"]: service for service in service.client.get("/cds-services").json()["services"]}
        keys = offered["ketamine-order-select"]["prefetch"]
        sent = request(draftOrders=bundle(order), **identifiers) | {"prefetch": whole_record(keys, patient=patient)}
        answer = service.post(body(sent))
        (record,) = service.records()
        package = record.envelope["knowledge"]

    cards = answer.json()["cards"]
    named = {name for name, content in record.sections.items() if b"471" in content}
    assert cards
    assert {"subject"} == named
    assert cards == record.section("cards")["cards"]
    assert answer.content == record.content("cards")
    assert package
    assert ReplayOutcome.CANNOT_TELL == replay(_without_subject(record), lambda _: b"").outcome


def _without_subject(record: Any) -> Any:  # noqa: ANN401
    from dataclasses import replace

    left = {name: content for name, content in record.sections.items() if name != "subject"}
    return replace(record, sections=left, redacted=("subject",))
