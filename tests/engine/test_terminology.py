"""Which value sets hold a code or a word: by list, by family, by whole word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.index import build_index
from cds.engine.rules import Knowledge
from cds.engine.terminology import Member, PrefixRule, ValueSet, normalise
from tests.engine.ask import FEW
from tests.engine.build import SYSTEMS, coding, concept

ICD, SNOMED, RXNORM = SYSTEMS["icd10cm"], SYSTEMS["snomed"], SYSTEMS["rxnorm"]
GLAUCOMA = ValueSet(
    "glaucoma",
    "Glaucoma",
    {(SNOMED, "23986001"): Member("Glaucoma")},
    {ICD: (PrefixRule(prefixes=("H40",), except_=("H4000", "H4005")),)},
)
NERVE_PAIN = ValueSet(
    "nerve_pain",
    "Pain after nerve injury",
    families={ICD: (PrefixRule(prefixes=("S44",), seventh_characters=frozenset("S")),)},
)
INJURY = ValueSet(
    "injury",
    "Injury",
    families={ICD: (PrefixRule(prefixes=("S",), exact=frozenset({"T149"}), except_seventh_characters=frozenset("S")),)},
)
THEOPHYLLINE = ValueSet(
    "theophylline",
    "Theophylline",
    {(RXNORM, "10438"): Member("theophylline", ("theophylline",)), (RXNORM, "689"): Member("product")},
    text_terms=("theophylline", "theo-24", "aminophylline"),
)
SETS = {one.id: one for one in (GLAUCOMA, NERVE_PAIN, INJURY, THEOPHYLLINE)}
INDEX = build_index(SETS)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("icd10cm|H40.1190", {"glaucoma"}, id="below a prefix"),
        pytest.param("icd10cm|H401190", {"glaucoma"}, id="without dots"),
        pytest.param("icd10cm|h40.1190", {"glaucoma"}, id="in small letters"),
        pytest.param("icd10cm|H40", {"glaucoma"}, id="the category itself"),
        pytest.param("icd10cm|H4", set(), id="above the prefix"),
        pytest.param("icd10cm|H40.051", set(), id="below an exception"),
        pytest.param("icd10cm|H42", set(), id="beside the prefix"),
        pytest.param("snomed|23986001", {"glaucoma"}, id="listed"),
        pytest.param("snomed|239860011", set(), id="a longer SNOMED code is another code"),
        pytest.param("icd10cm|23986001", set(), id="the same code of another system"),
        pytest.param("snomed|H40.1190", set(), id="a family belongs to its system"),
        pytest.param("|H40.1190", set(), id="without a system"),
        pytest.param("icd10cm|S44.00XS", {"nerve_pain"}, id="a sequela by its seventh character"),
        pytest.param("icd10cm|S44.00XA", {"injury"}, id="not a sequela by its seventh character"),
        pytest.param("icd10cm|S44", {"injury"}, id="without a seventh character"),
        pytest.param("icd10cm|T14.9", {"injury"}, id="exact code of another letter"),
        pytest.param("icd10cm|T14.91", set(), id="below an exact code"),
        pytest.param("icd10cm|", set(), id="no code"),
    ],
)
def test_a_code_is_in_the_sets_that_hold_it_by_list_or_family(code: str, expected: set[str]) -> None:
    assert expected == INDEX.sets_of(coding(code))
    assert expected == {name for name, one in SETS.items() if one.contains(coding(code))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("theophylline 200 MG Extended Release Oral Tablet", {"theophylline"}, id="a word"),
        pytest.param("THEOPHYLLINE", {"theophylline"}, id="in capitals"),
        pytest.param("Theo-24 200 mg", {"theophylline"}, id="a term with a hyphen"),
        pytest.param("(aminophylline)", {"theophylline"}, id="in brackets"),
        pytest.param("etheophylline", set(), id="the end of a word"),
        pytest.param("theophyllines", set(), id="the start of a word"),
        pytest.param("theophylline_x", set(), id="part of a name"),
        pytest.param("theo", set(), id="part of a term"),
        pytest.param("", set(), id="nothing"),
    ],
)
def test_a_word_names_a_set_only_as_a_whole(text: str, expected: set[str]) -> None:
    assert expected == INDEX.sets_named_in([text])


@pytest.mark.parametrize(
    ("codes", "text", "expected"),
    [
        (("rxnorm|10438",), "", {"theophylline"}),
        (("rxnorm|689",), "", {"theophylline"}),
        (("rxnorm|1",), "aminophylline 10 mg", {"aminophylline"}),
        ((), "Theo-24", {"theo-24"}),
        (("rxnorm|1",), "sertraline", set()),
    ],
)
def test_a_drug_is_counted_by_its_ingredient_else_by_the_word_that_names_it(
    codes: tuple[str, ...], text: str, expected: set[str]
) -> None:
    assert expected == THEOPHYLLINE.ingredients_of(concept(*codes, text=text))


@FEW
@given(st.from_regex(r"[A-Z][0-9]{2}(\.[0-9A-Z]{1,4})?", fullmatch=True))
def test_the_index_and_the_sets_agree_on_every_code(code: str) -> None:
    expected = {name for name, one in SETS.items() if one.contains(coding(f"icd10cm|{code}"))}

    assert expected == INDEX.sets_of(coding(f"icd10cm|{code}"))


@FEW
@given(st.text("abcXYZ019. ", max_size=12))
def test_writing_a_code_as_value_sets_hold_it_twice_is_writing_it_once(code: str) -> None:
    assert normalise(code) == normalise(normalise(code))


def test_an_index_without_words_names_nothing() -> None:
    assert build_index({"glaucoma": GLAUCOMA}).sets_named_in(["glaucoma"]) == frozenset()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("icd10cm|F20.0", "psychosis_active"),
        ("icd10cm|G90.511", "crps_type_1"),
        ("icd10cm|H40.1190", "glaucoma"),
        ("icd10cm|I21.3", "acute_coronary"),
        ("icd10cm|S14.109S", "sequela_codes"),
        ("icd10cm|I69.10", "sequela_codes"),
        ("icd10cm|Z83.511", "family_history_codes"),
    ],
)
def test_the_published_sets_hold_the_codes_that_the_tests_of_the_definitions_use(
    knowledge: Knowledge, code: str, expected: str
) -> None:
    assert expected in knowledge.index.sets_of(coding(code))
