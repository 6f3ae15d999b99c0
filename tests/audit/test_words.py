"""A record tells its story in words, to someone who was not there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cds.audit.queries import LogReader, StoredRecord
from cds.audit.record import Record
from cds.audit.stored_record import Entry
from cds.audit.words import explain, show
from cds.audit.words_list import listing
from cds.engine.rules import Level
from tests.audit.records import KNOWLEDGE, NO_CARDS, call, decision, decision_at, failure, not_applicable, recorder_in


def stored(folder: Path, record: Record) -> StoredRecord:
    recorder = recorder_in(folder)
    recorder.append(record)
    recorder.close()
    with LogReader(folder / "data" / "record.sqlite") as log:
        return log.find("0")


@pytest.mark.parametrize(
    "words",
    [
        "order-select (ketamine-order-select), HTTP 200: cards",
        "Decided for the time 2026-02-01T12:00:00.000000Z; took assessing 0.9 ms, reading the FHIR server 30.0 ms",
        f"Knowledge 2026.1, SHA-256 {KNOWLEDGE.digest.removeprefix('sha256:')}",
        "Client    development",
        "Patient   123",
        "user      Practitioner/7",
        "MedicationRequest/draft ketamine infusion [6130 ketamine rxnorm]",
        "dosage    0.5 mg/kg over 40 min; [47625008 Intravenous snomed]",
        "route     intravenous (words: infusion)",
        "purpose   mood not-found, pain present (problem list)",
        "conditions                 20  sent with the call",
        "allergies                   0  neither sent nor read",
        "Facts: 1 patient, 1 condition, 1 observation, 1 medication",
        "allergies: HTTP 403",
        "PRESENT (1)",
        "Raised intraocular pressure (contraindication: raised_intraocular_pressure)  CRITICAL",
        "because   Eye pressure 34 mm[Hg] loinc 79892-6 2026-01-20 [Observation/o0, f3, prefetch laboratory]",
        "source    Cohen 2018 (grade C): Elevated intraocular pressure: do not use",
        "local     Look-back 180 days",
        "UNKNOWN: could not be judged (1)",
        "Ketamine allergy (contraindication: ketamine_allergy)  (could be CRITICAL)",
        "missing   allergies: HTTP 403",
        "NOT FOUND (1)",
        "note      1 of 2 readings",
        "1  CRITICAL  Eye pressure 34 mm[Hg] (2026-01-20): relative contraindication (grade C)",
        "Consider an ophthalmologist.",
        "Source: Cohen 2018 https://doi.example/cohen",
        "Reasons offered for overriding: A specialist has cleared it",
    ],
)
def test_an_explanation_says_what_was_asked_read_missing_judged_and_sent(tmp_path: Path, words: str) -> None:
    assert words in explain(stored(tmp_path, decision()))


def test_an_explanation_of_another_drug_says_which(tmp_path: Path) -> None:
    words = explain(stored(tmp_path, not_applicable()))

    assert "Not ketamine: [25480 gabapentin rxnorm]" in words
    assert 'none: {"cards": []}' in words


def test_an_explanation_of_an_error_says_what_was_answered(tmp_path: Path) -> None:
    words = explain(stored(tmp_path, failure()))

    assert "HTTP 412: error CDS-301" in words
    assert "The patient could not be read GET Patient/123: timeout" in words


def test_a_redacted_or_altered_section_is_said_first(tmp_path: Path) -> None:
    record = replace(stored(tmp_path, decision()), redacted=("subject",), altered=("facts",))

    lines = explain(record).splitlines()[:8]

    assert "  REDACTED: section subject" in lines
    assert "  ALTERED: section facts is not what was recorded. Do not rely on it." in lines


def test_what_was_redacted_is_not_called_unknown_or_none(tmp_path: Path) -> None:
    """Else a reader takes a patient whose data were taken away for one without data."""
    record = stored(tmp_path, decision())
    left = {name: content for name, content in record.sections.items() if name not in {"subject", "facts"}}

    words = explain(replace(record, sections=left, redacted=("facts", "subject")))

    assert "Patient   redacted" in words
    assert "Facts: redacted" in words


def test_a_section_that_became_unreadable_does_not_stop_the_reader(tmp_path: Path) -> None:
    record = stored(tmp_path, decision())
    broken = replace(record, sections=dict.fromkeys(record.sections, b"\xff{"), altered=tuple(record.sections))

    assert "ALTERED: section cards" in explain(broken)
    assert "\\xff{" == orjson.loads(show(broken))["sections"]["cards"]


HIDDEN = "\x1b[31m\u202eevil\u2066\u200b\x07\r\n\U000e0041"


@pytest.mark.parametrize("say", [explain, show])
def test_control_and_bidi_characters_are_made_visible(tmp_path: Path, say: Callable[[StoredRecord], str]) -> None:
    """A display name in a request must not recolour, reorder or clear an auditor's terminal."""
    record = replace(not_applicable(), call=replace(call(NO_CARDS), notes=(HIDDEN,), hook_instance=HIDDEN))

    said = say(stored(tmp_path, record))

    assert "evil" in said
    assert [] == [letter for letter in said if not letter.isprintable() and letter != "\n"]


def test_a_line_end_in_a_request_cannot_forge_a_line_of_the_explanation(tmp_path: Path) -> None:
    record = replace(not_applicable(), call=replace(call(NO_CARDS), notes=("x\nCARDS AS SENT",)))

    assert 1 == explain(stored(tmp_path, record)).splitlines().count("CARDS AS SENT")


def test_show_is_json_that_holds_the_whole_record(tmp_path: Path) -> None:
    record = stored(tmp_path, decision())

    whole = orjson.loads(show(record))

    assert {"number", "envelope", "sections"} == set(whole)
    assert record.envelope == whole["envelope"]
    assert {name: orjson.loads(record.content(name)) for name in record.sections} == whole["sections"]


def test_show_says_what_is_gone_and_what_is_altered(tmp_path: Path) -> None:
    record = replace(stored(tmp_path, decision()), redacted=("subject",), altered=("facts",))

    whole = orjson.loads(show(record))

    assert (["subject"], ["facts"]) == (whole["redacted"], whole["altered"])


def test_a_list_has_one_line_for_each_record_with_its_cards(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    for record in (decision_at(Level.WARNING), not_applicable(), failure()):
        recorder.append(record)
    recorder.close()
    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        _, error, other, warning = listing(log.list()).splitlines()

    assert warning.endswith("cards           1 warning, 1 unknown")
    assert other.endswith("not-applicable")
    assert error.endswith("error           CDS-301")


def test_the_columns_of_a_list_stand_under_their_heads_however_long_a_name_is() -> None:
    """Else an auditor reads the outcome of one call as that of another."""
    clients = ("a", "the-hospital-of-the-long-name", "two\nlines")
    entries = [Entry(10**number, {"client": {"id": name}, "outcome": "cards"}) for number, name in enumerate(clients)]

    head, *lines = listing(entries).splitlines()

    assert [head.index("OUTCOME")] * len(clients) == [line.index("cards") for line in lines]
