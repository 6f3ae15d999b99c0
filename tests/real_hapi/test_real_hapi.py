"""The main job on real input: orders for patients whose records lie in a real FHIR server.

The server is HAPI FHIR in a container beside the service (deploy/compose.yaml), or any other at CDS_TEST_FHIR_URL with
the service started here. Without an engine and without that variable the tests are skipped; with CDS_REQUIRE_DOCKER=1
they fail instead. Without ../shared there are only the fixtures.
"""

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from cds.ehr import Conversation, Json, ask, ask_about, connect, discover, read_bundles, read_order, request_for, seed
from cds.ehr.calls import call
from cds.fhir.shift import as_of
from tests.real_hapi.places import ROOT, Places

pytestmark = pytest.mark.real_hapi

FIXTURES = ROOT / "fhir_fixtures" / "patients"
SYNTHEA = sorted((ROOT.parent / "shared" / "patients").glob("*.json.gz"))[:50]
ORDER = ROOT / "fhir_fixtures" / "orders" / "ketamine_iv_infusion.json"
PAGE_SIZE = 20
"""Entries that HAPI puts on one page unless asked for more."""


@pytest.fixture(scope="module")
def patients(places: Places) -> dict[str, Json]:
    """Patient id to Bundle: all fixtures and 50 Synthea patients, loaded into the FHIR server.

    The fixtures as of today, by which the service goes. The deaths of Synthea patients are left out: an order for
    somebody recorded as dead gets no card.
    """
    places.run("seed", "--fhir", places.fhir, "--as-of", "today", str(FIXTURES))
    today = datetime.now(UTC).date()
    synthea = [_alive(bundle) for bundle in read_bundles(SYNTHEA)]
    with connect(places.fhir) as fhir:
        seed(fhir, synthea)
    fixtures = [as_of(bundle, today) for bundle in read_bundles([FIXTURES])]
    return {_patient(bundle)["id"]: bundle for bundle in [*fixtures, *synthea]}


@pytest.fixture(scope="module")
def conversations(places: Places, patients: dict[str, Json]) -> dict[str, Conversation]:
    """Patient id to what came of an order for intravenous ketamine, with the data read from the FHIR server."""
    order = read_order(ORDER)
    with connect(places.fhir) as fhir, places.calling() as service:
        return {patient: ask_about(fhir, service, patient, order, "order-select") for patient in patients}


def test_the_cards_for_data_from_the_server_are_the_cards_for_the_same_bundle(
    places: Places, patients: dict[str, Json], conversations: dict[str, Conversation]
) -> None:
    """Paging, order of results and the server's own additions to a resource make no difference."""
    order = read_order(ORDER)
    with places.calling() as service:
        templates = discover(service, "order-select").prefetch
        from_bundles = {
            patient: ask(service, request_for(bundle, order, "order-select", templates))
            for patient, bundle in patients.items()
        }

    assert {patient: _lasting(response) for patient, response in from_bundles.items()} == {
        patient: _lasting(conversation.response) for patient, conversation in conversations.items()
    }


def test_the_cards_are_the_same_where_the_service_reads_everything_itself(
    places: Places, conversations: dict[str, Conversation]
) -> None:
    """No prefetch at all: only the order and where the patient's record lies."""
    with places.calling() as service:
        found = discover(service, "order-select")
        read = {
            patient: call(service, found, _without_prefetch(conversation.request, places))
            for patient, conversation in conversations.items()
        }

    assert {patient: _lasting(conversation.response) for patient, conversation in conversations.items()} == {
        patient: _lasting(response) for patient, response in read.items()
    }


def test_nothing_but_the_encounter_is_left_out(conversations: dict[str, Conversation]) -> None:
    """The order is placed outside an encounter; every other template is filled from the server."""
    left_out = {key for conversation in conversations.values() for key in conversation.problems}

    assert {"encounter"} == left_out


