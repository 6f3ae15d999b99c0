"""docs/integrators.md: its commands do what it says, and its tables are those of the knowledge."""

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds.cli import main
from cds.ehr import Json, request_for
from cds.fhir.shift import as_of
from cds.hooks.prefetch import templates
from cds.knowledge.load import load_knowledge
from cds.knowledge.pages.markdown import slug
from tests.docs.page_commands import Step, missing, steps_of
from tests.docs.terminal_session import session
from tests.fetch.fault_server import fault_server
from tests.response_checker import Answered
from tests.watching import see
from tools.integrator_tables import PAGE, TABLES, with_tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def _curl() -> None:
    """Skip without curl, or fail where nothing may be skipped."""
    if shutil.which("curl"):
        return
    if os.environ.get("CDS_REQUIRE_SHARED") == "1":
        pytest.fail("curl is not installed")
    pytest.skip("curl is not installed")


@pytest.mark.usefixtures("_curl")
def test_an_analyst_who_types_the_commands_sees_what_the_page_says(tmp_path: Path) -> None:
    """In their order, from registering an EHR to a refused token that the log explains."""
    steps = steps_of(PAGE)

    with fault_server() as fhir, session(tmp_path, fhir.base) as terminal:
        fhir.held |= _held("boris")
        for step in steps:
            printed = terminal.type(step)
            _have_judged(step, printed)
            assert "" == missing(step.printed, printed), f"line {step.line} printed:\n{printed}"
            assert "" == missing(step.logged, terminal.logged()), f"line {step.line} logged:\n{terminal.logged()}"

    assert len(steps) >= 9


def _have_judged(step: Step, printed: str) -> None:
    """Have what curl brought judged like every other answer of the service."""
    address = re.search(r"curl .*?(/cds-services\S*)", step.script)
    if address and printed.startswith("{"):
        method = "POST" if "--data" in step.script else "GET"
        see(Answered(method, address[1], 200, {"content-type": "application/json"}, printed.encode()))


def _held(patient: str) -> dict[str, Json]:
    """Return what a FHIR server that holds a patient of the fixtures answers today, by query."""
    bundle = json.loads((ROOT / "fhir_fixtures" / "patients" / f"{patient}.json").read_bytes())
    asked = templates(load_knowledge(ROOT / "cards"))
    today = datetime.now(UTC).date()
    sent = request_for(as_of(bundle, today), None, "patient-view", asked)["prefetch"]
    return {asked[key].replace("{{context.patientId}}", patient): held for key, held in sent.items()}


def test_commands_that_nobody_runs_are_refused(tmp_path: Path) -> None:
    """A block without a mark would be a command that can be wrong unnoticed."""
    page = tmp_path / "page.md"
    page.write_text("Type:\n\n```sh\ncds serve\n```\n", encoding="utf-8")

    with pytest.raises(ValueError, match="line 3"):
        steps_of(page)


def test_the_tables_of_the_page_are_those_of_the_knowledge() -> None:
    """Else: python -m tools.integrator_tables."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == with_tables(page, load_knowledge(ROOT / "cards"))


def test_every_table_stands_on_the_page_once() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert sorted(TABLES) == sorted(re.findall(r"<!-- table: ([a-z-]+) -->", page))


def test_the_page_names_every_option_of_a_registration(capsys: pytest.CaptureFixture[str]) -> None:
    """An option that is not on the page is one that nobody finds."""
    with pytest.raises(SystemExit):
        main(["client", "add", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--clients"}
    page = PAGE.read_text(encoding="utf-8")

    assert options
    assert [] == sorted(option for option in options if f"`{option}" not in page)


def test_links_on_the_page_lead_somewhere() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = {slug(line) for line in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", page) if not target.startswith("http")]
    broken = [
        target
        for target in targets
        if not (target[1:] in headings if target.startswith("#") else (PAGE.parent / target.partition("#")[0]).exists())
    ]

    assert [] == broken
