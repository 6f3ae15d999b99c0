"""Flags: notices on the record, such as that care is palliative."""

from cds.engine.facts import Source
from tests.fhir.records import SUBJECT, read, searchset


def flag(status: str, text: str) -> dict[str, object]:
    return {"resourceType": "Flag", "id": "f1", "status": status, "code": {"text": text}, "subject": SUBJECT}


def test_a_flag_is_read_with_its_words_and_its_status() -> None:
    facts = read({"flags": searchset(flag("active", "Hospice patient"))})

    (one,) = facts.flags
    assert ("active", "Hospice patient", "Flag/f1") == (one.status, one.code.text, one.provenance.reference)
    assert () == facts.gaps


def test_another_patients_flag_is_not_used_and_leaves_the_flags_unknown() -> None:
    foreign = flag("active", "Hospice patient") | {"subject": {"reference": "Patient/somebody"}}

    facts = read({"flags": searchset(foreign)})

    assert () == facts.flags
    assert [Source.FLAGS] == [gap.source for gap in facts.gaps]