@pytest.mark.usefixtures("shared_folder")
def test_the_patients_are_many_and_have_long_records(conversations: dict[str, Conversation]) -> None:
    """Otherwise the comparison would say little, and nothing about paging."""
    longest = max(
        len(resource.get("entry", []))
        for conversation in conversations.values()
        for resource in conversation.request["prefetch"].values()
    )

    assert len(conversations) > len(SYNTHEA) >= 50
    assert longest > PAGE_SIZE


def test_cards_of_every_seriousness_are_given(conversations: dict[str, Conversation]) -> None:
    """Only Oscar's order is met with silence: he is in palliative care, where nothing is left to say."""
    indicators = {
        patient: {card["indicator"] for card in conversation.response["cards"]}
        for patient, conversation in conversations.items()
    }

    assert {"critical", "warning", "info"} == set().union(*indicators.values())
    assert ["oscar"] == [patient for patient, given in indicators.items() if not given]


def test_every_call_left_a_record(places: Places, conversations: dict[str, Conversation]) -> None:
    """Also one without cards; and each card names the record of its decision."""
    named = [
        {card["extension"]["org.ketamine-cds"]["record"] for card in conversation.response["cards"]}
        for conversation in conversations.values()
    ]
    listed = places.run("log", "list", "--limit", "10000")
    head, *rows = listed.splitlines()

    assert "RECORD" in head
    assert len(rows) >= len(conversations)
    assert [] == [record for records in named for record in records if record[:8] not in listed]
    assert {0, 1} >= {len(records) for records in named}


def test_the_command_prints_the_cards_of_a_patient(places: Places, conversations: dict[str, Conversation]) -> None:
    """`cds ask` is the same conversation, for people."""
    patient, conversation = next(iter(conversations.items()))

    printed = places.run(
        *("ask", "--fhir", places.fhir, "--service", places.service, "--patient", patient, "--order", str(ORDER)),
        *places.signing,
    )

    unwrapped = " ".join(printed.split())
    assert [] == [card["summary"] for card in conversation.response["cards"] if card["summary"] not in unwrapped]


@pytest.mark.usefixtures("patients")
@pytest.mark.parametrize("options", [[], ["--no-prefetch"]], ids=["prefetch", "no-prefetch"])
def test_the_shipped_line_asks_as_the_registered_ehr(places: Places, options: list[str]) -> None:
    """Whoever types what deploy/compose.yaml says sees the card; without prefetch the service reads HAPI itself."""
    if not places.compose:
        pytest.skip("CDS_TEST_FHIR_URL is set: there are no containers")
    run, *arguments = _shipped("run --rm ask")

    printed = places.compose([run, "-T", *arguments, *options])

    assert "CRITICAL  Eye pressure 34 mm[Hg]" in printed


def test_the_record_of_all_this_verifies(places: Places, conversations: dict[str, Conversation]) -> None:
    """By the lines of deploy/compose.yaml, with the key that was made when it was brought up."""
    if not places.compose:
        pytest.skip("CDS_TEST_FHIR_URL is set: there are no containers")
    run, *arguments = _shipped("exec cds sh")

    printed = places.compose([run, "-T", *arguments])

    entries = int(printed.split(" ", 1)[0])
    assert "entries of cds.example/audit/1, unbroken since" in printed
    assert entries > len(conversations)


def _shipped(command: str) -> list[str]:
    """Return the arguments of compose in the line of deploy/compose.yaml that begins with this command."""
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^# +docker compose -f deploy/compose\.yaml ({command} .*)$", text, re.MULTILINE)
    return shlex.split(line)


def _without_prefetch(request: Json, places: Places) -> Json:
    """Return the same request without data, and with the FHIR server as the service finds it."""
    return {name: value for name, value in request.items() if name != "prefetch"} | {
        "fhirServer": places.fhir_of_service
    }


def _patient(bundle: Json) -> Json:
    found: Json = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    return found


def _alive(bundle: Json) -> Json:
    """Return the Bundle without the patient's death."""
    _patient(bundle).pop("deceasedDateTime", None)
    return bundle


def _lasting(value: object) -> object:
    """Return an answer without what is minted for every call: uuids and the record's id."""
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _lasting(item) for name, item in value.items() if name not in {"uuid", "record"}}
    return value
