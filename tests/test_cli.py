"""The command line: what is typed, what is printed, and the exit status that scripts rely on."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from cds.cli import asking, explaining, main
from cds.ehr import Json, connect
from cds.ehr.memory import search
from cds.ehr.seeding import resources_of
from tests.hooks.bodies import body, request
from tests.running import Running, running, settings_in

FIXTURES = Path(__file__).parents[1] / "fhir_fixtures"
HOOKS = FIXTURES / "hooks"
CASES = Path(__file__).parent / "cards"
INFUSION = str(FIXTURES / "orders" / "ketamine_iv_infusion.json")
BORIS = str(FIXTURES / "patients" / "boris.json")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


def _address(service: Running) -> str:
    return str(service.client.base_url)


@pytest.mark.parametrize(
    "command",
    [["serve"], ["demo"], ["ask"], ["seed"], ["lint"], ["check"], ["log", "list"], ["log", "show"], ["explain"]],
)
def test_every_command_tells_its_exit_statuses_and_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    printed = capsys.readouterr().out

    assert 0 == ended.value.code
    assert "Exit status: 0 " in printed
    assert f"Example:\n  cds {' '.join(command)}" in printed


def test_ask_prints_the_cards_of_a_request(service: Running, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["ask", str(HOOKS / "complete.request.json"), "--service", _address(service)])
    printed = capsys.readouterr().out

    assert 0 == status
    assert "WARNING   Glaucoma" in printed
    assert f"Record: {service.records()[0].envelope['id']}" in printed


def test_ask_sends_a_file_as_it_is_and_repeats_why_it_is_refused(
    service: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no JSON must reach the service as it is: that is what its author wants to see judged."""
    broken = tmp_path / "broken.json"
    broken.write_bytes(body(request()).replace(b'"status": "draft"', b'"status": NaN'))

    status = main(["ask", str(broken), "--service", _address(service)])

    assert 1 == status
    assert "CDS-206 HTTP 400: line 1" in capsys.readouterr().err


def test_ask_says_when_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["ask", str(HOOKS / "complete.request.json"), "--service", "http://127.0.0.1:9"])

    assert 1 == status
    assert "CDS-331" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.json", "--fhir", "http://x"], ["--fhir", "http://x", "--patient", "boris"]],
)
def test_ask_needs_either_a_request_or_a_server_a_patient_and_an_order(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["ask", *arguments])

    assert 2 == status
    assert "give either REQUEST, or --fhir, --patient and --order" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_status_2_with_a_code_to_look_up(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["ask", "nowhere.json"])
    printed = capsys.readouterr().err

    assert 2 == status
    assert "CDS-233 nowhere.json" in printed
    assert "docs/problems.md#cds-233" in printed


def test_check_lists_for_each_rule_what_it_needs_its_source_cases_and_review(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["check", "--cases", str(CASES)])
    entry = capsys.readouterr().out.partition("raised_intraocular_pressure (")[2].split("\n")[:5]

    assert 0 == status
    assert entry[0] == "CR-IOP; contraindication): Glaucoma or raised eye pressure"
    assert "conditions" in entry[1]
    assert "Cohen 2018 (grade C)" in entry[2]
    assert int(entry[3].removeprefix("    cases   ")) > 5
    assert "next 20" in entry[4]


def test_check_fails_when_a_review_is_overdue(capsys: pytest.CaptureFixture[str]) -> None:
    """Knowledge that nobody answers for any more must be seen in CI, before a clinician sees it."""
    status = main(["check", "--today", "2199-01-01"])
    printed = capsys.readouterr().out

    assert 1 == status
    assert "is overdue: " in printed


