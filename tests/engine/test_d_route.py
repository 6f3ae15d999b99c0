"""D-ROUTE: how the drug is given: route code, route words, dosage words, product; else unknown, treated as IV."""

import pytest

from cds.engine.derive.drug import read_route, recognise
from cds.engine.facts import Concept, Dosage
from cds.engine.order import Route
from cds.engine.rules import Knowledge, Level, OrderCriterion
from tests.engine.ask import answer, found
from tests.engine.build import KETAMINE, concept, medication, order, record


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("47625008", Route.INTRAVENOUS),
        ("78421000", Route.INTRAMUSCULAR),
        ("34206005", Route.SUBCUTANEOUS),
        ("46713006", Route.NASAL),
        ("26643006", Route.ORAL),
        ("37839007", Route.SUBLINGUAL),
        ("6064005", Route.TOPICAL),
    ],
)
def test_the_route_is_known_by_its_code(knowledge: Knowledge, code: str, expected: Route) -> None:
    route, how = read_route(order(route=f"snomed|{code}"), knowledge)

    assert (expected, f"route code {code}") == (route, how)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IV", Route.INTRAVENOUS),
        ("iv", Route.INTRAVENOUS),
        ("i.v.", Route.INTRAVENOUS),
        ("Intravenous", Route.INTRAVENOUS),
        ("intravenously over 40 min", Route.INTRAVENOUS),
        ("IM", Route.INTRAMUSCULAR),
        ("20 mg im", Route.INTRAMUSCULAR),
        ("Intramuscular", Route.INTRAMUSCULAR),
        ("SC", Route.SUBCUTANEOUS),
        ("10 mg sc", Route.SUBCUTANEOUS),
        ("subcutaneous", Route.SUBCUTANEOUS),
        ("nasal", Route.NASAL),
        ("intranasal", Route.NASAL),
        ("1 spray", Route.NASAL),
        ("oral", Route.ORAL),
        ("1 lozenge twice daily", Route.ORAL),
        ("Troche", Route.ORAL),
        ("PO", Route.ORAL),
        ("by mouth", Route.ORAL),
        ("sublingual", Route.SUBLINGUAL),
        ("SL", Route.SUBLINGUAL),
        ("apply cream", Route.TOPICAL),
        ("give slowly", Route.UNKNOWN),
        ("im Tropf", Route.UNKNOWN),
        ("privately", Route.UNKNOWN),
        ("", Route.UNKNOWN),
    ],
)
@pytest.mark.parametrize("place", ["route", "text"])
def test_the_route_is_known_by_words_of_the_route_or_the_dosage(
    knowledge: Knowledge, place: str, text: str, expected: Route
) -> None:
    route, _ = read_route(order(KETAMINE, **{place: text}), knowledge)  # type: ignore[arg-type]

    assert expected is route


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("nasal spray", Route.NASAL),
        ("oral solution", Route.ORAL),
        ("tablet", Route.ORAL),
        ("Troche", Route.ORAL),
        ("topical cream", Route.TOPICAL),
        ("solution", Route.UNKNOWN),
    ],
)
def test_the_product_says_the_route_where_the_order_does_not(knowledge: Knowledge, form: str, expected: Route) -> None:
    route, _ = read_route(order(form=form), knowledge)

    assert expected is route


@pytest.mark.parametrize(
    ("medication_order", "expected"),
    [
        pytest.param(
            order(route=concept("snomed|47625008", text="Oral")),
            Route.INTRAVENOUS,
            id="code before words",
        ),
        pytest.param(order(route="Oral", text="give IV"), Route.ORAL, id="words of the route before the dosage text"),
        pytest.param(order(text="give IV", form="nasal spray"), Route.INTRAVENOUS, id="dosage text before the product"),
        pytest.param(
            order(route=concept("snomed|999", text="Intramuscular")),
            Route.INTRAMUSCULAR,
            id="unknown code, by words",
        ),
        pytest.param(
            order(route=concept("snomed|999", display="Nasal route")), Route.NASAL, id="unknown code, by display"
        ),
        pytest.param(order(route="snomed|999"), Route.UNKNOWN, id="unknown code without words"),
        pytest.param(order(route="Epidural", text="IV flush"), Route.INTRAVENOUS, id="a word that says nothing"),
    ],
)
def test_the_nearest_statement_of_the_route_counts(
    knowledge: Knowledge, medication_order: object, expected: Route
) -> None:
    route, _ = read_route(medication_order, knowledge)  # type: ignore[arg-type]

    assert expected is route


def test_the_code_of_a_later_dosage_counts_before_words(knowledge: Knowledge) -> None:
    dosages = (Dosage(text="oral rinse before"), Dosage(route=concept("snomed|47625008")))

    route, _ = read_route(medication(KETAMINE, dosages=dosages), knowledge)

    assert route is Route.INTRAVENOUS


@pytest.mark.parametrize(
    ("route", "form"),
    [
        pytest.param("snomed|6064005", "", id="topical by code"),
        pytest.param("Topical", "", id="topical by word"),
        pytest.param("", "cream", id="a compounded cream"),
        pytest.param("apply to skin as ointment", "", id="an ointment"),
    ],
)
def test_a_topical_order_runs_no_rule_at_all(knowledge: Knowledge, route: str, form: str) -> None:
    assert recognise(order(route=route, form=form), knowledge) is None


@pytest.mark.parametrize(
    ("named", "route"),
    [(concept(KETAMINE), Route.ORAL), (concept(KETAMINE), Route.INTRAVENOUS), (concept(text="ketamine"), Route.NASAL)],
)
def test_other_routes_are_orders(knowledge: Knowledge, named: Concept, route: Route) -> None:
    match = recognise(order(named, route=route.value), knowledge)

    assert match is not None
    assert route is match.route


def test_an_unknown_route_is_asked_for_beside_intravenous(knowledge: Knowledge) -> None:
    """An incomplete order is treated as IV: the rules name both."""
    by_vein = {Level.INFO: OrderCriterion(routes=(Route.INTRAVENOUS, Route.UNKNOWN))}

    answers = [answer(found(knowledge, by_vein, record(), order(route=route))) for route in ("IV", "", "oral")]

    assert answers == ["info", "info", "not-found"]
