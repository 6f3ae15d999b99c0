"""A card that a clinician overrode stays silent for the same facts (rules.md D-SNOOZE), by feedback over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from cds.trust.client import Caller, Client
from tests.feedback.clinic import CRPS, EYES, GLAUCOMA, INDICATION, MIND, NOON, PSYCHOSIS, Clinic, accepted, overridden
from tests.hooks.bodies import condition, infusion
from tests.running import Json, Running, running, settings_in

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


@pytest.fixture
def clinic(service: Running) -> Clinic:
    """All three cards have come, and each has been overridden."""
    clinic = Clinic(service)
    clinic.say(*map(overridden, clinic.cards().values()))
    clinic.now = NOON + MINUTE
    return clinic


def test_the_same_order_again_is_silent_but_for_what_is_critical(clinic: Clinic) -> None:
    again = clinic.cards()

    assert MIND in again
    assert set() == {EYES, INDICATION} & set(again)


def test_signing_the_same_order_is_silent_as_well(clinic: Clinic) -> None:
    assert set() == {EYES, INDICATION} & set(clinic.cards("order-sign"))


def test_the_record_says_what_stayed_silent_and_why(clinic: Clinic, service: Running) -> None:
    clinic.cards()
    record = service.records()[0]
    silent: Json = {card["topic"]: card["why"] for card in record.section("rules")["silenced"]}  # type: ignore[index, union-attr, call-overload, misc]
    earlier: Json = record.section("request")["earlier"]  # type: ignore[assignment]

    assert "overridden by the same user on 2026-02-01, and its facts have not changed" == silent[EYES]
    assert EYES in {card["topic"] for card in earlier["overridden"]}


def test_a_changed_fact_brings_the_card_back(clinic: Clinic) -> None:
    clinic.conditions = (CRPS, condition("glaucoma", "icd10cm|H40.9", "2026-02-01"), PSYCHOSIS)

    again = clinic.cards()

    assert EYES in again
    assert INDICATION not in again


@pytest.mark.parametrize(("days", "silent"), [(90, True), (91, False)])
def test_it_comes_again_after_ninety_days(clinic: Clinic, days: int, silent: bool) -> None:
    clinic.now = NOON + days * DAY

    assert silent == (EYES not in clinic.cards(order=infusion(id="draft-1", status="draft", authoredOn="2026-05-01")))


@pytest.mark.parametrize("user", ["Practitioner/omar", None])
def test_another_clinician_or_one_who_is_not_named_gets_it(clinic: Clinic, user: str | None) -> None:
    assert EYES in clinic.cards(user=user)


def test_another_route_is_another_order(clinic: Clinic) -> None:
    other = infusion(id="draft-1", status="draft", dosageInstruction=[{"text": "intramuscular"}])

    assert EYES in clinic.cards(order=other)


def test_the_same_ids_on_another_server_are_other_people(clinic: Clinic) -> None:
    clinic.server = "https://another.example/fhir"

    assert EYES in clinic.cards()


def test_what_was_accepted_in_the_end_was_not_overridden(service: Running) -> None:
    clinic = Clinic(service)
    card = clinic.cards()[EYES]
    clinic.say(overridden(card, when=NOON - MINUTE), accepted(card))
    clinic.now = NOON + MINUTE

    assert EYES in clinic.cards()


def test_feedback_that_comes_late_counts_from_when_it_happened(service: Running) -> None:
    clinic = Clinic(service)
    clinic.say(overridden(clinic.cards()[EYES], when=NOON - 91 * DAY))
    clinic.now = NOON + MINUTE

    assert EYES in clinic.cards()


def test_feedback_of_a_user_who_was_not_named_silences_nothing(service: Running) -> None:
    clinic = Clinic(service)
    clinic.say(overridden(clinic.cards(user=None)[EYES]))
    clinic.now = NOON + MINUTE

    assert EYES in clinic.cards(user=None)


def test_what_another_client_says_of_a_card_is_an_orphan_and_silences_nothing(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = Clinic(service)
    card = clinic.cards()[EYES]
    with monkeypatch.context() as patch:
        patch.setattr("cds.app.feedback.caller_of", lambda _: Caller(Client("another-hospital")))
        answer = clinic.say(overridden(card))
    record = clinic.feedback()[0]
    clinic.now = NOON + MINUTE

    assert (200, "another-hospital") == (answer.status_code, json.loads(json.dumps(record.envelope))["client"]["id"])
    assert "about" not in record.envelope
    assert EYES in clinic.cards()


def test_feedback_on_one_patient_says_nothing_of_another(clinic: Clinic, service: Running) -> None:
    other = replace(Clinic(service), conditions=(CRPS, GLAUCOMA), now=clinic.now)

    assert EYES in other.cards()
