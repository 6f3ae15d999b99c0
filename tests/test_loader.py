"""What the loader makes of a folder of knowledge, and everything that it refuses, with file and line."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from cds.engine.dates import Window
from cds.engine.definitions import SnoozeDefinition
from cds.engine.logic import Verdict
from cds.engine.rules import ConditionCriterion, Level, Named, ObservationCriterion, RuleCriterion, Unless
from cds.engine.units import Quantity
from cds.errors import KnowledgeError
from cds.knowledge import check
from cds.knowledge.load import inspect, load_knowledge
from cds.knowledge.package import digest_of, package_bytes, unpack
from tests.small_package import RULE, spoil, write_package


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    return write_package(tmp_path)


@dataclass(frozen=True)
class Refusal:
    """One thing spoiled in a file, and what the loader must say: code, place and words."""

    why: str
    file: str
    old: str
    new: str
    code: str
    line: int
    says: Sequence[str]


_BECAUSE = "because:\n  - {source: cohen-2018, statement: pressure}\ncard:\n"

REFUSALS = [
    # CDS-101 to CDS-103: YAML
    Refusal("what is not YAML", RULE, "topic: KETEYE1", "topic: [KETEYE1", "CDS-101", 4, ["not YAML"]),
    Refusal("a key given twice", RULE, "version: 1", "version: 1\nversion: 2", "CDS-102", 9, ["'version'", "twice"]),
    Refusal("an unquoted date", RULE, 'on: "2026-01-15"', "on: 2026-01-15", "CDS-103", 10, ["date", '"2026-01-15"']),
    Refusal("a number that YAML reads as octal", RULE, "cohen-2018", "0123", "CDS-103", 27, ["0123", "in quotes"]),
    Refusal("on, which YAML reads as true", RULE, "title: Raised eye pressure", "title: on", "CDS-103", 2,
            ["on as a truth value", '"on"']),
    Refusal("a number where text is expected", RULE, "by: nobody yet", "by: 12", "CDS-103", 10, ["12 is not text"]),
    Refusal("a key without a value", RULE, "family: eye_pressure", "family:", "CDS-103", 6, ["no value"]),
    # CDS-104: names
    Refusal("an unknown value set", RULE, "condition: {in: glaucoma, state: active}\n    unless",
            "condition: {in: glaucom, state: active}\n    unless", "CDS-104", 18,
            ["value set 'glaucom'", "Did you mean 'glaucoma'?"]),
    Refusal("an unknown source", RULE, "source: cohen-2018", "source: cohen-2019", "CDS-104", 27,
            ["source 'cohen-2019'", "Did you mean 'cohen-2018'?"]),
    Refusal("an unknown statement", RULE, "statement: pressure", "statement: presure", "CDS-104", 27,
            ["'presure'", "Did you mean 'pressure'?"]),
    Refusal("an unknown override reason", RULE, "specialist-cleared", "specialist-clear", "CDS-104", 36,
            ["override reason 'specialist-clear'", "Did you mean 'specialist-cleared'?"]),
    Refusal("an unknown rule", "cautions/glaucoma_seen.yaml", "id: raised_eye_pressure", "id: raised_pressure",
            "CDS-104", 15, ["rule 'raised_pressure'", "Did you mean 'raised_eye_pressure'?"]),
    Refusal("a family that no rule has", RULE, "local_policy:", "joins: {info: eyes}\nlocal_policy:", "CDS-104", 24,
            ["family 'eyes'", "Did you mean 'eye'?"]),
    Refusal("a named criterion that is not there", RULE, "criterion: controlled", "criterion: controled", "CDS-104",
            19, ["'controled'", "Did you mean 'controlled'?"]),
    Refusal("an observation without a definition", "definitions.yaml", "    eye_pressure:", "    glaucoma:", "CDS-104",
            16, ["observations", "'eye_pressure'"]),
    Refusal("a value set unknown to the definitions", "definitions.yaml", "value_sets: [pain], words: [mood]",
            "value_sets: [pane], words: [mood]", "CDS-104", 20, ["value set 'pane'", "Did you mean 'pain'?"]),
    # CDS-105: form
    Refusal("a local policy whose circumstance has no name", RULE, '  - "Thresholds 21 and 30 mm[Hg]"',
            '  - {text: "Thresholds 21 and 30 mm[Hg]", when: {patient: {sex: female}}}', "CDS-105", 24, ["'where'"]),
    Refusal("an unknown key", RULE, "levels:", "levles:", "CDS-105", 14, ["'levles'", "Did you mean 'levels'?"]),
    Refusal("an unknown word of a criterion", RULE, "  info: {condition:", "  info: {diagnosis:", "CDS-105", 20,
            ["'diagnosis'"]),
    Refusal("a missing key", RULE, "version: 1\n", "", "CDS-105", 1, ["'version' is missing"]),
    Refusal("a level that does not exist", RULE, "  warning:\n    condition", "  serious:\n    condition", "CDS-105",
            17, ["'serious'"]),
    Refusal("two words in one criterion", RULE, "    unless: {criterion: controlled}",
            "    criterion: controlled", "CDS-105", 17, ["exactly one word", "condition, criterion"]),
    Refusal("two comparisons in one observation", RULE, 'above: "30 mm[Hg]",', 'above: "30 mm[Hg]", below: "9 mm[Hg]",',
            "CDS-105", 16, ["Exactly one of", "above, below"]),
    Refusal("a named criterion that is used nowhere", RULE, "    unless: {criterion: controlled}\n", "", "CDS-105", 21,
            ["'controlled' is used nowhere"]),
    Refusal("a drug that does not exist", RULE, "drugs: [ketamine]", "drugs: [esketamine]", "CDS-105", 12,
            ["'esketamine'", "Did you mean"]),
    Refusal("a look-back without its unit", RULE, 'within: "180 days", if', 'within: "180", if', "CDS-105", 16,
            ["days, months or years"]),
    Refusal("an acute diagnosis without its window", RULE, "  info: {condition: {in: glaucoma, state: active}}",
            "  info: {condition: {in: glaucoma, state: acute}}", "CDS-105", 20, ["within"]),
    Refusal("a rule without a source", RULE, "because:\n  - {source: cohen-2018, statement: pressure}\n", "", "CDS-105",
            1, ["because"]),
    Refusal("a level without its summary", RULE, '    warning: "Glaucoma"\n', "", "CDS-105", 1,
            ["no text for: warning"]),
    Refusal("a route that is missing", "definitions.yaml", "    topical: {in: routes, words: [cream]}\n", "", "CDS-105",
            11, ["topical"]),
    Refusal("a pattern that cannot be read", "definitions.yaml", "taken_out: 'no ketamine'", "taken_out: '(no'",
            "CDS-105", 3, ["regular expression"]),
    # CDS-106: thresholds
    Refusal("a threshold without its unit", RULE, 'above: "30 mm[Hg]"', 'above: "30"', "CDS-106", 16,
            ["a UCUM unit"]),
    Refusal("a threshold as a bare number", RULE, 'above: "30 mm[Hg]"', "above: 30", "CDS-106", 16, ["a UCUM unit"]),
    Refusal("a threshold in another unit", RULE, 'above: "30 mm[Hg]"', 'above: "30 kPa"', "CDS-106", 16,
            ["kPa", "Thresholds are in mm[Hg]"]),
    Refusal("a threshold that no source and no local policy names", RULE, "Thresholds 21 and 30 mm[Hg]",
            "Thresholds 21 and 300 mm[Hg]", "CDS-106", 16, ["names 30", "local policy"]),
    Refusal("cut-offs of Child-Pugh that fall", "definitions.yaml",
            'bilirubin: {in: measured, two_points_from: "2', 'bilirubin: {in: measured, two_points_from: "4', "CDS-106",
            70, ["rising"]),
    # CDS-107: who it is
    Refusal("an id that is not the file's name", RULE, "id: raised_eye_pressure", "id: eye_pressure", "CDS-107", 1,
            ["'eye_pressure'", "'raised_eye_pressure'"]),
    Refusal("a topic that another rule has", "cautions/glaucoma_seen.yaml", "KETEYE2", "KETEYE1", "CDS-107", 3,
            ["topic 'KETEYE1'", "raised_eye_pressure.yaml"]),
    Refusal("a rule in the folder of another kind", RULE, "kind: contraindication", "kind: caution", "CDS-107", 5,
            ["contraindications/", "cautions/"]),
    Refusal("a topic that is not alphanumeric", RULE, "KETEYE1", "KET-EYE1", "CDS-105", 3, ["KET-EYE1"]),
    # CDS-108: words of the card
    Refusal("a summary that can reach 140 characters", RULE, '"Eye pressure {{value}} ({{date}})"',
            f'"{"x" * 107} {{{{value}}}} {{{{date}}}} "', "CDS-108", 30, ["140 characters", "At most 139"]),
    Refusal("a summary that can reach 140 characters once it says Unconfirmed", RULE,
            'info: "Glaucoma, pressure controlled"', f'info: "{"x" * 127}"', "CDS-108", 32, ["'Unconfirmed:'"]),
    Refusal("an unknown placeholder", RULE, "{{value}}", "{{pressure}}", "CDS-108", 30, ["{{pressure}}"]),
    Refusal("a summary of which every text has a condition", RULE, 'warning: "Glaucoma"',
            'warning: [{text: "Glaucoma", when: {criterion: controlled}}]', "CDS-108", 31, ["no 'when'"]),
    Refusal("no text for a level to which an uncertain fact lowers the finding", "cautions/glaucoma_seen.yaml",
            f"  info: {{rule: {{id: raised_eye_pressure, is: present}}}}\n{_BECAUSE}  summary: {{info",
            f"  warning: {{condition: {{in: glaucoma}}}}\n{_BECAUSE}  summary: {{warning", "CDS-108", 19,
            ["There is no text for info"]),
    # CDS-109: circles
    Refusal("named criteria that ask about one another", RULE,
            '    observation: {in: eye_pressure, at_most: "21 mm[Hg]", within: "180 days"}',
            "    all: [{criterion: controlled}]", "CDS-109", 22, ["'controlled'"]),
    # The other files
    Refusal("a source without a label", "sources.yaml", "  label: Cohen 2018\n", "", "CDS-105", 1, ["'label'"]),
    Refusal("a package without a version", "VERSION", "2026.1", "", "CDS-101", 1, ["version"]),
]  # fmt: skip


@pytest.mark.parametrize("refusal", [pytest.param(refusal, id=refusal.why) for refusal in REFUSALS])
def test_the_loader_refuses_with_code_file_line_and_words(cards: Path, refusal: Refusal) -> None:
    spoil(cards, refusal.file, refusal.old, refusal.new)

    _, problems = inspect(cards)

    place = f"{refusal.code} {_place(refusal)}:{refusal.line}: "
    messages = [str(problem) for problem in problems]
    assert [message for message in messages if message.startswith(place) and _all_in(refusal.says, message)], messages


@pytest.mark.parametrize(
    ("says", "sure", "detail", "allowed"),
    [
        ('Guideline: "extreme caution" is advised', "V", 'The guideline advises \\"extreme caution\\".', True),
        ('Guideline: "extreme caution" is advised', "V", "The guideline advises “extreme caution”.", True),
        ("Guideline: extreme caution is advised", "V", 'The guideline advises \\"extreme caution\\".', False),
        ("Guideline: extreme caution is advised", "M", 'The guideline advises \\"extreme caution\\".', False),
        ("Guideline: extreme caution is advised", "M", "The guideline advises extreme caution.", True),
        ('Guideline: "extreme caution" is advised', "M", "The guideline advises extreme caution.", False),
        ('Guideline: "extreme caution" is advised', "I", "The guideline advises extreme caution.", False),
    ],
)
def test_a_card_quotes_only_what_was_seen_in_a_source_that_it_cites(
    cards: Path, says: str, sure: str, detail: str, allowed: bool
) -> None:
    """What is cited from memory (M) or inferred (I) never stands in quotation marks, on a card or in the sources."""
    spoil(cards, "sources.yaml", '"Elevated intraocular pressure: extreme caution"', f"'{says}'")
    spoil(cards, "sources.yaml", "sure: V", f"sure: {sure}")
    spoil(cards, RULE, '"Consider asking the ophthalmologist."', f'"{detail}"')

    _, problems = inspect(cards)

    assert allowed is ([problem.code for problem in problems if problem.code == "CDS-108"] == [])


def test_a_time_of_the_snooze_has_its_unit(cards: Path) -> None:
    spoil(cards, "definitions.yaml", '"60 minutes"', '"60"')

    _, problems = inspect(cards)

    assert [True] == ["a number of minutes" in str(problem) for problem in problems]


def test_the_snooze_is_what_the_definitions_say(cards: Path) -> None:
    snooze = load_knowledge(cards).definitions.snooze

    assert SnoozeDefinition(Window(90), Window(30), 60) == snooze


def test_loading_leaves_the_collection_of_garbage_as_it_was(cards: Path) -> None:
    load_knowledge(cards)

    assert gc.isenabled()


def test_rules_that_ask_about_one_another_are_refused(cards: Path) -> None:
    spoil(cards, RULE, "  info: {condition: {in: glaucoma, state: active}}",
          "  info: {rule: {id: glaucoma_seen, is: present}}")  # fmt: skip

    _, problems = inspect(cards)

    circle = "A circle of rules: raised_eye_pressure asks glaucoma_seen asks raised_eye_pressure."
    assert [("CDS-109", circle)] == [(problem.code, problem.what) for problem in problems]


def test_one_id_in_two_folders_is_refused(cards: Path) -> None:
    copy = (cards / "cautions/glaucoma_seen.yaml").read_text(encoding="utf-8").replace("KETEYE2", "KETEYE3")
    (cards / "indications").mkdir()
    (cards / "indications/glaucoma_seen.yaml").write_text(copy.replace("kind: caution", "kind: indication"), "utf-8")

    _, problems = inspect(cards)

    what = "The id 'glaucoma_seen' is also that of cards/indications/glaucoma_seen.yaml."
    assert [("cards/cautions/glaucoma_seen.yaml:1", what)] == [(one.where, one.what) for one in problems]


def test_every_problem_of_a_folder_is_found_at_once(cards: Path) -> None:
    spoil(cards, RULE, 'within: "180 days", if', 'within: "180", if')
    spoil(cards, "cautions/glaucoma_seen.yaml", "cohen-2018", "cohen-2081")
    spoil(cards, "sources.yaml", "sure: V", "sure: X")

    _, problems = inspect(cards)

    assert ["cards/sources.yaml:8", f"cards/{RULE}:16"] == [problem.where for problem in problems]


def test_loading_stops_at_the_first_problem_and_says_how_many_more_there_are(cards: Path) -> None:
    spoil(cards, RULE, "drugs: [ketamine]", "drugs: [ketamin]")
    spoil(cards, "VERSION", "2026.1", "")

    with pytest.raises(KnowledgeError, match=r"^CDS-101 cards/VERSION:1: .* \(1 more: python -m cds"):
        load_knowledge(cards)


def test_a_good_folder_gives_rules_in_the_order_in_which_they_ask_one_another(cards: Path) -> None:
    spoil(
        cards, RULE, "  info: {condition: {in: glaucoma, state: active}}", "  info: {rule: {id: a_first, is: unknown}}"
    )
    first = (cards / "cautions/glaucoma_seen.yaml").read_text(encoding="utf-8")
    first = first.replace("glaucoma_seen", "a_first").replace("KETEYE2", "KETEYE3")
    first = first.replace("{rule: {id: raised_eye_pressure, is: present}}", "{patient: {sex: female}}")
    first = first.replace("applies_to:", "uses: [sex]\napplies_to:")
    (cards / "cautions/a_first.yaml").write_text(first, encoding="utf-8")

    knowledge = load_knowledge(cards)

    assert ["a_first", "raised_eye_pressure", "glaucoma_seen"] == [rule.id for rule in knowledge.rules]


def test_a_rule_says_exactly_what_its_file_says(cards: Path) -> None:
    rule = load_knowledge(cards).rules[0]

    pressure = ("eye_pressure",)
    above = ObservationCriterion(pressure, above=Quantity(Decimal(30), "mm[Hg]"), within=Window(180),
                                 if_missing=Verdict.NOT_FOUND)  # fmt: skip
    at_most = ObservationCriterion(pressure, at_most=Quantity(Decimal(21), "mm[Hg]"), within=Window(180))
    glaucoma = ConditionCriterion(("glaucoma",))
    expected = {
        Level.CRITICAL: above,
        Level.WARNING: Unless(glaucoma, Named("controlled", at_most)),
        Level.INFO: glaucoma,
    }
    assert (expected, "Raised eye pressure", f"cards/{RULE}") == (rule.levels, rule.title, rule.file)


def test_a_rule_about_another_rule_names_it(cards: Path) -> None:
    rule = load_knowledge(cards).rules[1]

    assert {Level.INFO: RuleCriterion(("raised_eye_pressure",), Verdict.PRESENT)} == rule.levels


def test_a_citation_carries_the_words_the_grade_and_how_sure_they_are(cards: Path) -> None:
    """What is only remembered (M) is loaded as such, so that no card shows it as a quotation."""
    spoil(cards, RULE, "statement: pressure", "statement: setting")

    citation = load_knowledge(cards).rules[0].because[0]

    expected = ("Cohen 2018", "A trained clinician supervises", "", "M",
                "https://doi.org/10.1097/AAP.0000000000000808")  # fmt: skip
    assert expected == (citation.label, citation.statement, citation.grade, citation.sure, citation.url)


def test_a_draft_is_checked_but_does_not_run(cards: Path) -> None:
    spoil(cards, "cautions/glaucoma_seen.yaml", "status: active", "status: draft")

    assert ["raised_eye_pressure"] == [rule.id for rule in load_knowledge(cards).rules]


def test_codes_lead_to_their_value_sets_without_dots_and_in_any_case(cards: Path) -> None:
    index = load_knowledge(cards).index

    assert frozenset({"glaucoma"}) == index.codes["http://hl7.org/fhir/sid/icd-10-cm", "H409"]


def test_the_digest_names_the_content_and_not_the_place(cards: Path, tmp_path: Path) -> None:
    elsewhere = write_package(tmp_path / "elsewhere")
    (elsewhere / ".hidden").write_text("not knowledge", encoding="utf-8")
    windows = (elsewhere / RULE).read_bytes().replace(b"\n", b"\r\n")
    (elsewhere / RULE).write_bytes(windows)

    assert load_knowledge(cards).digest == load_knowledge(elsewhere).digest


@pytest.mark.parametrize("file", ["VERSION", RULE, "value_sets/glaucoma.csv", "definitions.yaml"])
def test_any_change_of_any_file_changes_the_digest(cards: Path, file: str) -> None:
    before = digest_of(package_bytes(cards))
    with (cards / file).open("a", encoding="utf-8") as written:
        written.write("\n")

    assert before != digest_of(package_bytes(cards))


def test_a_file_that_is_renamed_changes_the_digest(cards: Path) -> None:
    before = digest_of(package_bytes(cards))
    (cards / RULE).rename(cards / "contraindications/other.yaml")

    assert before != digest_of(package_bytes(cards))


def test_knowledge_is_loaded_again_from_its_package_alone(cards: Path, tmp_path: Path) -> None:
    """An auditor who has the package of a digest can load what was decided with."""
    first = load_knowledge(cards)
    again = tmp_path / "again" / "cards"
    again.mkdir(parents=True)

    unpack(package_bytes(cards), again)

    assert first == load_knowledge(again)


def test_a_package_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Not a knowledge package"):
        unpack(b"../evil 4\nevil\n", tmp_path / "cards")

    assert [] == list(tmp_path.iterdir())


def test_the_check_prints_every_problem_and_fails(cards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(cards, RULE, "drugs: [ketamine]", "drugs: [ketamin]")

    status = check.main([str(cards)])

    printed = capsys.readouterr().out
    assert 1 == status
    assert f"CDS-105 cards/{RULE}:12: 'ketamin' is not allowed here." in printed


def test_the_check_of_a_good_folder_names_its_version_and_digest(
    cards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = check.main([str(cards), "--today", "2026-06-01"])

    digest = digest_of(package_bytes(cards))
    last = capsys.readouterr().out.splitlines()[-1]
    assert (0, f"{cards}: version 2026.1, 2 rules, {digest}") == (status, last)


def test_the_check_of_a_folder_that_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = check.main([str(tmp_path / "nowhere")])

    assert (2, f"There is no folder {tmp_path / 'nowhere'}.\n") == (status, capsys.readouterr().err)


def _place(refusal: Refusal) -> str:
    """An observation that is not defined is told at the rule that asks for it."""
    spoiled_elsewhere = refusal.why == "an observation without a definition"
    return f"cards/{RULE if spoiled_elsewhere else refusal.file}"


def _all_in(words: Sequence[str], message: str) -> bool:
    return all(word in message for word in words)
