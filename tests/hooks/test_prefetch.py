"""Discovery asks for what the rules read, no more and no less, in a form that every client can fill."""

import json
from dataclasses import replace

import pytest

from cds.engine.facts import Source
from cds.engine.rules import Knowledge
from cds.engine.terminology import Member
from cds.hooks.prefetch import LONGEST_URL, sources, templates
from cds.hooks.services import SERVICES, discovery
from cds.knowledge.load import load_knowledge
from cds.settings import Settings
from tests.response_checker import discovery_violations


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(Settings().knowledge_dir)


def test_discovery_names_every_service_with_all_templates_and_the_knowledge(knowledge: Knowledge) -> None:
    offered = templates(knowledge)

    answer = json.loads(discovery(knowledge, offered))

    assert [] == discovery_violations(answer)
    assert list(SERVICES) == [service["id"] for service in answer["services"]]
    assert [offered] * len(SERVICES) == [service["prefetch"] for service in answer["services"]]
    assert knowledge.digest == answer["services"][0]["extension"]["org.ketamine-cds"]["digest"]


def test_every_part_of_the_record_that_rules_read_is_asked_for(knowledge: Knowledge) -> None:
    read = set(sources(templates(knowledge)).values())

    assert {
        Source.PATIENT, Source.ENCOUNTER, Source.CONDITIONS, Source.ALLERGIES, Source.MEDICATIONS, Source.STATEMENTS,
        Source.DISPENSES, Source.PROCEDURES, Source.BLOOD_PRESSURE, Source.LABORATORY, Source.DRUG_SCREENS,
        Source.MEASUREMENTS, Source.FLAGS,
    } == read  # fmt: skip


@pytest.mark.parametrize(
    ("value_set", "key"),
    [
        ("intraocular_pressure", "measurements"),
        ("body_weight", "measurements"),
        ("bp_panel", "blood_pressure"),
        ("bp_systolic", "blood_pressure"),
        ("bilirubin_total", "laboratory"),
        ("inr", "laboratory"),
        ("urine_ketamine", "drug_screens"),
    ],
)
def test_every_code_of_an_observation_that_a_rule_looks_at_is_in_its_query(
    knowledge: Knowledge, value_set: str, key: str
) -> None:
    asked = templates(knowledge)[key]

    assert [] == [code for system, code in knowledge.value_sets[value_set].codes if f"{system}|{code}" not in asked]


def test_an_observation_that_no_rule_looks_at_is_not_asked_for(knowledge: Knowledge) -> None:
    """Data that nobody needs are not fetched: height is in the value sets and in no rule."""
    height = next(iter(knowledge.value_sets["body_height"].codes))[1]

    assert [] == [key for key, query in templates(knowledge).items() if height in query]


def test_a_long_list_of_codes_is_split_over_several_keys_of_one_source(knowledge: Knowledge) -> None:
    many = {("http://loinc.org", f"{number}-1"): Member("") for number in range(1000, 1300)}
    value_set = replace(knowledge.value_sets["inr"], codes=many)
    longer = replace(knowledge, value_sets={**knowledge.value_sets, "inr": value_set})

    offered = {key: query for key, query in templates(longer).items() if key.startswith("laboratory")}

    assert ["laboratory", "laboratory_2", "laboratory_3", "laboratory_4"] == list(offered)
    assert {Source.LABORATORY} == set(sources(offered).values())
    assert all(len(query.replace("{{context.patientId}}", "x" * 64)) <= LONGEST_URL for query in offered.values())
    assert all(sum(f"|{code}" in query for query in offered.values()) == 1 for _, code in many)
