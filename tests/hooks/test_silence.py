"""A card that informs is not repeated to the same clinician for the same facts; a warning is (rules.md D-SNOOZE)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from cds.errors import AuditError
from tests.hooks.bodies import body, condition, infusion, observation, request, searchset, whole_record
from tests.response_checker import response_violations
from tests.running import Json, Running, running, settings_in

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
CRPS = condition("crps", "icd10cm|G90.511", "2024-05-01")
GLAUCOMA = condition("glaucoma", "icd10cm|H40.9", "2021-03-02")
PSYCHOSIS = condition("psychosis", "icd10cm|F29", "2026-01-31")
NADIA = "Practitioner/nadia"
INDICATION, EYES, MIND, LIVER = "KETCRPS1I", "KETIOP1W", "KETPSYCHOSIS1C", "KETLFT1I"
PATIENTS = (f"patient-{number}" for number in count())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


class Clinic:
    """One patient whose order is selected and signed, and the clinicians who do it."""

    def __init__(self, service: Running) -> None:
        self._service = service
        self._patient = next(PATIENTS)
        self._keys = list(service.client.get("/cds-services").json()["services"][0]["prefetch"])
        self.conditions: tuple[Json, ...] = (CRPS, GLAUCOMA, PSYCHOSIS)
        self.laboratory: tuple[Json, ...] = ()
        self.server = "https://ehr.example/fhir"

    def call(self, hook: str, at: datetime, user: str | None = NADIA, order: Json | None = None) -> set[str]:
        """Return the topics of the cards that come."""
        ports = self._service.app.state.ports
        self._service.app.state.ports = replace(ports, clock=lambda: at)
        drug = {"resourceType": "Bundle", "entry": [{"resource": order or _draft()}]}
        tried = (_tried("gabapentin"), _tried("duloxetine"))
        found = {
            "conditions": searchset(*self.conditions),
            "medications": searchset(*tried),
            "laboratory": searchset(*self.laboratory),
        }
        sent = request(hook, draftOrders=drug, userId=user) | {"fhirServer": self.server}
        sent |= {"prefetch": whole_record(self._keys, **found)}
        written = body(sent).replace(b"amara", self._patient.encode())
        answer = self._service.post(written, f"ketamine-{hook}").json()
        assert [] == response_violations(answer)
        return {card["source"]["topic"]["code"] for card in answer["cards"]}

    def record(self) -> Json:
        """Return what the newest record says of cards."""
        rules: Json = self._service.records()[0].section("rules")
        return rules


def _draft() -> Json:
    return infusion(id="draft-1", status="draft", authoredOn="2026-02-01")


def _tried(drug: str) -> Json:
    supply = {"expectedSupplyDuration": {"value": 90, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}
    medication = {"medicationCodeableConcept": {"text": drug}, "dispenseRequest": supply}
    return infusion(id=drug, status="completed", authoredOn="2025-06-01", dosageInstruction=[]) | medication


@pytest.fixture
def clinic(service: Running) -> Clinic:
    return Clinic(service)


def test_what_informed_when_the_order_was_selected_is_not_repeated_when_it_is_signed(clinic: Clinic) -> None:
    """The warning is, and the critical card: signing is where they must be seen."""
    selected = clinic.call("order-select", NOON)
    signed = clinic.call("order-sign", NOON + timedelta(minutes=20))

    assert {INDICATION, EYES, MIND} <= selected
    assert {EYES, MIND} == signed & {INDICATION, EYES, MIND}


def test_the_record_names_the_card_that_stayed_silent_and_why(clinic: Clinic) -> None:
    clinic.call("order-select", NOON)
    clinic.call("order-sign", NOON + timedelta(minutes=20))
    silent = [card for card in clinic.record()["silenced"] if card["topic"] == INDICATION]
    why = "sent to the same user a short time ago, and its facts have not changed"

    assert [why] == [card["why"] for card in silent]
    assert [("info", "ketamine", "intravenous")] == [(card["level"], card["drug"], card["route"]) for card in silent]
    assert INDICATION not in [card["topic"] for card in clinic.record()["cards"]]


def test_what_was_sent_before_is_recorded_as_an_input_of_the_decision(clinic: Clinic, service: Running) -> None:
    clinic.call("order-select", NOON)
    clinic.call("order-sign", NOON + timedelta(minutes=20))
    earlier: Json = service.records()[0].section("request")["earlier"]  # type: ignore[assignment]

    assert {(INDICATION, "2026-02-01T12:00:00+00:00")} <= {(card["topic"], card["at"]) for card in earlier["sent"]}


@pytest.mark.parametrize("minutes", [60, 61])
def test_it_is_said_again_after_more_than_an_hour(clinic: Clinic, minutes: int) -> None:
    clinic.call("order-select", NOON)

    again = clinic.call("order-sign", NOON + timedelta(minutes=minutes))

    assert (minutes > 60) == (INDICATION in again)


def test_a_card_that_stayed_silent_does_not_count_as_sent(clinic: Clinic) -> None:
    """Else a clinician who signs every half hour would never see it again."""
    clinic.call("order-select", NOON)
    half = clinic.call("order-sign", NOON + timedelta(minutes=40))
    after = clinic.call("order-sign", NOON + timedelta(minutes=80))

    assert [False, True] == [INDICATION in half, INDICATION in after]


def test_an_order_that_is_selected_again_is_answered_in_full(clinic: Clinic) -> None:
    """While choosing, the EHR shows only the newest answer: a card that is left out would vanish from the screen."""
    first = clinic.call("order-select", NOON)

    assert first == clinic.call("order-select", NOON + timedelta(minutes=1))


@pytest.mark.parametrize("user", ["Practitioner/omar", None])
def test_another_clinician_or_one_who_is_not_named_gets_every_card(clinic: Clinic, user: str | None) -> None:
    clinic.call("order-select", NOON, user)
    clinic.call("order-select", NOON)

    assert INDICATION in clinic.call("order-sign", NOON + timedelta(minutes=1), user="Practitioner/paula")
    assert (user is None) == (INDICATION in clinic.call("order-sign", NOON + timedelta(minutes=2), user))


def test_another_patient_is_another_story(clinic: Clinic, service: Running) -> None:
    clinic.call("order-select", NOON)

    assert INDICATION in Clinic(service).call("order-sign", NOON + timedelta(minutes=1))


def test_the_same_ids_on_another_server_are_other_people(clinic: Clinic) -> None:
    clinic.call("order-select", NOON)
    clinic.server = "https://another.example/fhir"

    assert INDICATION in clinic.call("order-sign", NOON + timedelta(minutes=1))


def test_a_changed_fact_brings_the_card_back(clinic: Clinic) -> None:
    clinic.conditions = (CRPS,)
    clinic.call("order-select", NOON)
    clinic.conditions = (condition("crps", "icd10cm|G90.512", "2024-05-01"),)

    assert INDICATION in clinic.call("order-sign", NOON + timedelta(minutes=1))


def test_another_value_of_the_same_measurement_brings_the_card_back(clinic: Clinic) -> None:
    """Alanine aminotransferase above three times the limit of 40 U/L informs, at 150 as at 155: but 155 is news."""
    shown: list[bool] = []
    for hook, value in (("order-select", 150), ("order-sign", 150), ("order-sign", 155)):
        clinic.laboratory = (observation("alt", "loinc|1742-6", "2026-01-20", value, "U/L"),)
        shown.append(LIVER in clinic.call(hook, NOON + timedelta(minutes=len(shown))))

    assert [True, False, True] == shown


def test_another_route_is_another_order(clinic: Clinic) -> None:
    clinic.call("order-select", NOON)
    nasal = _draft() | {"dosageInstruction": [{"text": "intramuscular"}]}

    assert INDICATION in clinic.call("order-sign", NOON + timedelta(minutes=1), order=nasal)


def test_if_the_record_cannot_be_asked_every_card_is_shown(clinic: Clinic, service: Running) -> None:
    """To say something twice is better than not at all."""

    def fails(*_: object) -> None:
        raise AuditError("CDS-401", "log", "The log cannot be read.")

    clinic.call("order-select", NOON)
    before = service.app.state.ports
    service.app.state.ports = replace(before, history=fails)
    shown = clinic.call("order-sign", NOON + timedelta(minutes=1))
    service.app.state.ports = before

    assert INDICATION in shown
    notes = json.dumps(service.records()[0].section("request")["notes"])
    assert "earlier cards could not be looked up (CDS-401): none stays silent" in notes


def test_the_index_of_what_was_shown_names_nobody(service: Running, clinic: Clinic) -> None:
    clinic.call("order-select", NOON)
    with closing(sqlite3.connect(f"{service.database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT * FROM shown").fetchall()

    assert rows
    assert [] == [row for row in rows if "patient-" in str(row) or "nadia" in str(row) or "ehr.example" in str(row)]
