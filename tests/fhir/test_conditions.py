"""Reading diagnoses, allergies, procedures, the encounter and the patient."""

import pytest

from cds.engine.facts import GapScope, Source
from tests.fhir.records import LOINC, SUBJECT, Json, condition, gaps, read, searchset

SNOMED = "http://snomed.info/sct"
STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.mark.parametrize(
    ("status", "read_as"),
    [
        ({"coding": [{"code": "active"}]}, "active"),
        ({"coding": [{"code": "A"}, {"system": STATUS, "code": "resolved"}]}, "resolved"),
        ({"text": "Active"}, "active"),
        ("resolved", "resolved"),
        (None, ""),
    ],
    ids=["code", "local code first", "text", "DSTU2 string", "none"],
)  # fmt: skip
def test_the_clinical_status_is_a_code_however_it_was_written(status: object, read_as: str) -> None:
    (found,) = read({"conditions": searchset(condition(clinicalStatus=status))}).conditions

    assert read_as == found.clinical_status


@pytest.mark.parametrize("status", ["refuted", {"coding": [{"code": "refuted"}]}, {"text": "REFUTED"}])
def test_a_refuted_diagnosis_is_known_as_refuted_however_it_was_written(status: object) -> None:
    (found,) = read({"conditions": searchset(condition(verificationStatus=status))}).conditions

    assert "refuted" == found.verification_status


@pytest.mark.parametrize(
    ("members", "onset"),
    [
        ({"onsetDateTime": "2021-03"}, "2021-03"),
        ({"onsetPeriod": {"start": "2020-05-06", "end": "2020-06-01"}}, "2020-05-06"),
        ({"onsetAge": {"value": 30, "unit": "a"}}, "None"),
        ({"onsetString": "in childhood"}, "None"),
    ],
)
def test_the_onset_is_a_date_or_unknown(members: Json, onset: str) -> None:
    (found,) = read({"conditions": searchset(condition(**members))}).conditions

    assert onset == str(found.onset)


@pytest.mark.parametrize(
    ("members", "ended"),
    [
        ({}, False),
        ({"abatementDateTime": "2024-02-01"}, True),
        ({"abatementDateTime": "2026-09-01"}, False),
        ({"abatementDateTime": "unknown"}, True),
        ({"abatementPeriod": {"end": "2024-02-01"}}, True),
        ({"abatementBoolean": True}, True),
        ({"abatementBoolean": False}, False),
        ({"abatementAge": {"value": 40}}, True),
        ({"abatementRange": {"low": {"value": 40}}}, True),
        ({"abatementString": "last spring"}, True),
    ],
    ids=lambda value: next(iter(value), "none") if isinstance(value, dict) else str(value),
)
def test_an_abatement_ends_a_diagnosis_unless_it_lies_ahead(members: Json, ended: bool) -> None:
    """A due date recorded as abatement does not end a pregnancy that goes on."""
    (found,) = read({"conditions": searchset(condition(**members))}).conditions

    assert ended == found.abated


def test_a_condition_keeps_its_categories_encounter_and_version() -> None:
    (found,) = read({
        "conditions": searchset(
            condition(
                category=[{"coding": [{"code": "Encounter-Diagnosis"}]}, {"text": "problem"}],
                encounter={"reference": "https://ehr.example/fhir/Encounter/e1"},
                recordedDate="2026-01-05T23:30:00-05:00",
                meta={"versionId": "4"},
            )
        )
    }).conditions  # fmt: skip

    assert (("encounter-diagnosis", "problem"), "Encounter/e1", "4") == (
        found.categories,
        found.encounter,
        found.provenance.version,
    )
    assert "2026-01-06" == str(found.recorded)


@pytest.mark.parametrize("member", ["onsetDateTime", "recordedDate"])
def test_a_diagnosis_dated_in_the_future_is_not_used_and_is_listed(member: str) -> None:
    facts = read({"conditions": searchset(condition(**{member: "2026-02-03"}))})

    assert () == facts.conditions
    (gap,) = facts.gaps
    assert (GapScope.VALUE, "F20.0") == (gap.scope, gap.codings[0].code)
    assert "in the future" in gap.reason


def test_tomorrow_is_not_the_future() -> None:
    """Somewhere it is tomorrow already (rules.md D-TIME)."""
    assert 1 == len(read({"conditions": searchset(condition(recordedDate="2026-02-02"))}).conditions)