def test_check_names_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", "--knowledge", str(tmp_path)])

    assert 1 == status
    assert "This knowledge cannot be used." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("complete", 0, "Valid."),
        ("objects-where-lists-belong", 1, "The service reads it all the same."),
        ("dstu2-order", 1, "The service refuses it: CDS-217"),
    ],
)
def test_lint_tells_a_developer_what_is_not_valid_and_what_the_service_makes_of_it(
    name: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status == main(["lint", str(HOOKS / f"{name}.request.json")])
    assert words in capsys.readouterr().out


def test_the_record_is_listed_shown_and_explained(service: Running, capsys: pytest.CaptureFixture[str]) -> None:
    record = service.post(body(request())).json()["cards"][0]["extension"]["org.ketamine-cds"]["record"]
    database = ["--database", str(service.database)]

    statuses = [main([*command, *database]) for command in (["log", "list"], ["explain", record])]
    printed = capsys.readouterr().out
    shown = main(["log", "show", record[:8], *database])

    assert [0, 0, 0] == [*statuses, shown]
    assert record[:8] in printed
    assert "WHAT WAS READ" in printed
    assert record == json.loads(capsys.readouterr().out)["envelope"]["id"]


def test_a_decision_is_explained_without_a_service_and_without_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Why Boris gets a card on his eyes, and why none on his blood pressure."""
    monkeypatch.chdir(tmp_path)

    status = main(["explain", "--patient", BORIS, "--order", INFUSION, "--at", "2026-02-01"])
    printed = capsys.readouterr().out

    assert 0 == status
    assert "Decided for 2026-02-01T12:00:00+00:00" in printed
    assert "Glaucoma or raised eye pressure (contraindication: raised_intraocular_pressure)  CRITICAL" in printed
    assert "note      Blood pressure 134/82 mm[Hg] (2026-01-30): not above 180/100 mm[Hg]" in printed
    assert "1  CRITICAL  Eye pressure 34 mm[Hg]" in printed
    assert [] == list(tmp_path.rglob("*"))


def test_near_misses_are_told_of_trials_and_of_diagnoses_that_are_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An antidepressant taken long enough is one of two; a glaucoma that is resolved does not count."""
    bundle = json.loads(Path(BORIS).read_bytes())
    for entry in bundle["entry"]:
        if entry["resource"]["id"] == "boris-glaucoma":
            entry["resource"]["clinicalStatus"]["coding"][0]["code"] = "resolved"
    bundle["entry"] = [entry for entry in bundle["entry"] if "iop" not in entry["resource"]["id"]]
    changed = tmp_path / "boris.json"
    changed.write_text(json.dumps(bundle))

    status = main(["explain", "--patient", str(changed), "--order", INFUSION, "--at", "2026-02-01"])
    printed = capsys.readouterr().out

    assert 0 == status
    assert "(resolved, confirmed; Condition/boris-glaucoma): does not count here" in printed
    assert "Standard classes of pain treatment: 2 of 1" in printed


def test_what_is_explained_at_patient_view_needs_no_order(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", "--patient", BORIS, "--hook", "patient-view", "--at", "2026-02-01T09:00"])

    assert 0 == status
    assert "no active order for ketamine or esketamine is on record" in capsys.readouterr().out


def test_a_treatment_that_is_ordered_as_a_service_is_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    service = str(FIXTURES / "orders" / "ketamine_therapy_service.json")

    status = main(["explain", "--patient", BORIS, "--order", service, "--at", "2026-02-01"])

    assert 0 == status
    assert "raised_intraocular_pressure)  CRITICAL" in capsys.readouterr().out


class Server:
    """A FHIR server that holds one Bundle, and takes what it is sent."""

    def __init__(self, bundle: Path) -> None:
        self._held = resources_of(json.loads(bundle.read_bytes()))
        self.taken: list[Json] = []

    def connect(self, address: str, auth: httpx.Auth | None = None) -> httpx.Client:
        """Stand in for `cds.ehr.connect`; the service itself is called for real."""
        here = address.startswith("http://fhir.test")
        return connect(address, httpx.MockTransport(self._answer) if here else None, auth)

    def _answer(self, sent: httpx.Request) -> httpx.Response:
        if sent.method == "POST":
            self.taken.append(json.loads(sent.content))
            return httpx.Response(200, json={"resourceType": "Bundle", "type": "transaction-response"})
        query = str(sent.url.copy_with(scheme=None, host=None)).removeprefix("/fhir/")
        found = search(self._held, query)
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={})


FHIR = ["--fhir", "http://fhir.test/fhir"]


def test_what_lies_on_a_fhir_server_is_explained_as_what_lies_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explaining, "connect", Server(Path(BORIS)).connect)
    options = ["--order", INFUSION, "--at", "2026-02-01"]

    statuses = [
        main(["explain", *FHIR, "--patient", "boris", *options]),
        main(["explain", "--patient", BORIS, *options]),
    ]
    told = capsys.readouterr().out.split("Decided for ")[1:]
    verdicts = [re.findall(r"^    \S.*", one.partition("WHAT THE RULES SAID")[2], re.MULTILINE) for one in told]

    assert [0, 0] == statuses
    assert verdicts[0]
    assert verdicts[0] == verdicts[1]


