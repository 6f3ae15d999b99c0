"""The command line: what is typed, what is printed, and the exit status that scripts rely on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.cli import main
from tests.hooks.bodies import body, request
from tests.running import Running, running, settings_in

HOOKS = Path(__file__).parents[1] / "fhir_fixtures" / "hooks"


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


def test_check_lists_each_rule_with_its_source_and_review(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check"])
    printed = capsys.readouterr().out

    assert 0 == status
    assert "raised_intraocular_pressure (contraindication)" in printed
    assert "Cohen 2018 (grade C)" in printed
    assert "next review" in printed


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
