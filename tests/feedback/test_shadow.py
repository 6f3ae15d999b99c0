"""A hospital tries the service without showing anything: all is assessed and recorded, nothing is sent."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import timedelta

import pytest

from cds.cli import main
from tests.feedback.clinic import CRPS, EYES, GLAUCOMA, MIND, NOON, Clinic, overridden
from tests.feedback.hospitals import Hospitals, two_hospitals
from tests.hooks.bodies import body, draft, infusion, request
from tests.running import Json

DAY = timedelta(days=1)
EYE_RULE = "raised_intraocular_pressure"
NO_CARDS: Json = {"cards": []}


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospitals]:
    with two_hospitals(tmp_path_factory.mktemp("hospitals")) as hospitals:
        yield hospitals


@pytest.fixture
def clinic(hospitals: Hospitals) -> Clinic:
    return hospitals.clinic(hospitals.shadow)


def reported(hospitals: Hospitals, command: str, *words: str) -> Json:
    out = io.StringIO()
    with redirect_stdout(out):
        assert 0 == main(["feedback", command, "--database", str(hospitals.service.database), "--json", *words])
    found: Json = json.loads(out.getvalue())
    return found


def test_no_card_is_sent_and_what_would_have_been_stands_in_the_record(clinic: Clinic, hospitals: Hospitals) -> None:
    answer = clinic.order()
    record = hospitals.service.records()[0]
    computed = json.loads(record.sections["shadow"])["cards"]

    assert (200, NO_CARDS) == (answer.status_code, answer.json())
    assert b'{"cards":[]}' == record.sections["cards"]
    assert {EYES, MIND} <= {card["source"]["topic"]["code"] for card in computed}
    assert {EYES, MIND} <= {card["topic"] for card in record.section("rules")["cards"]}  # type: ignore[index, union-attr, call-overload]
    assert (True, "shadow") == (record.envelope["shadow"], record.envelope["outcome"])
    assert 0 == sum(record.envelope["counts"]["cards"].values())  # type: ignore[index, union-attr, call-overload, arg-type]


def test_another_hospital_sees_its_cards(hospitals: Hospitals) -> None:
    assert {EYES, MIND} <= set(hospitals.clinic(hospitals.live).cards())


def test_where_a_live_call_would_be_412_the_answer_is_without_cards_and_the_record_says_why(
    clinic: Clinic, hospitals: Hospitals
) -> None:
    path = "/cds-services/ketamine-order-select"
    sent = body(request() | {"prefetch": {}})
    answer = hospitals.service.post(sent, "ketamine-order-select", **clinic.headers(path))
    record = hospitals.service.records()[0]

    assert (200, NO_CARDS) == (answer.status_code, answer.json())
    assert ("CDS-301", 200) == (record.envelope["problem"], record.envelope["httpStatus"])
    assert "OperationOutcome" == json.loads(record.sections["shadow"])["resourceType"]


def test_a_call_that_is_no_request_is_still_refused(clinic: Clinic, hospitals: Hospitals) -> None:
    """Else an integrator would take a broken EHR for a quiet one."""
    path = "/cds-services/ketamine-order-select"

    assert 400 == hospitals.service.post(b"{}", "ketamine-order-select", **clinic.headers(path)).status_code


def test_nothing_counts_as_shown(hospitals: Hospitals) -> None:
    clinic = hospitals.clinic(hospitals.shadow)
    for hook in ("order-select", "order-sign"):
        clinic.order(hook)
    record = json.loads(hospitals.service.records()[0].sections["shadow"])

    assert [] == reported(hospitals, "report", "--client", "shadow")["rows"]
    assert {"KETCRPS1I", EYES} <= {card["source"]["topic"]["code"] for card in record["cards"]}


def test_feedback_on_a_card_that_was_not_sent_is_an_orphan(hospitals: Hospitals) -> None:
    clinic = hospitals.clinic(hospitals.shadow)
    clinic.order()
    computed = json.loads(hospitals.service.records()[0].sections["shadow"])["cards"][0]
    clinic.say(overridden(computed))

    assert "about" not in clinic.feedback()[0].envelope


def test_explaining_a_shadow_call_shows_what_would_have_been_sent(clinic: Clinic, hospitals: Hospitals) -> None:
    clinic.order()
    out = io.StringIO()
    with redirect_stdout(out):
        main(["explain", str(hospitals.service.records()[0].seq), "--database", str(hospitals.service.database)])

    assert "CARDS THAT WOULD HAVE BEEN SENT (shadow mode)" in out.getvalue()


OTHER_DRUG = draft(medicationCodeableConcept={"text": "ketorolac 30 mg"})
INTRAMUSCULAR = infusion(id="draft-1", status="draft", dosageInstruction=[{"text": "intramuscular"}])


@pytest.mark.parametrize(
    ("hook", "order", "later", "following"),
    [
        ("order-sign", None, timedelta(minutes=5), "signed as it was"),
        ("order-sign", INTRAMUSCULAR, timedelta(minutes=5), "signed with another dose or route"),
        ("order-sign", OTHER_DRUG, timedelta(minutes=5), "signed without the drug"),
        ("order-select", INTRAMUSCULAR, timedelta(minutes=5), "changed, not signed"),
        ("order-select", OTHER_DRUG, timedelta(minutes=5), "taken out"),
        ("order-select", None, timedelta(minutes=5), "asked again, not signed"),
        ("order-sign", None, DAY + timedelta(minutes=5), "nothing followed"),
    ],
)
def test_the_report_says_what_was_ordered_next_without_the_card(
    hospitals: Hospitals, hook: str, order: Json | None, later: timedelta, following: str
) -> None:
    """Each case has a day of its own, a year apart, so that the report of that day is about it alone."""
    clinic = hospitals.clinic(hospitals.shadow)
    clinic.conditions = (CRPS, GLAUCOMA)
    clinic.now = began = next(DAYS)
    clinic.order()
    clinic.now += later
    clinic.order(hook, order=order)
    day = began.date().isoformat()
    report = reported(hospitals, "shadow-report", "--since", day, "--until", day, "--rule", EYE_RULE)

    assert {following: 1} == report["rules"][0]["next"]
    assert 1 == report["rules"][0]["wouldShow"]


DAYS = iter([NOON.replace(year=NOON.year + number, hour=8) for number in range(1, 20)])


def test_the_report_counts_what_would_have_been_refused(hospitals: Hospitals) -> None:
    clinic = hospitals.clinic(hospitals.shadow)
    path = "/cds-services/ketamine-order-select"
    before = reported(hospitals, "shadow-report")
    sent = body(request() | {"prefetch": {}})
    hospitals.service.post(sent, "ketamine-order-select", **clinic.headers(path))
    after = reported(hospitals, "shadow-report")

    assert (1, 1) == (after["calls"] - before["calls"], after["wouldBeRefused"] - before["wouldBeRefused"])


def test_the_table_says_the_same_in_words(hospitals: Hospitals) -> None:
    hospitals.clinic(hospitals.shadow).order()
    out = io.StringIO()
    with redirect_stdout(out):
        main(["feedback", "shadow-report", "--database", str(hospitals.service.database)])

    assert EYE_RULE in out.getvalue()
    assert "calls in shadow mode" in out.getvalue()
