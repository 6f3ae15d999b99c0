"""Envelopes are permanent and hold nothing of the patient or the caller; sections can be taken away."""

import hashlib
import secrets
from base64 import b64decode
from dataclasses import fields, replace
from pathlib import Path

import orjson
import pytest

from cds.audit.pseudonym import Pseudonym
from cds.audit.record import Caller, DecisionRecord, ErrorRecord, NotApplicableRecord, Record, Subject
from cds.audit.seal import seal
from cds.audit.sealed import Sealed
from cds.engine.facts import Concept, HookContext
from cds.errors import AuditError
from tests.audit.records import (
    ANSWER,
    HOOK_INSTANCE,
    KNOWLEDGE,
    NO_CARDS,
    PSEUDONYM,
    STAMP,
    assessment,
    call,
    chart,
    decision,
    failure,
    not_applicable,
    rules,
)

CANARY = "canary-7391"


def sealed(record: Record, pseudonym: Pseudonym = PSEUDONYM) -> Sealed:
    return seal(record, STAMP, pseudonym, secrets.token_bytes)


def names(record: Record) -> list[str]:
    return [section.name for section in sealed(record).sections]


def test_an_envelope_has_exactly_the_documented_members() -> None:
    record = decision()
    envelope = orjson.loads(sealed(record).envelope)

    sections = envelope.pop("sections")

    assert ["cards", "facts", "request", "rules", "subject"] == sorted(sections)
    assert envelope == {
        "v": 1,
        "type": "decision",
        "id": record.call.record_id,
        "time": "2026-02-01T12:00:00.000000Z",
        "at": "2026-02-01T12:00:00.000000Z",
        "monoUs": 1_000,
        "instance": "0011223344556677",
        "service": "ketamine-order-select",
        "hook": "order-select",
        "hookInstance": HOOK_INSTANCE,
        "client": {"id": "development"},
        "httpStatus": 200,
        "outcome": "cards",
        "knowledge": {"version": "2026.1", "sha256": KNOWLEDGE.digest.removeprefix("sha256:")},
        "engine": {"version": "0.1.0", "build": "abc1234"},
        "configSha256": "ff" * 32,
        "durationUs": {"fetch": 30_000, "evaluate": 900},
        "counts": {
            "present": 1,
            "notFound": 1,
            "unknown": 1,
            "notApplicable": 0,
            "gaps": 1,
            "silenced": 0,
            "cards": {"critical": 1, "warning": 0, "info": 0},
        },
        "subjectEpoch": PSEUDONYM.epoch,
        "subjectKey": PSEUDONYM.of("https://ehr.example/fhir", "123"),
    }


@pytest.mark.parametrize("record", [decision(), not_applicable(), failure()], ids=lambda record: type(record).__name__)
def test_every_member_of_an_envelope_and_every_section_is_explained_to_auditors(record: Record) -> None:
    explained = (Path(__file__).parents[2] / "docs" / "auditors.md").read_text()
    envelope = orjson.loads(sealed(record).envelope)

    assert [] == [name for name in (*envelope, *envelope["sections"]) if f"`{name}`" not in explained]


def test_the_envelope_of_a_decision_stays_below_four_kilobytes() -> None:
    assert len(sealed(decision()).envelope) < 4096


def canary_records() -> list[Record]:
    """Put a canary into everything that a caller, a FHIR server or a patient's record can write."""
    spoiled = replace(
        call(ANSWER.replace(b"Eye", CANARY.encode())),
        caller=Caller("development", CANARY, CANARY, CANARY, CANARY),
        subject=Subject(**{field.name: CANARY for field in fields(Subject)}),
        hook_instance=CANARY,
        body=CANARY.encode(),
        extensions={CANARY: CANARY},
        settings={"base": CANARY},
        notes=(CANARY,),
        uuids=(CANARY,),
    )
    facts = replace(chart(), patient_id=CANARY)
    return [
        DecisionRecord(spoiled, HookContext(CANARY, CANARY, CANARY), facts, (assessment(),), rules()),
        NotApplicableRecord(replace(spoiled, answer=NO_CARDS), (Concept(text=CANARY),)),
        ErrorRecord(replace(spoiled, answer=f'{{"issue":"{CANARY}"}}'.encode()), "CDS-301"),
    ]


