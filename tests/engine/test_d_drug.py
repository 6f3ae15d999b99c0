"""D-DRUG: which of the two drugs is ordered, by code or by words, and which kind of esketamine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.derive.drug import recognise
from cds.engine.facts import Concept
from cds.engine.order import Drug, Route
from cds.engine.rules import Knowledge
from tests.engine.ask import FEW, published
from tests.engine.build import ESKETAMINE, KETAMINE, concept, order

NASAL, INJECTED, RACEMIC = Drug.ESKETAMINE_NASAL, Drug.ESKETAMINE_INJECTABLE, Drug.KETAMINE


def drug_of(knowledge: Knowledge, named: Concept | str, **parts: str) -> Drug | None:
    """Return which drug an order names."""
    match = recognise(order(named, **parts), knowledge)  # type: ignore[arg-type]
    return match.drug if match else None


@pytest.mark.parametrize(
    "text",
    [
        "ketamine",
        "KETAMINE 50 MG/ML",
        "Ketaminhydrochlorid 500 mg",
        "kétamine",
        "Kétamine Panpharma 250 mg/5 ml",
        "ketamine hydrochloride",
        "Ketalar",
        "Ketalar 50 mg/ml",
        "Ketanest",
        "0.5 mcg/s ketamine",
        "patient's ketamine",
        "patient\u2019s ketamine",
        "mcg/s ketamine infusion",
        "Ketamine (no esketamine)",
        "ketamine, not esketamine",
        "ketamine without esketamine",
        "racemic ketamine (R/S)-ketamine",
        "ketamine 50 mg/mL injectable solution",
        "esketamine-free ketamine",
    ],
)
def test_ketamine_is_recognised_in_words(knowledge: Knowledge, text: str) -> None:
    assert RACEMIC is drug_of(knowledge, text)


@pytest.mark.parametrize(
    "text",
    [
        "esketamine",
        "Esketamine 28 mg",
        "Esketaminhydrochlorid",
        "eskétamine",
        "S(+)-ketamine",
        "S(+) ketamine",
        "(S)-ketamine",
        "S-ketamine",
        "s-Ketamine 25 mg",
        "S ketamine",
        "s+ ketamine",
        "Spravato",
        "SPRAVATO 56 mg",
        "Ketanest S",
        "Ketanest-S 25",
        "ketanest   s",
        "esketamine (ketamine enantiomer)",
        "ketamine enantiomer: esketamine",
    ],
)
def test_esketamine_is_recognised_in_words_and_before_ketamine(knowledge: Knowledge, text: str) -> None:
    assert drug_of(knowledge, text, route="nasal") is NASAL


@pytest.mark.parametrize(
    "text",
    [
        "norketamine",
        "dehydronorketamine",
        "ketamine-free anaesthesia",
        "esketamine-free",
        "ketoprofen 100 mg",
        "ketorolac 30 mg/mL",
        "ketotifen eye drops",
        "ketoconazole 200 mg",
        "no ketamine",
        "not ketamine",
        "without ketamine",
        "propofol, avoid ketamine",
        "propofol (allergic to ketamine)",
        "propofol; allergy to kétamine",
        "propofol, allergies: ketamine-free",
        "allergic ketamine",
        "no esketamine",
        "midazolam",
        "",
    ],
)
def test_another_drug_or_a_denial_is_not_recognised(knowledge: Knowledge, text: str) -> None:
    """Rule RG-0: such an order is answered with no card at all."""
    assert drug_of(knowledge, text) is None


@pytest.mark.parametrize(
    ("codes", "text", "expected"),
    [
        pytest.param([KETAMINE], "", RACEMIC, id="ketamine by its ingredient code"),
        pytest.param(["atc|N01AX03"], "", RACEMIC, id="ketamine by its ATC code"),
        pytest.param(["snomed|333847008"], "", RACEMIC, id="ketamine by its SNOMED code"),
        pytest.param([ESKETAMINE], "", NASAL, id="esketamine by its ingredient code"),
        pytest.param([KETAMINE, ESKETAMINE], "", NASAL, id="esketamine is tested before ketamine"),
        pytest.param([KETAMINE], "Spravato", RACEMIC, id="words count only where no code is known"),
        pytest.param(["rxnorm|999999"], "ketamine 50 MG/ML Injectable Solution", RACEMIC, id="unknown code, by words"),
        pytest.param(["rxnorm|36437"], "sertraline", None, id="another drug's code"),
        pytest.param(["rxnorm|999999"], "", None, id="an unknown code without words"),
    ],
)
def test_a_known_code_decides_else_the_words_do(
    knowledge: Knowledge, codes: list[str], text: str, expected: Drug | None
) -> None:
    assert expected is drug_of(knowledge, concept(*codes, text=text))


def test_the_display_of_an_unknown_code_is_read(knowledge: Knowledge) -> None:
    unknown = concept("rxnorm|999999", display="ketamine 50 MG/ML Injectable Solution")

    match = recognise(order(unknown), knowledge)

    assert match is not None
    assert (RACEMIC, "match=text ketamine") == (match.drug, match.found)


def test_a_match_by_code_names_the_code(knowledge: Knowledge) -> None:
    match = recognise(order(KETAMINE), knowledge)

    assert match is not None
    assert match.found == "code http://www.nlm.nih.gov/research/umls/rxnorm|6130"


def test_esketamine_in_any_of_the_words_comes_before_ketamine_in_another(knowledge: Knowledge) -> None:
    """The text says ketamine, the display of the product names the esketamine."""
    both = concept("local|1", text="Ketamine treatment, nasal", display="Spravato 28 mg")

    assert drug_of(knowledge, both) is NASAL


@pytest.mark.parametrize(
    ("ingredient", "expected"),
    [
        pytest.param(concept(KETAMINE), RACEMIC, id="by code"),
        pytest.param(concept(ESKETAMINE), NASAL, id="esketamine by code"),
        pytest.param(concept(text="ketamine hydrochloride"), RACEMIC, id="by words"),
        pytest.param(concept("rxnorm|36437", display="sertraline"), None, id="another drug"),
    ],
)
def test_the_ingredients_of_a_resolved_product_are_looked_at(
    knowledge: Knowledge, ingredient: Concept, expected: Drug | None
) -> None:
    match = recognise(order(concept(text="Pharmacy mixture 17"), ingredients=(ingredient,)), knowledge)

    assert expected is (match.drug if match else None)


@pytest.mark.parametrize(
    ("text", "parts", "expected", "route"),
    [
        pytest.param("esketamine", {}, NASAL, Route.NASAL, id="neither route nor form: nasal"),
        pytest.param("Spravato", {}, NASAL, Route.NASAL, id="the nasal product"),
        pytest.param("Spravato 140 mg/ml", {}, NASAL, Route.NASAL, id="the nasal product, whatever its strength says"),
        pytest.param("esketamine 28 mg", {"route": "Nasal"}, NASAL, Route.NASAL, id="nasal route"),
        pytest.param("esketamine", {"form": "nasal spray"}, NASAL, Route.NASAL, id="nasal product form"),
        pytest.param("esketamine", {"text": "2 sprays in each nostril"}, NASAL, Route.NASAL, id="dosage says spray"),
        pytest.param("esketamine 5 mg/ml", {"route": "nasal"}, NASAL, Route.NASAL, id="the route outweighs the words"),
        pytest.param("esketamine", {"route": "IV"}, INJECTED, Route.INTRAVENOUS, id="intravenous"),
        pytest.param("esketamine", {"route": "IM"}, INJECTED, Route.INTRAMUSCULAR, id="intramuscular"),
        pytest.param("esketamine", {"route": "SC"}, INJECTED, Route.SUBCUTANEOUS, id="subcutaneous"),
        pytest.param("esketamine inj", {}, INJECTED, Route.UNKNOWN, id="the word inj"),
        pytest.param("esketamine injection", {}, INJECTED, Route.UNKNOWN, id="the word injection"),
        pytest.param("esketamine 25 mg/ml", {}, INJECTED, Route.UNKNOWN, id="a strength in mg/ml"),
        pytest.param("esketamine 25mg/mL", {}, INJECTED, Route.UNKNOWN, id="a strength in mg/mL, written together"),
        pytest.param("esketamine ampoule", {}, INJECTED, Route.UNKNOWN, id="an ampoule"),
        pytest.param("esketamine 5 ml vial", {}, INJECTED, Route.UNKNOWN, id="a vial"),
        pytest.param("Ketanest S", {}, INJECTED, Route.UNKNOWN, id="Ketanest S"),
        pytest.param("esketamine", {"form": "solution for injection"}, INJECTED, Route.UNKNOWN, id="injectable form"),
        pytest.param("esketamine", {"route": "oral"}, RACEMIC, Route.ORAL, id="oral esketamine is treated as ketamine"),
        pytest.param("esketamine", {"route": "SL"}, RACEMIC, Route.SUBLINGUAL, id="sublingual, treated as ketamine"),
    ],
)
def test_esketamine_is_nasal_injectable_or_treated_as_ketamine_by_its_route(
    knowledge: Knowledge, text: str, parts: dict[str, str], expected: Drug, route: Route
) -> None:
    match = recognise(order(text, **parts), knowledge)  # type: ignore[arg-type]

    assert match is not None
    assert (expected, route) == (match.drug, match.route)


@pytest.mark.parametrize("text", ["ketamine cream 10 %", "Ketamine 5% topical gel", "esketamine ointment"])
def test_a_topical_product_is_answered_like_no_ketamine_at_all(knowledge: Knowledge, text: str) -> None:
    assert drug_of(knowledge, text) is None


@FEW
@given(st.text("abcdefghij 0123456789.,/%-", max_size=40))
def test_a_text_without_the_name_is_never_recognised(text: str) -> None:
    assert drug_of(published(), text) is None


@FEW
@given(st.text("abdfghijlm 0123456789.,%", max_size=20), st.text("abdghijlm 0123456789,%", max_size=20))
def test_ketamine_among_other_words_is_recognised(before: str, after: str) -> None:
    assert drug_of(published(), f"{before} ketamine {after}", route="IV") is RACEMIC
