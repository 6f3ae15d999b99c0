"""A9: Extensions."""

import re

import pytest

from cds.hooks import decode
from tests.conformance.calls import asked, much_found
from tests.conformance.exchange import Exchange
from tests.conformance.mutations import cards, having, put, services, turned_red_by, where

CANARY = "Ward 7 canary"
EPIC = {
    "com.epic.cdshooks.request.bpa-trigger-action": "17",
    "com.epic.cdshooks.request.cds-hooks-spec-version": CANARY,
}


@pytest.mark.requirement(62)
@turned_red_by("a list as in FHIR", cards(put(extension=[{"url": "https://x.example"}])))
@turned_red_by("a name that anybody may use", cards(put(extension={"record": "1"})))
@turned_red_by("an extension that holds nothing", services(put(extension={"org.ketamine-cds": {}})))
def test_our_extensions_are_objects_under_a_name_of_our_own(exchange: Exchange) -> None:
    answered = exchange.post(much_found(exchange)).cards()
    extensions = [thing.get("extension") for thing in (*answered, *exchange.services())]

    assert len(extensions) > 3
    for extension in extensions:
        assert isinstance(extension, dict)
        assert [] == [name for name in extension if not re.fullmatch(r"[a-z]+(\.[a-z\-]+)+", name)]
        assert all(isinstance(value, dict) and value for value in extension.values())


@pytest.mark.requirement(62)
@turned_red_by("a refusal of what is not known", where(200, status=400))
@turned_red_by("a record that does not say so", having(decode, "_extensions", lambda _: {}))
@turned_red_by("a record that keeps all of it", having(decode, "_extensions", lambda _: dict(EPIC)))
def test_an_extension_of_a_request_is_ignored_and_named_in_the_record(exchange: Exchange) -> None:
    """Its content is the EHR's own: the record keeps its name and a digest."""
    for extension in (EPIC, [EPIC], "text"):
        assert exchange.post(asked(exchange) | {"extension": extension}).cards()
    assert exchange.post(asked(exchange) | {"extension": EPIC}).cards()
    notes = exchange.notes()

    assert [] == [name for name in EPIC if name not in notes]
    assert CANARY not in notes
