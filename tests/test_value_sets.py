"""The value sets of cards/value_sets: what they hold, and what the loader refuses."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cds.engine.facts import Coding
from cds.engine.terminology import ValueSet
from cds.knowledge.code_systems import CodeSystems, load_code_systems
from cds.knowledge.value_sets import load_value_sets
from tools.refresh_value_sets import main as refresh

CARDS = Path(__file__).resolve().parents[1] / "cards"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

FAMILIES = ("alcohol", "opioid", "cannabis", "sedative", "cocaine", "stimulant", "hallucinogen", "inhalant", "other")

# Part to what it is a part of, as in derived.yaml.
PARTS = {
    "hydrocephalus": ("raised_intracranial_pressure",),
    "normal_pressure_hydrocephalus": ("hydrocephalus",),
    "oesophageal_varices": ("severe_hepatic",),
    "substance_induced_psychosis": ("psychosis_active",),
    "postpartum_psychosis": ("psychosis_active",),
    "opioid_dependence": ("sud_opioid",),
    "opioid_dependence_on_agonist": ("opioid_dependence",),
    "diabetic_neuropathy_pain_not_named": ("diabetic_neuropathy", "painful_diabetic_neuropathy"),
} | {f"sud_{family}": ("sud_active",) for family in FAMILIES}


@pytest.fixture(scope="module")
def value_sets() -> Mapping[str, ValueSet]:
    return load_value_sets(CARDS / "value_sets")


@pytest.fixture(scope="module")
def code_systems() -> CodeSystems:
    return load_code_systems(CARDS / "code_systems.yaml")


def codes_of(value_set: ValueSet, system: str) -> set[str]:
    return {code for uri, code in value_set.codes if uri == system}


def all_codes(value_sets: Mapping[str, ValueSet], system: str) -> set[str]:
    return set().union(*(codes_of(value_set, system) for value_set in value_sets.values()))


@pytest.mark.parametrize("code", ["G90.511", "G90511", "g90.511", "G90.5", " G90.511 "])
def test_a_code_is_found_however_its_dot_and_case_were_sent(value_sets: Mapping[str, ValueSet], code: str) -> None:
    assert value_sets["crps_type_1"].contains(Coding(ICD10CM, code))


@pytest.mark.parametrize(
    ("value_set", "code"),
    [
        ("phantom_limb_pain", "G54.7"),  # without pain
        ("psychosis_active", "F21"),  # schizotypal
        ("bipolar", "F31.76"),  # in full remission
        ("sud_active", "F11.21"),  # in remission
        ("sud_active", "F17.210"),  # nicotine
        ("recent_stroke", "G45.4"),  # transient global amnesia
        ("intracranial_haemorrhage", "S06.5X0S"),  # sequela
        ("pregnancy", "O99.345"),  # puerperium
        ("acute_respiratory_failure", "J96.10"),  # chronic
        ("ascites", "R18.0"),  # malignant
    ],
)
def test_what_a_set_leaves_out_on_purpose_is_not_in_it(
    value_sets: Mapping[str, ValueSet], value_set: str, code: str
) -> None:
    assert not value_sets[value_set].contains(Coding(ICD10CM, code))


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (RXNORM, "6103"),  # said to be ketamine in public code; ketamine is 6130
        (RXNORM, "10504"),  # said to be thiopental in public code
        (SNOMED, "428361000124100"),  # said to be trigeminal neuralgia in public code
        (LOINC, "79892-2"),  # remembered as eye pressure; the codes are 79892-6 and 79893-4
        (LOINC, "79893-0"),
        (LOINC, "56844-4"),
    ],
)
def test_a_code_known_to_be_wrong_is_in_no_set(value_sets: Mapping[str, ValueSet], system: str, code: str) -> None:
    holders = [name for name, value_set in value_sets.items() if value_set.contains(Coding(system, code))]

    assert [] == holders


def test_a_part_holds_no_code_that_the_whole_has_not(value_sets: Mapping[str, ValueSet]) -> None:
    strays = {
        part: set(value_sets[part].codes) - set().union(*(value_sets[name].codes for name in wholes))
        for part, wholes in PARTS.items()
    }

    assert {part: set() for part in PARTS} == strays


def test_the_nine_substance_families_share_no_code_and_make_up_the_whole(value_sets: Mapping[str, ValueSet]) -> None:
    parts = [code for family in FAMILIES for code in value_sets[f"sud_{family}"].codes]

    assert sorted(value_sets["sud_active"].codes) == sorted(parts)


def test_a_disorder_in_remission_is_in_no_family_of_active_ones(value_sets: Mapping[str, ValueSet]) -> None:
    assert set() == set(value_sets["sud_active"].codes) & set(value_sets["sud_in_remission"].codes)


def test_nicotine_and_caffeine_are_in_no_set_of_substance_use(value_sets: Mapping[str, ValueSet]) -> None:
    """The title of F15 in ICD-10 (WHO) names caffeine among the stimulants; no code is about caffeine alone."""
    sets = [value_set for name, value_set in value_sets.items() if name.startswith("sud_")]
    members = [(key[1], member.display.lower()) for value_set in sets for key, member in value_set.codes.items()]
    suspects = [
        code
        for code, display in members
        if any(word in display for word in ("nicotine", "tobacco", "caffeine")) and not code.startswith("F15")
    ]

    assert [] == suspects
    assert not any(value_set.contains(Coding(ICD10CM, "F17.210")) for value_set in sets)


def test_the_urine_screens_are_the_union_of_their_classes(value_sets: Mapping[str, ValueSet]) -> None:
    classes = ("urine_amphetamine", "urine_cocaine", "urine_opiate", "urine_phencyclidine")

    assert set(value_sets["urine_drug_screen"].codes) == set().union(*(value_sets[name].codes for name in classes))


def test_every_drug_code_of_a_class_of_drugs_that_count_by_ingredient_names_one(
    value_sets: Mapping[str, ValueSet],
) -> None:
    counted = ("ssri", "snri", "tca", "other")
    members = [member for name in counted for member in value_sets[f"antidepressant_{name}"].codes.values()]

    assert [] == [member.display for member in members if not member.ingredients]


def test_a_combination_names_each_of_its_ingredients(value_sets: Mapping[str, ValueSet]) -> None:
    combined = [member for member in value_sets["opioid"].codes.values() if len(member.ingredients) > 1]

    assert 231 == len(combined)
    assert all(";" not in name and name == name.strip() for member in combined for name in member.ingredients)


def test_every_snomed_code_has_its_check_digit(value_sets: Mapping[str, ValueSet]) -> None:
    assert [] == [code for code in sorted(all_codes(value_sets, SNOMED)) if not has_verhoeff_digit(code)]


def test_every_loinc_code_has_its_check_digit(value_sets: Mapping[str, ValueSet]) -> None:
    assert [] == [code for code in sorted(all_codes(value_sets, LOINC)) if not has_mod_10_digit(code)]


def test_a_wrong_check_digit_is_noticed() -> None:
    """The two tests above would notice a digit that a spreadsheet or a typist changed."""
    assert has_verhoeff_digit("22298006")
    assert not has_verhoeff_digit("22298007")
    assert not has_verhoeff_digit("22289006")
    assert has_mod_10_digit("8480-6")
    assert not has_mod_10_digit("8480-7")


@pytest.mark.parametrize(
    "form",
    [
        "http://snomed.info/sct",
        "https://snomed.info/sct",
        "http://snomed.info/sct/",
        "HTTP://SNOMED.info/sct",
        "urn:oid:2.16.840.1.113883.6.96",
        "URN:OID:2.16.840.1.113883.6.96",
        "2.16.840.1.113883.6.96",
        "http://snomed.info/sct|http://snomed.info/sct/731000124108",
    ],
)
def test_every_form_of_a_code_system_means_its_canonical_address(code_systems: CodeSystems, form: str) -> None:
    assert code_systems.canonical(form) == SNOMED


def test_an_unknown_code_system_stays_as_it_was_sent(code_systems: CodeSystems) -> None:
    assert code_systems.canonical("urn:oid:1.2.3") == "urn:oid:1.2.3"


def test_every_code_system_of_the_table_is_used(code_systems: CodeSystems, value_sets: Mapping[str, ValueSet]) -> None:
    listed = {system for value_set in value_sets.values() for system, _ in value_set.codes}
    families = {system for value_set in value_sets.values() for system in value_set.families}

    assert set(code_systems.uris.values()) == listed | families


def test_the_files_are_those_that_the_reviewed_input_gives(
    shared_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = refresh(["--check", str(shared_folder / "clinical" / "valuesets.json")])

    assert (0, "") == (status, capsys.readouterr().out)


def has_mod_10_digit(code: str) -> bool:
    """Say whether a LOINC code ends with its check digit (Luhn over the digits before the hyphen)."""
    number, _, digit = code.partition("-")
    doubled = [int(each) * (2 if place % 2 == 0 else 1) for place, each in enumerate(reversed(number))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return digit == str(-total % 10)


def has_verhoeff_digit(code: str) -> bool:
    """Say whether a SNOMED CT identifier ends with its check digit (Verhoeff, the dihedral group D5)."""
    checksum = 0
    for place, digit in enumerate(reversed(code)):
        checksum = _product(checksum, _permuted(int(digit), place))
    return checksum == 0


def _product(left: int, right: int) -> int:
    if left < 5:
        return (left + right) % 5 if right < 5 else 5 + (left + right) % 5
    return 5 + (left - right) % 5 if right < 5 else (left - right) % 5


def _permuted(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit
