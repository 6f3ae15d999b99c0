"""A record's sections hold every input of the decision and the verdict of every rule."""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.audit.canonical import canonical
from cds.audit.codec import decode, encode
from cds.audit.members import children
from cds.audit.sections import facts_from, facts_section, request_section, rules_section
from cds.engine.assessment import Assessment, Evidence, Finding, Sentence
from cds.engine.facts import Fact, Gap, HookContext, PatientFacts
from cds.engine.order import Order
from tests.audit.records import (
    ALLERGY,
    GAP,
    HEART,
    PRESSURE,
    assessment,
    call,
    chart,
    decision,
    failure,
    not_applicable,
)

st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**53) + 1, 2**53 - 1))  # what a record can hold


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(st.from_type(PatientFacts))
def test_patient_facts_can_be_rebuilt_from_the_record_without_loss(facts: PatientFacts) -> None:
    stored = canonical(facts_section(facts))

    rebuilt = facts_from(orjson.loads(stored))

    assert facts == rebuilt
    assert stored == canonical(facts_section(rebuilt))


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
def test_every_kind_of_fact_can_be_rebuilt(kind: type[Fact]) -> None:
    """Each kind for itself, so that none depends on luck in the test above."""

    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.from_type(kind))
    def check(fact: Fact) -> None:
        assert fact == decode(kind, orjson.loads(canonical(encode(fact))))

    check()


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.from_type(Order))
def test_the_order_can_be_rebuilt_from_the_record_without_loss(order: Order) -> None:
    assert order == decode(Order, orjson.loads(canonical(encode(order))))


@pytest.mark.parametrize("kind", [Evidence, Gap, Sentence, HookContext], ids=lambda kind: kind.__name__)
def test_whatever_else_the_engine_says_of_a_patient_can_be_rebuilt(kind: type[Evidence]) -> None:
    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.from_type(kind))
    def check(said: Evidence) -> None:
        assert said == decode(kind, orjson.loads(canonical(encode(said))))

    check()


_FINDINGS = st.builds(Finding, st.just(PRESSURE), citations=st.just(assessment().findings[0].citations))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_FINDINGS)
def test_any_finding_of_the_engine_can_be_recorded(finding: Finding) -> None:
    """A finding that cannot be written would turn every call into an error 503."""
    assessed = replace(assessment(), findings=(finding,))

    section = orjson.loads(canonical(rules_section(replace(decision(), assessments=(assessed,)))))

    (recorded,) = section["assessments"][0]["rules"]
    assert (finding.verdict.value, finding.summary) == (recorded["verdict"], recorded.get("summary", ""))
    assert len(finding.evidence) == len(recorded.get("because", []))
    assert encode(finding.missing) == recorded.get("missing", [])


def test_a_decimal_keeps_its_last_zero() -> None:
    """34.0 was reported with more precision than 34."""
    (observation,) = facts_from(orjson.loads(canonical(facts_section(chart())))).observations

    assert observation.value is not None
    assert "34.0" == str(observation.value.value)


def test_a_float_never_enters_a_record() -> None:
    with pytest.raises(TypeError, match="float"):
        encode({"value": 1.5})


def test_each_fact_has_a_number_a_reference_and_where_it_was_read() -> None:
    condition = children(facts_section(chart()), "facts")[1]

    assert condition == {
        "factId": "f2",
        "factType": "condition",
        "reference": "Condition/c0",
        "origin": "prefetch conditions",
        "source": "conditions",
        "version": "3",
        "code": {
            "codings": [
                {"system": "icd10cm", "code": "G90.50", "display": "CRPS"},
                {"system": "snomed", "code": "128200000"},
            ],
            "text": "Regional pain",
        },
        "clinicalStatus": "active",
        "verificationStatus": "confirmed",
        "categories": ["problem-list-item"],
        "onset": "2021-11-01/2021-11-30",
        "recorded": "2026-01-02T10:00:00+00:00",
    }


def test_every_rule_is_recorded_in_order_also_where_nothing_was_found() -> None:
    (assessed,) = children(rules_section(decision()), "assessments")

    verdicts = [(finding["ruleId"], finding["verdict"]) for finding in children(assessed, "rules")]

    assert [(PRESSURE, "present"), (HEART, "not-found"), (ALLERGY, "unknown")] == verdicts


def test_a_finding_names_the_fact_it_rests_on_and_its_citation() -> None:
    (assessed,) = children(rules_section(decision()), "assessments")
    pressure = children(assessed, "rules")[0]

    (because,) = children(pressure, "because")
    (citation,) = children(pressure, "citations")

    assert ("f3", "Observation/o0", "34 mm[Hg]") == (because["fact"], because["reference"], because["value"])
    assert ("Cohen 2018", "C") == (citation["label"], citation["grade"])
    assert ["Look-back 180 days"] == pressure["localPolicy"]


def test_an_unknown_rule_says_what_was_missing_and_how_serious_it_could_be() -> None:
    (assessed,) = children(rules_section(decision()), "assessments")
    allergy = children(assessed, "rules")[2]

    assert ([encode(GAP)], "critical") == (allergy["missing"], allergy["possibleLevel"])


def test_two_selected_orders_are_recorded_one_by_one() -> None:
    record = decision()
    twice: tuple[Assessment, ...] = record.assessments * 2

    section = rules_section(replace(record, assessments=twice))

    assert 2 == len(children(section, "assessments"))


def test_of_the_request_body_only_its_digest_and_size_are_kept() -> None:
    section = request_section(replace(failure(), call=replace(call(), body=b"abc")))

    assert 3 == section["bodyBytes"]
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == section["bodySha256"]


def test_the_record_of_another_drug_says_which_drug_it_was() -> None:
    assert [{"codings": [{"system": "rxnorm", "code": "25480", "display": "gabapentin"}]}] == request_section(
        not_applicable()
    )["drugs"]
