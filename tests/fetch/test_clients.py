"""What an operator registered for an EHR shapes how its calls are answered; the record says who called."""

from typing import Any

from cds.trust.client import Client
from tests.fetch.calls import LOCAL, ask, without_prefetch
from tests.fetch.fault_server import FaultServer, hang
from tests.running import Running


def test_what_a_client_never_sends_is_taken_as_empty_and_not_asked_for(service: Running, server: FaultServer) -> None:
    """The operator says that this EHR keeps no such data."""
    client = Client("hospital", fhir_bases=(server.base,), never_sends=frozenset({"conditions"}))

    (answer,) = ask(service, without_prefetch(server.base), client, LOCAL)
    recorded: Any = service.records()[0].section("request")["sources"]
    sources = {one["key"]: one for one in recorded}

    assert "KETNOIND1W" in answer.body.decode()
    assert b"KETGAP0W" not in answer.body
    assert [] == server.asked_for("Condition")
    assert "registered: this EHR keeps none" == sources["conditions"]["origin"]


def test_a_client_with_a_deadline_of_its_own_is_answered_by_it(service: Running, server: FaultServer) -> None:
    server.faults["Condition"] = hang

    (answer,) = ask(
        service, without_prefetch(server.base), Client("a", fhir_bases=(server.base,), deadline_ms=500), LOCAL
    )

    assert 200 == answer.status
    assert 500 > float(answer.figures["duration_ms"])


def test_the_record_says_who_called_where_data_came_from_and_how_long_it_took(
    service: Running, server: FaultServer
) -> None:
    client = Client("hospital", "https://ehr.example", "t1", "s1", fhir_bases=(server.base,))

    ask(service, without_prefetch(server.base) | {"fhirServer": None}, client, LOCAL)
    unsaid = service.records()[0].section("subject")["fhirServer"]
    ask(service, without_prefetch(server.base.upper().replace("/FHIR", "/fhir")), client, LOCAL)
    record = service.records()[0]

    assert server.base == unsaid
    assert server.base == record.section("subject")["fhirServer"]
    assert {"id": "hospital"} == record.envelope["client"]
    durations: Any = record.envelope["durationUs"]
    assert durations["beforeAppend"] == durations["fetch"] + durations["evaluate"]
    assert durations["fetch"] > 0
    assert "read from the FHIR server: 1 page in " in str(record.section("request")["sources"])