def test_ask_opens_a_record_without_an_order(
    service: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tomas has been on ketamine for three weeks, and a psychosis was recorded since."""
    tomas = FIXTURES / "patients" / "tomas.json"
    monkeypatch.setattr(asking, "connect", Server(tomas).connect)

    status = main(["ask", *FHIR, "--patient", "tomas", "--hook", "patient-view", "--service", _address(service)])
    printed = capsys.readouterr().out

    assert 0 == status
    assert "CRITICAL  Active psychosis" in printed
    assert f"Source attributes: {_address(service)}/knowledge/psychosis/source-attributes" in printed


def test_ask_can_leave_it_to_the_service_to_read_the_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service may reach the FHIR server under another address than we do."""
    sent: list[Json] = []

    def answer(call: httpx.Request) -> httpx.Response:
        if call.method == "GET":
            offered = {"id": "opened", "hook": "patient-view", "prefetch": {"patient": "Patient/{{context.patientId}}"}}
            return httpx.Response(200, json={"services": [offered]})
        sent.append(json.loads(call.content))
        return httpx.Response(200, json={"cards": []})

    monkeypatch.setattr(
        asking, "connect", lambda address, auth=None: connect(address, httpx.MockTransport(answer), auth)
    )
    about = ["--patient", "tomas", "--hook", "patient-view"]

    statuses = [
        main(["ask", *FHIR, *about, "--no-prefetch", *more]) for more in ([], ["--fhir-server", "http://fhir/r4"])
    ]

    assert [0, 0] == statuses
    assert ["http://fhir.test/fhir", "http://fhir/r4"] == [request["fhirServer"] for request in sent]
    assert [] == [request for request in sent if "prefetch" in request]
    assert "" == capsys.readouterr().err


def test_seed_moves_the_dates_of_the_fixtures_so_that_what_is_recent_stays_recent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Boris' eye pressure was measured 20 days before the day for which the fixtures are written."""
    server = Server(Path(BORIS))
    monkeypatch.setattr(asking, "connect", server.connect)

    statuses = [main(["seed", *FHIR, *moved, BORIS]) for moved in ([], ["--as-of", "2026-03-01"], ["--as-of", "today"])]
    resources = [[entry["resource"] for entry in part["entry"]] for part in server.taken]
    measured = [
        date.fromisoformat(one["effectiveDateTime"][:10])
        for part in resources
        for one in part
        if one["id"] == "boris-iop-right"
    ]

    assert [0, 0, 0] == statuses
    assert [date(2026, 1, 12), date(2026, 2, 9)] == measured[:2]
    assert timedelta(days=20) <= datetime.now(UTC).date() - measured[2] <= timedelta(days=21)
    assert "boris: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either RECORD, or --patient and --order"),
        (["17", "--patient", BORIS], "give either RECORD"),
        (["--patient", BORIS], "give either RECORD"),
        (["--patient", BORIS, "--order", INFUSION, "--hook", "patient-view"], "give either RECORD"),
        (["--patient", BORIS, "--order", INFUSION, "--at", "noon"], "CDS-243"),
        (["--patient", "nobody.json", "--order", INFUSION], "CDS-231"),
    ],
)
def test_explain_says_what_it_needs(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", *arguments])

    assert 2 == status
    assert words in capsys.readouterr().err


def test_a_call_that_the_service_would_refuse_is_status_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    order = json.loads(Path(INFUSION).read_bytes())
    del order["medicationCodeableConcept"]
    unknown = tmp_path / "order.json"
    unknown.write_text(json.dumps(order | {"medicationReference": {"reference": "Medication/gone"}}))

    status = main(["explain", "--patient", BORIS, "--order", str(unknown)])

    assert 1 == status
    assert "The service would refuse this call: CDS-303" in capsys.readouterr().err


def test_a_record_that_is_not_there_is_status_2(service: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["explain", "99999", "--database", str(service.database)])
    assert "CDS-406" in capsys.readouterr().err


def test_serve_refuses_to_listen_where_strangers_could_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["serve", "--host", "0.0.0.0"])  # noqa: S104 - what is refused
    assert "CDS-240" in capsys.readouterr().err


def test_serve_that_cannot_use_its_record_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CDS_DATABASE", str(tmp_path / "record.sqlite"))
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(tmp_path / "pseudonym.key"))

    assert 2 == main(["serve", "--port", "0"])
    assert "CDS-404" in capsys.readouterr().err
