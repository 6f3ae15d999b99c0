"""What stands in a record can hide nothing, turn nothing and start nothing in a terminal, a log or a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds.audit.spreadsheet import neutral_cell
from cds.audit.visible import visible
from cds.cli import main
from cds.terminal import cards_in_words
from tests.fuzz.served import Served, served
from tests.hooks.bodies import body, bundle, condition, draft, request, searchset
from tests.running import Json
from tests.text.material import HOSTILE

FORMULA = ("=", "+", "-", "@", "\t", "\r")
HOSTILE_WORDS = " ".join(HOSTILE.values())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that was sent every hostile text, as the name of a diagnosis and as words of the order."""
    with served(tmp_path_factory.mktemp("visible")) as service:
        for text in (*HOSTILE.values(), HOSTILE_WORDS):
            service.post(body(hostile_request(text)))
        yield service


def hostile_request(text: str) -> Json:
    """Return a request whose diagnosis and order hold a text; also where an id or a UUID belongs."""
    glaucoma = condition("glaucoma", "icd10cm|H40.1190", "2026-01-02")
    glaucoma["code"]["text"] = text
    order = draft(medicationCodeableConcept={"text": f"ketamine {text}"}, dosageInstruction=[{"text": text}])
    sent = request(draftOrders=bundle(order), encounterId=text, userId=text) | {"hookInstance": text}
    return sent | {"prefetch": sent["prefetch"] | {"conditions": searchset(glaucoma), text: None}}


@pytest.mark.parametrize("command", ["log list", "log show 1", "log show 110", "explain 1", "explain 110"])
def test_what_the_terminal_shows_of_a_record_hides_and_turns_nothing(
    service: Served, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([*command.split(), "--database", str(service.folder / "record" / "record.sqlite")])
    shown = capsys.readouterr()

    assert 0 == status
    assert shown.out
    assert _is_printable(shown.out + shown.err)


def test_cards_in_a_terminal_hide_and_turn_nothing(service: Served) -> None:
    answers = [service.post(body(hostile_request(text))).json() for text in (*HOSTILE.values(), HOSTILE_WORDS)]
    shown = [cards_in_words(answer, 80) for answer in answers]

    assert all("cards" in answer for answer in answers)
    assert [] == [text for text in shown if not _is_printable(text)]


def test_a_line_of_the_operational_log_is_one_line_of_plain_json(service: Served) -> None:
    lines = (service.folder / "service.err").read_bytes().splitlines()

    assert len(lines) > len(HOSTILE)
    assert all(line.isascii() and json.loads(line)["event"] for line in lines)


@given(st.text())
@example("\ud800")
def test_text_that_was_made_visible_is_printable(text: str) -> None:
    assert visible(text).isprintable()


@given(st.sampled_from(FORMULA) | st.sampled_from(["", " ", "\u00a0"]), st.text(), st.sampled_from(FORMULA))
def test_no_cell_of_a_spreadsheet_begins_a_formula(before: str, text: str, sign: str) -> None:
    cell = neutral_cell(before + sign + text)

    assert [] == [part for part in cell.split(";") if part.lstrip().startswith(FORMULA)]
    assert cell.isprintable()


@given(st.text())
def test_a_cell_comes_back_from_a_csv_file_as_it_was_written(text: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerow([neutral_cell(text), "next"])

    assert [[neutral_cell(text), "next"]] == list(csv.reader(io.StringIO(written.getvalue(), newline="")))


@pytest.mark.parametrize("text", ["glaucoma", "H40.1190", "34 mm[Hg]", "", "3 - 4", "a=b", "a; b"])
def test_a_cell_that_begins_no_formula_stays_as_it_is(text: str) -> None:
    assert text == neutral_cell(text)


def _is_printable(text: str) -> bool:
    return text.replace("\n", "").isprintable()
