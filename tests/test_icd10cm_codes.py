"""The ICD-10-CM codes of the value sets against the classification itself (PyPI: simple-icd-10-cm)."""

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds.engine.facts import Coding
from cds.engine.terminology import PrefixRule, ValueSet, normalise
from cds.knowledge.value_sets import load_value_sets
from tools.icd10cm_families import Classification
from tools.refresh_value_sets import LEFT_OUT

VALUE_SETS = Path(__file__).resolve().parents[1] / "cards" / "value_sets"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"

FAMILIES = ("alcohol", "opioid", "cannabis", "sedative", "cocaine", "stimulant", "hallucinogen", "inhalant", "other")


@pytest.fixture(scope="module")
def value_sets() -> Mapping[str, ValueSet]:
    return load_value_sets(VALUE_SETS)


@pytest.fixture(scope="module")
def descriptions() -> Mapping[str, str]:
    """Every category and code of the classification, without dots, with its full description."""
    return Classification().descriptions


@pytest.fixture(scope="module")
def codes_of(value_sets: Mapping[str, ValueSet], descriptions: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """Per value set the codes of the classification that it holds, by its own `contains`.

    To be quick, a set is asked only about codes that begin like one of its families; the test after this one asks
    one set about everything.
    """
    by_start: dict[str, list[str]] = {}
    for code in descriptions:
        for start in {code[:1], code[:2], code[:3]}:
            by_start.setdefault(start, []).append(code)
    found = {}
    for name, value_set in value_sets.items():
        starts = {start[:3] for rule in value_set.families.get(ICD10CM, ()) for start in rule.starts}
        asked = {code for start in starts for code in by_start.get(start, ())}
        found[name] = frozenset(code for code in asked if value_set.contains(Coding(ICD10CM, code)))
    return found


def test_a_set_holds_no_code_outside_the_families_it_names(
    value_sets: Mapping[str, ValueSet], descriptions: Mapping[str, str], codes_of: Mapping[str, frozenset[str]]
) -> None:
    held = {code for code in descriptions if value_sets["glaucoma"].contains(Coding(ICD10CM, code))}

    assert codes_of["glaucoma"] == held


def test_every_icd10cm_code_that_a_family_names_exists(
    value_sets: Mapping[str, ValueSet], descriptions: Mapping[str, str]
) -> None:
    named = [
        (name, code)
        for name, value_set in value_sets.items()
        for rule in value_set.families.get(ICD10CM, ())
        for code in (*rule.starts, *rule.except_)
    ]
    starts = {code[:length] for code in descriptions for length in (1, 2)}

    assert [] == [(name, code) for name, code in named if code not in descriptions and code not in starts]


def test_no_icd10cm_code_is_listed_beside_the_families(value_sets: Mapping[str, ValueSet]) -> None:
    listed = [name for name, value_set in value_sets.items() if any(system == ICD10CM for system, _ in value_set.codes)]

    assert [] == listed


def test_each_set_holds_exactly_the_codes_that_the_reviewers_listed(
    shared_folder: Path, codes_of: Mapping[str, frozenset[str]]
) -> None:
    """For every code of the classification: held by the compiled families if and only if it is listed."""
    source = json.loads((shared_folder / "clinical" / "valuesets.json").read_text(encoding="utf-8"))
    listed = {
        entry["id"].replace("-", "_"): {normalise(code["code"]) for code in entry["codes"] if code["system"] == ICD10CM}
        for entry in source["valuesets"]
    }
    differences = {
        name: sorted(codes ^ codes_of[name])
        for name, codes in listed.items()
        if name not in LEFT_OUT and codes != codes_of[name]
    }

    assert {} == differences
    assert 6472 <= sum(map(len, listed.values())), "the listed codes were read"


def test_a_compiled_family_holds_what_the_clinicians_rule_says_in_words(descriptions: Mapping[str, str]) -> None:
    """The `rule` in a head is the clinician's; the lines below it must say the same without descriptions."""
    heads = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(VALUE_SETS.glob("*.yaml"))]
    pairs = [
        (head["id"], family)
        for head in heads
        for family in head.get("families", {}).get("icd10cm", ())
        if "id" in head and "rule" in family
    ]
    differences = [
        name for name, family in pairs if by_words(family["rule"], descriptions) != by_family(family, descriptions)
    ]

    assert [] == differences
    assert 20 == len(pairs)


