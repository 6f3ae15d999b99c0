"""A recorded decision can be made again from its record alone, byte for byte."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from cds.audit.members import child
from cds.audit.queries import LogReader
from cds.audit.stored_record import StoredRecord
from cds.cli import main
from cds.ehr import read_bundles, read_order, request_for
from cds.engine.withhold import PATIENT_VIEW
from cds.hooks.prefetch import templates
from cds.hooks.services import SERVICES
from cds.hooks.wire import NO_CARDS
from cds.service.replay import Replay, ReplayOutcome, replay
from tests.running import Running, running, settings_in

FIXTURES = Path(__file__).parents[1] / "fhir_fixtures"
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def bodies(templates_of: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield service and body of many calls: every fixture patient with every order, and every odd request."""
    bundles = list(read_bundles([FIXTURES / "patients"]))
    orders = [read_order(path) for path in sorted((FIXTURES / "orders").glob("*.json"))]
    for service in SERVICES.values():
        for bundle, order in product(bundles, [None] if service.hook == PATIENT_VIEW else orders):
            yield service.id, json.dumps(request_for(bundle, order, service.hook, templates_of)).encode()
    for path in sorted((FIXTURES / "hooks").glob("*.request.json")):
        service_id = "ketamine-order-sign" if "order-sign" in path.name else "ketamine-order-select"
        yield service_id, path.read_bytes()


def fill(service: Running) -> None:
    """Make every call twice: at the second one some cards stay silent, because they were just shown."""
    offered = templates(service.app.state.ports.knowledge)
    for _, (service_id, body) in product(range(2), bodies(dict(offered))):
        assert service.post(body, service_id).status_code in {200, 400, 412}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a service in Britain that answered all of them."""
    folder = tmp_path_factory.mktemp("log")
    with running(settings_in(folder, clock=NOON, country="GB", time_zone="Europe/London")) as service:
        fill(service)
        return service.database


def replays(database: Path) -> Iterator[tuple[StoredRecord, Replay]]:
    with LogReader(database) as log:
        for entry in log.list(limit=100_000):
            record = log.find(str(entry.seq))
            yield record, replay(record, log.knowledge)


def test_every_decision_comes_out_as_it_was_recorded(database: Path) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for record, done in replays(database):
        outcomes[str(record.envelope["outcome"]), done.outcome.value] += 1
        assert () == done.difference, record.seq

    assert {
        ("cards", "identical"), ("no-cards", "identical"), ("not-applicable", "identical"), ("error", "cannot tell"),
    } == set(outcomes)  # fmt: skip
    assert outcomes["cards", "identical"] > 100


def test_silenced_cards_and_suggestions_are_among_what_is_replayed(database: Path) -> None:
    """Else their inputs might be missing from the record without anyone noticing."""
    with LogReader(database) as log:
        records = [log.find(str(entry.seq)) for entry in log.list(limit=100_000)]

    assert any(record.section("rules").get("silenced") for record in records)
    assert any(record.section("request").get("drafts") for record in records)
    assert any(record.section("request").get("earlier") for record in records)


def first(database: Path, outcome: str) -> StoredRecord:
    with LogReader(database) as log:
        return next(
            log.find(str(entry.seq)) for entry in log.list(limit=100_000) if entry.envelope["outcome"] == outcome
        )


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    (tmp_path / "record.sqlite").write_bytes(database.read_bytes())
    return tmp_path / "record.sqlite"


def change(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement, values)


@pytest.mark.parametrize("name", ["request", "facts", "rules", "cards"])
def test_a_redacted_decision_cannot_be_told(copy: Path, name: str) -> None:
    number = first(copy, "cards").seq
    change(copy, "DELETE FROM section WHERE seq = ? AND name = ?", number, name)

    assert Replay(ReplayOutcome.CANNOT_TELL, f"Redacted: {name}.") == replayed(copy, number)


def replayed(database: Path, number: int) -> Replay:
    with LogReader(database) as log:
        return replay(log.find(str(number)), log.knowledge)


def test_a_decision_without_its_knowledge_cannot_be_told(copy: Path) -> None:
    change(copy, "DELETE FROM knowledge")

    assert ReplayOutcome.CANNOT_TELL == replayed(copy, first(copy, "cards").seq).outcome


def test_an_altered_decision_cannot_be_told(copy: Path) -> None:
    number = first(copy, "cards").seq
    change(copy, "UPDATE section SET salt = zeroblob(32) WHERE seq = ? AND name = 'facts'", number)

    assert ReplayOutcome.CANNOT_TELL == replayed(copy, number).outcome


def test_a_call_in_shadow_mode_is_compared_with_what_would_have_been_sent(database: Path) -> None:
    record = first(database, "cards")
    shadow = {**record.sections, "cards": NO_CARDS, "shadow": record.sections["cards"]}
    committed = {**child(record.envelope, "sections"), "shadow": ""}
    with LogReader(database) as log:
        in_shadow = StoredRecord(record.seq, {**record.envelope, "sections": committed}, shadow)
        done = replay(in_shadow, log.knowledge)

    assert Replay(ReplayOutcome.IDENTICAL) == done


def test_a_difference_is_shown_line_by_line(database: Path) -> None:
    """As if another version of the program had decided."""
    record = first(database, "cards")
    sections = {**record.sections, "cards": record.sections["cards"].replace(b"indicator", b"indicated")}
    with LogReader(database) as log:
        done = replay(StoredRecord(record.seq, record.envelope, sections), log.knowledge)

    assert ReplayOutcome.DIFFERENT == done.outcome
    assert any(line.startswith("-") and "indicated" in line for line in done.difference)
    assert any(line.startswith("+") and "indicator" in line for line in done.difference)


def test_a_record_that_this_version_cannot_read_is_different_and_says_so(database: Path) -> None:
    record = first(database, "cards")
    sections = {**record.sections, "facts": b'{"facts":[{"factType":"unheard of"}]}'}
    with LogReader(database) as log:
        done = replay(StoredRecord(record.seq, record.envelope, sections), log.knowledge)

    assert (ReplayOutcome.DIFFERENT, "This version cannot read the record (KeyError).") == (done.outcome, done.why)


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [("cards", 0, "identical."), ("not-applicable", 0, "identical."), ("error", 3, "cannot tell. It is no decision.")],
)
def test_the_command_says_in_words_and_status_what_came_of_it(
    database: Path, outcome: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = str(first(database, outcome).seq)
    typed = main(["log", "replay", number, "--database", str(database)])
    printed = capsys.readouterr().out
    main(["log", "replay", number, "--database", str(database), "--json"])

    assert status == typed
    assert f"Record {number}: {words}\n" == printed
    assert words.startswith(json.loads(capsys.readouterr().out)["outcome"])


def test_another_version_of_the_program_is_named(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cds.__version__", "9.9.9")
    main(["log", "replay", str(first(database, "cards").seq), "--database", str(database)])

    assert "replayed by version 9.9.9." in capsys.readouterr().out