@pytest.mark.parametrize("record", canary_records(), ids=lambda record: type(record).__name__)
def test_nothing_that_a_caller_or_a_chart_says_reaches_an_envelope(record: Record) -> None:
    result = sealed(record)

    assert CANARY.encode() not in result.envelope
    assert any(CANARY.encode() in section.content for section in result.sections)


def test_the_request_body_itself_is_in_no_section() -> None:
    record = replace(not_applicable(), call=replace(call(NO_CARDS), body=CANARY.encode()))

    assert not any(CANARY.encode() in section.content for section in sealed(record).sections)


def test_each_section_matches_its_commitment_in_the_envelope() -> None:
    result = sealed(decision())
    committed = orjson.loads(result.envelope)["sections"]

    computed = {
        section.name: hashlib.sha256(
            b"\x02" + section.name.encode() + b"\x00" + section.salt + section.content
        ).digest()
        for section in result.sections
    }

    assert {name: b64decode(commitment) for name, commitment in committed.items()} == computed


def test_no_salt_is_used_twice() -> None:
    """Two equal sections must not be recognisable as equal, within a record and between two."""
    record = decision()
    salts = [section.salt for result in (sealed(record), sealed(record)) for section in result.sections]

    assert (10, 10, {32}) == (len(salts), len(set(salts)), {len(salt) for salt in salts})


def test_two_records_of_the_same_patient_have_no_commitment_in_common() -> None:
    first, second = (orjson.loads(sealed(decision()).envelope)["sections"].values() for _ in range(2))

    assert set() == set(first) & set(second)


def test_the_cards_are_kept_exactly_as_sent() -> None:
    answer = b'{ "cards" : [ ],\n "x":1.0}'

    (cards,) = (section for section in sealed(decision(answer=answer)).sections if section.name == "cards")

    assert answer == cards.content


def test_an_order_for_another_drug_leaves_a_compact_record_without_facts_or_rules() -> None:
    envelope = orjson.loads(sealed(not_applicable()).envelope)

    assert ["subject", "request", "cards"] == names(not_applicable())
    assert ("decision", "not-applicable") == (envelope["type"], envelope["outcome"])


def test_an_error_leaves_a_record_with_its_code_and_the_outcome_that_was_sent() -> None:
    envelope = orjson.loads(sealed(failure()).envelope)

    assert ["subject", "request", "outcome"] == names(failure())
    assert ("error", 412, "CDS-301") == (envelope["type"], envelope["httpStatus"], envelope["problem"])


def test_a_decision_without_cards_is_not_taken_for_another_drug() -> None:
    assert "no-cards" == orjson.loads(sealed(decision(answer=NO_CARDS)).envelope)["outcome"]


@pytest.mark.parametrize("instance", ["Jane Doe", HOOK_INSTANCE + "\n", "{" + HOOK_INSTANCE + "}", ""])
def test_a_hook_instance_that_is_no_uuid_stays_out_of_the_envelope(instance: str) -> None:
    record = replace(not_applicable(), call=replace(call(NO_CARDS), hook_instance=instance))

    result = sealed(record)

    assert "hookInstance" not in orjson.loads(result.envelope)
    assert instance == orjson.loads(result.sections[1].content).get("hookInstance", "")


def test_a_call_without_a_patient_has_no_pseudonym() -> None:
    record = replace(failure(), call=replace(failure().call, subject=Subject()))

    assert "subjectKey" not in orjson.loads(sealed(record).envelope)


def test_a_patient_has_the_same_pseudonym_however_the_reference_is_written() -> None:
    assert PSEUDONYM.of("https://ehr.example/fhir", "123") == PSEUDONYM.of("https://ehr.example/fhir/", "Patient/123")


def test_another_server_or_another_key_gives_another_pseudonym() -> None:
    base = "https://ehr.example/fhir"
    found = {PSEUDONYM.of(base, "1"), PSEUDONYM.of(base + "2", "1"), Pseudonym(bytes(32)).of(base, "1")}

    assert 3 == len(found)


@pytest.mark.parametrize("record_id", ["17", "canary", ""])
def test_a_record_id_that_is_no_uuid_is_refused(record_id: str) -> None:
    with pytest.raises(AuditError, match="CDS-407"):
        sealed(replace(not_applicable(), call=replace(call(NO_CARDS), record_id=record_id)))


def test_an_answer_that_is_no_json_object_is_refused() -> None:
    with pytest.raises(AuditError, match="CDS-407"):
        sealed(decision(answer=b"[]"))