def test_a_seventh_character_s_means_sequela_and_nothing_else(descriptions: Mapping[str, str]) -> None:
    """Why families may ask for the 7th character instead of the word."""
    injuries = [code for code in descriptions if code[0] in "MSTVWXY"]
    by_character = {code for code in descriptions if code[6:7] == "S"}

    assert by_character == {code for code in injuries if "sequela" in descriptions[code].lower()}


def test_sequela_codes_are_i69_and_every_seventh_character_s(
    descriptions: Mapping[str, str], codes_of: Mapping[str, frozenset[str]]
) -> None:
    expected = {code for code in descriptions if code.startswith("I69") or code[6:7] == "S"}

    assert expected == codes_of["sequela_codes"]


def test_family_history_codes_are_the_z8_categories_that_say_so(
    descriptions: Mapping[str, str], codes_of: Mapping[str, frozenset[str]]
) -> None:
    categories = {code for code, text in descriptions.items() if len(code) == 3 and text.startswith("Family history")}

    assert {"Z80", "Z81", "Z82", "Z83", "Z84"} == categories
    assert {code for code in descriptions if code[:3] in categories} == codes_of["family_history_codes"]


def test_a_malignant_neoplasm_is_every_c_code_but_c44(
    descriptions: Mapping[str, str], codes_of: Mapping[str, frozenset[str]]
) -> None:
    expected = {code for code in descriptions if code.startswith("C") and not code.startswith("C44")}

    assert expected == codes_of["malignant_neoplasm"]


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("hydrocephalus", "raised_intracranial_pressure"),
        ("normal_pressure_hydrocephalus", "hydrocephalus"),
        ("oesophageal_varices", "severe_hepatic"),
        ("substance_induced_psychosis", "psychosis_active"),
        ("postpartum_psychosis", "psychosis_active"),
        ("opioid_dependence", "sud_opioid"),
        ("diabetic_neuropathy_pain_not_named", "painful_diabetic_neuropathy"),
        ("angle_closure_acute", "angle_closure_glaucoma"),
        ("hepatic_decompensated", "severe_hepatic"),
    ],
)
def test_a_part_holds_no_code_that_the_whole_has_not(
    codes_of: Mapping[str, frozenset[str]], part: str, whole: str
) -> None:
    assert codes_of[part], "a part without a code would prove nothing"
    assert codes_of[part] <= codes_of[whole]


@pytest.mark.parametrize(("prefix", "whole"), [("sud_", "sud_active"), ("sud_use_", "sud_substance_use_unspecified")])
def test_the_nine_substance_families_share_no_code_and_make_up_the_whole(
    codes_of: Mapping[str, frozenset[str]], prefix: str, whole: str
) -> None:
    parts = [code for family in FAMILIES for code in codes_of[prefix + family]]

    assert sorted(codes_of[whole]) == sorted(parts)


def test_no_set_of_substance_use_holds_a_code_of_nicotine_or_of_remission(
    descriptions: Mapping[str, str], codes_of: Mapping[str, frozenset[str]]
) -> None:
    held = frozenset().union(*(codes for name, codes in codes_of.items() if name.startswith("sud_")))
    active = codes_of["sud_active"] | codes_of["sud_substance_use_unspecified"]

    assert [] == [code for code in held if code.startswith("F17") or "nicotine" in descriptions[code].lower()]
    assert [] == [code for code in active if "remission" in descriptions[code]]


def by_words(rule: Mapping[str, Any], descriptions: Mapping[str, str]) -> set[str]:
    """Return the codes that a clinician's rule takes, read as it is written."""
    prefixes = tuple(map(normalise, rule["prefixes"]))
    under = {code for code in descriptions if code.startswith(prefixes)}
    if "exclude_display_regex" in rule:
        says = partial(re.search, rule["exclude_display_regex"], flags=re.IGNORECASE)
        return {code for code in under if not says(descriptions[code])}
    says = partial(re.search, rule["only_display_regex"], flags=re.IGNORECASE)
    return {code for code in under if says(descriptions[code])}


def by_family(family: Mapping[str, Any], descriptions: Mapping[str, str]) -> set[str]:
    """Return the codes that the compiled lines below a clinician's rule take."""
    rule = PrefixRule(
        prefixes=tuple(map(normalise, family.get("prefixes", ()))),
        exact=frozenset(map(normalise, family.get("exact", ()))),
        except_=tuple(map(normalise, family.get("except", ()))),
        seventh_characters=frozenset(family.get("seventh_characters", ())),
        except_seventh_characters=frozenset(family.get("except_seventh_characters", ())),
    )
    return {code for code in descriptions if rule.takes(code)}