def test_a_date_that_is_none_is_a_gap_and_the_diagnosis_stays() -> None:
    facts = read({"conditions": searchset(condition(recordedDate="03/02/2021"))})

    assert 1 == len(facts.conditions)
    assert ["recordedDate is not a date"] == [gap.reason for gap in gaps(facts, GapScope.VALUE)]


def test_the_family_history_is_not_the_patients() -> None:
    family = {
        "resourceType": "FamilyMemberHistory",
        "id": "f1",
        "patient": SUBJECT,
        "condition": [{"code": {"text": "glaucoma"}}],
    }

    facts = read({"conditions": searchset(condition(), family)})

    assert (1, ()) == (len(facts.conditions), facts.gaps)


def test_an_allergy_is_known_by_its_code_and_by_the_substance_of_each_reaction() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "patient": SUBJECT,
        "code": {"text": "anaesthetic"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "type": "intolerance",
        "category": "medication",
        "recordedDate": "2018",
        "reaction": {"substance": {"coding": [{"system": SNOMED, "code": "373464007"}]}},
    }

    (found,) = read({"allergies": searchset(allergy)}).allergies

    assert ["anaesthetic", "373464007"] == [substance.label for substance in found.substances]
    assert ("active", "intolerance", ("medication",), "2018") == (
        found.clinical_status,
        found.type,
        found.categories,
        str(found.recorded),
    )


def test_a_procedure_covers_the_whole_period_in_which_it_was_done() -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "p1",
        "status": "completed",
        "subject": SUBJECT,
        "code": {"coding": [{"system": SNOMED, "code": "23835007"}]},
        "performedPeriod": {"start": "2025-03-01T10:00:00Z", "end": "2025-04-12T10:00:00Z"},
    }

    (found,) = read({"procedures": searchset(procedure)}).procedures

    assert ("completed", "2025-03-01/2025-04-12") == (found.status, str(found.performed))


@pytest.mark.parametrize(
    ("period", "read_as"),
    [({"start": "2025-03-01"}, "2025-03-01"), ({"end": "2025-04-12"}, "2025-04-12"), ({}, "None")],
)
def test_a_period_may_be_open(period: Json, read_as: str) -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "p1",
        "subject": SUBJECT,
        "code": {"text": "ECT"},
        "performedPeriod": period,
    }

    (found,) = read({"procedures": searchset(procedure)}).procedures

    assert read_as == str(found.performed)


@pytest.mark.parametrize(
    "written",
    [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}, [{"coding": [{"code": "EMER"}]}]],
    ids=["R4 Coding", "R5 list of concepts"],
)
def test_the_encounter_has_a_class(written: object) -> None:
    encounter = {"resourceType": "Encounter", "id": "e1", "subject": SUBJECT, "class": written}

    found = read({"encounter": encounter}).encounter

    assert found
    assert "EMER" == found.class_code.code


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"birthDate": "1984-03-17", "gender": "female"}, ("1984-03-17", "female", False)),
        ({"birthDate": "1984"}, ("1984", "", False)),
        ({"deceasedBoolean": False}, ("None", "", False)),
        ({"deceasedBoolean": True}, ("None", "", True)),
        ({"deceasedDateTime": "2025-12-01"}, ("None", "", True)),
    ],
)
def test_what_is_read_of_the_patient(members: Json, expected: tuple[str, str, bool]) -> None:
    found = read({"patient": {"resourceType": "Patient", "id": "amara", **members}}).patient

    assert found
    assert expected == (str(found.birth), found.sex, found.deceased)


def test_a_patient_born_in_the_future_has_no_known_age() -> None:
    facts = read({"patient": {"resourceType": "Patient", "id": "amara", "birthDate": "2062-03-17"}})

    assert facts.patient
    assert facts.patient.birth is None
    assert [(Source.PATIENT, GapScope.VALUE)] == [(gap.source, gap.scope) for gap in facts.gaps]


def test_a_patient_may_come_as_the_answer_to_a_search() -> None:
    facts = read({"patient": searchset({"resourceType": "Patient", "id": "amara"})})

    assert facts.patient
    assert () == facts.gaps


def test_the_loinc_code_of_a_condition_is_kept_as_sent() -> None:
    code = {"coding": [{"system": LOINC, "code": "82810-3 "}]}

    assert "82810-3 " == read({"conditions": searchset(condition(code=code))}).conditions[0].code.codings[0].code
