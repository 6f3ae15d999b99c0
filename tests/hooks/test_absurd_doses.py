"""A dose that nobody could mean is answered like any other; what cannot be judged is said."""

import json
from collections.abc import Iterator

import pytest

from tests.hooks.bodies import bundle, draft, request
from tests.running import Json, Running, running, settings_in

ROUTES = {"2201623": "46713006", "6130": "47625008"}
"""RxNorm code of nasal esketamine and of ketamine, with the SNOMED CT code of a route."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


def _order(drug: str, unit: str) -> Json:
    """Return an order whose amount is `"AMOUNT"`, so that it can be written with any exponent."""
    quantity = {"value": "AMOUNT", "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    dosage = {
        "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk"}},
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": ROUTES[drug]}]},
        "doseAndRate": [{"doseQuantity": quantity}],
    }
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": drug}
    return draft(medicationCodeableConcept={"coding": [coding]}, dosageInstruction=[dosage])


@pytest.mark.parametrize("amount", ["280000000000000000000000000000", "1e308", "5e-324", "0", "-1e30"])
@pytest.mark.parametrize("unit", ["mg", "mg/kg"])
@pytest.mark.parametrize("drug", ROUTES)
def test_an_order_of_an_absurd_amount_is_answered(service: Running, drug: str, unit: str, amount: str) -> None:
    asked = json.dumps(request("order-sign", draftOrders=bundle(_order(drug, unit)), selections=None))

    answer = service.post(asked.replace('"AMOUNT"', amount).encode(), "ketamine-order-sign")

    assert 200 == answer.status_code
    assert answer.json()["cards"]
