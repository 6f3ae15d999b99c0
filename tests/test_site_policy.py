"""A site's own numbers in place of local policy: what they change, where it is said, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from cds.engine.dates import Window
from cds.engine.rules import Knowledge
from cds.errors import KnowledgeError
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.load import inspect, load_knowledge
from cds.knowledge.package import SITE_POLICY, digest_of, package_bytes, unpack
from tests.cards.answers import CARDS, answer, knowledge
from tests.cards.case_language import GivenLine, Situation, default_lines, situation_of
from tests.small_package import RULE, spoil, write_package

TODAY = date(2026, 2, 1)
SYSTEMS = load_code_systems(CARDS / "code_systems.yaml").uris
NOTE = "(ophthalmology board 2026-03, A. Clinician, 2026-03-01)"
ENTRY = """\
- {place}
  number: "{number}"
  use: "{use}"
  note: ophthalmology board 2026-03
  by: A. Clinician
  on: "2026-03-01"
"""


def site(path: Path, place: str, number: str, use: str) -> Path:
    """Write a site policy of one number and return its file."""
    path.write_text(ENTRY.format(place=place, number=number, use=use), encoding="utf-8")
    return path


def at_site(folder: Path, place: str, number: str, use: str) -> Knowledge:
    """Return the knowledge of this repository with one number of a site."""
    return load_knowledge(CARDS, site(folder / "site.yaml", place, number, use))


def patient(*lines: str) -> Situation:
    given = [GivenLine.model_validate({kind: text}) for kind, _, text in (line.partition(": ") for line in lines)]
    return situation_of((*default_lines(TODAY), *given), "ketamine infusion", TODAY, SYSTEMS)


# What it changes


@pytest.mark.parametrize(
    ("pressure", "shipped", "here"),
    [("21", "not_found", "not_found"), ("22", "warning", "not_found"), ("23", "warning", "warning")],
)
def test_a_number_of_the_site_changes_the_verdict_at_the_new_threshold(
    tmp_path: Path, pressure: str, shipped: str, here: str
) -> None:
    loaded = at_site(tmp_path, "rule: raised_intraocular_pressure", "21 mm[Hg]", "22 mm[Hg]")
    measured = patient(f"observation: loinc|79892-6 = {pressure} mm[Hg] on 2026-01-20")

    said = [answer("raised_intraocular_pressure", measured, one).said for one in (knowledge(), loaded)]
    assert [shipped, here] == said


def test_a_number_of_a_definition_changes_every_rule_that_rests_on_it(tmp_path: Path) -> None:
    """50 days of sertraline are a trial as shipped, and none where a trial takes 56 days."""
    loaded = at_site(tmp_path, "definition: trials.antidepressant", "42 days", "56 days")
    depressed = patient(
        "condition: icd10cm|F33.2 active",
        'medication: rxnorm|36437 "sertraline" completed authored 2025-05-01 days 50',
        'medication: rxnorm|39786 "venlafaxine" completed authored 2025-08-01 days 90',
    )

    said = [answer("antidepressant_trials", depressed, one).said for one in (knowledge(), loaded)]
    assert ["not_found", "warning"] == said


def test_the_words_of_a_card_change_with_the_number_they_name(tmp_path: Path) -> None:
    loaded = at_site(tmp_path, "definition: trials.pain", "28 days", "42 days")

    card = next(rule.card for rule in loaded.rules if rule.id == "pain_drug_classes")

    texts = [line.text for lines in card.summaries.values() for line in lines] if card else []
    assert [True, False] == [any(f"({days} days, in 5 years)" in text for text in texts) for days in (42, 28)]


def test_a_blood_pressure_changes_in_the_words_of_a_card_without_its_unit_as_well(tmp_path: Path) -> None:
    loaded = at_site(tmp_path, "rule: drugs_that_raise_blood_pressure", "140/90 mm[Hg]", "150/95 mm[Hg]")

    card = next(rule.card for rule in loaded.rules if rule.id == "drugs_that_raise_blood_pressure")

    texts = [line.text for lines in card.summaries.values() for line in lines] if card else []
    assert [True, False] == [any(pressure in text for text in texts) for pressure in ("150/95", "140/90")]


def test_the_times_of_the_snooze_can_be_those_of_the_site(tmp_path: Path) -> None:
    definitions = at_site(tmp_path, "definition: snooze", "90 days", "60 days").definitions

    line = (
        "Local policy of this site: 60 days instead of 90 days (ophthalmology board 2026-03, A. Clinician, 2026-03-01)"
    )
    assert (Window(60), (line,)) == (definitions.snooze.override_for, definitions.site_policy)


# Where it is said


def test_the_card_says_that_the_number_is_that_of_this_site(tmp_path: Path) -> None:
    loaded = at_site(tmp_path, "rule: raised_intraocular_pressure", "21 mm[Hg]", "22 mm[Hg]")
    measured = patient("observation: loinc|79892-6 = 23 mm[Hg] on 2026-01-20")

    words = answer("raised_intraocular_pressure", measured, loaded).words

    assert f"Local policy of this site: 22 mm[Hg] instead of 21 mm[Hg] {NOTE}" in words


def test_only_the_rules_that_a_number_changes_say_so(tmp_path: Path) -> None:
    loaded = at_site(tmp_path, "definition: trials.antidepressant", "42 days", "56 days")

    changed = {rule.id for rule in loaded.rules if rule.site_policy}

    asking = {"antidepressant_trials", "treatment_resistant_depression"}
    assert asking <= changed
    assert "raised_intraocular_pressure" not in changed


def test_the_shipped_knowledge_has_no_number_of_a_site() -> None:
    assert set() == {rule.id for rule in knowledge().rules if rule.site_policy}
    assert () == knowledge().definitions.site_policy


def test_the_numbers_of_the_site_are_part_of_the_digest(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    number = site(tmp_path / "site.yaml", "rule: raised_eye_pressure", "21 mm[Hg]", "22 mm[Hg]")

    digests = [load_knowledge(folder).digest, load_knowledge(folder, number).digest]

    assert digests[0] != digests[1]
    assert digest_of(package_bytes(folder, number)) == digests[1]


def test_the_package_is_loaded_again_with_the_numbers_of_the_site(tmp_path: Path) -> None:
    """An auditor who has the package of a digest can load what was decided with."""
    folder = write_package(tmp_path)
    number = site(tmp_path / "site.yaml", "rule: raised_eye_pressure", "21 mm[Hg]", "22 mm[Hg]")
    (tmp_path / "again" / "cards").mkdir(parents=True)

    unpack(package_bytes(folder, number), tmp_path / "again" / "cards")

    assert load_knowledge(folder, number) == load_knowledge(tmp_path / "again" / "cards")


def test_the_file_in_the_folder_counts_where_no_other_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    site(folder / SITE_POLICY, "rule: raised_eye_pressure", "21 mm[Hg]", "22 mm[Hg]")

    assert 1 == len(load_knowledge(folder).rules[0].site_policy)


@pytest.mark.parametrize("text", ["", "[]\n", "# nothing yet\n"])
def test_a_file_without_numbers_changes_nothing(tmp_path: Path, text: str) -> None:
    folder = write_package(tmp_path)
    rules = load_knowledge(folder).rules
    (folder / SITE_POLICY).write_text(text, encoding="utf-8")

    assert rules == load_knowledge(folder).rules


# What is refused


@pytest.mark.parametrize(
    ("place", "number", "use", "code", "says"),
    [
        ("rule: raised_eye_pressur", "21 mm[Hg]", "22 mm[Hg]", "CDS-104", "Did you mean 'raised_eye_pressure'?"),
        (
            "rule: raised_eye_pressure",
            "180 days",
            "90 days",
            "CDS-106",
            "No line of the local_policy of raised",
        ),
        ("rule: raised_eye_pressure", "210 mm[Hg]", "220 mm[Hg]", "CDS-106", "names 210 mm[Hg]"),
        ("rule: raised_eye_pressure", "21 days", "22 days", "CDS-106", "names 21 days"),
        ("rule: raised_eye_pressure", "21 mm[Hg]", "3 kPa", "CDS-105", "'3 kPa' is not in the unit of '21 mm[Hg]'"),
        ("rule: raised_eye_pressure", "21 mm[Hg]", "21 mm[Hg]", "CDS-105", "'use' is '21 mm[Hg]', as it was"),
        ("rule: glaucoma_seen", "21 mm[Hg]", "22 mm[Hg]", "CDS-106", "It says: nothing"),
        ("definition: trial.pain", "28 days", "42 days", "CDS-104", "Did you mean 'trials.pain'?"),
        ("definition: trials.pain", "5 years", "4 years", "CDS-106", "names 5 years"),
        ("nothing: x", "1", "2", "CDS-105", "Unknown key 'nothing'"),
        ("rule: raised_eye_pressure\n  definition: weight", "21 mm[Hg]", "22 mm[Hg]", "CDS-105", "Exactly one of"),
    ],
)
def test_a_number_that_no_local_policy_names_is_refused(
    tmp_path: Path, place: str, number: str, use: str, code: str, says: str
) -> None:
    folder = write_package(tmp_path)
    spoil(
        folder, "definitions.yaml", "    title: Treatments\n", '    title: Treatments\n    local_policy: ["28 days"]\n'
    )
    path = site(folder / SITE_POLICY, place, number, use)

    _, problems = inspect(folder)

    start = f"{code} cards/{path.name}:"
    assert [problem for problem in problems if str(problem).startswith(start) and says in str(problem)], problems


def test_a_number_that_stands_nowhere_in_the_rule_is_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    spoil(folder, RULE, '"Thresholds 21 and 30 mm[Hg]"', '"Thresholds 21, 25 and 30 mm[Hg]"')
    site(folder / SITE_POLICY, "rule: raised_eye_pressure", "25 mm[Hg]", "26 mm[Hg]")

    with pytest.raises(KnowledgeError, match=r"CDS-106 .*:2: raised_eye_pressure does not compare with '25 mm\[Hg\]'"):
        load_knowledge(folder)


def test_a_number_that_the_card_names_in_other_words_is_refused(tmp_path: Path) -> None:
    """Else the card would say a limit that no longer holds."""
    folder = write_package(tmp_path)
    spoil(folder, RULE, 'info: "Glaucoma, pressure controlled"', 'info: "Glaucoma, pressure at most 21"')
    site(folder / SITE_POLICY, "rule: raised_eye_pressure", "21 mm[Hg]", "22 mm[Hg]")

    with pytest.raises(KnowledgeError, match=r"names 21 as well: 'Glaucoma, pressure at most 21'"):
        load_knowledge(folder)


def test_a_number_that_was_changed_twice_is_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    twice = ENTRY.format(place="rule: raised_eye_pressure", number="21 mm[Hg]", use="22 mm[Hg]")
    (folder / SITE_POLICY).write_text(twice + twice.replace("22", "23"), encoding="utf-8")

    with pytest.raises(KnowledgeError, match=r"cards/site_policy.yaml:8: .* does not compare with '21 mm\[Hg\]'"):
        load_knowledge(folder)


def test_a_file_that_was_named_and_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path)

    with pytest.raises(KnowledgeError, match=r"CDS-101 .*nowhere.yaml:1: The file cannot be read"):
        load_knowledge(folder, tmp_path / "nowhere.yaml")


def test_other_numbers_of_the_rule_stay_as_they_are(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    before = load_knowledge(folder)
    site(folder / SITE_POLICY, "rule: raised_eye_pressure", "21 mm[Hg]", "22 mm[Hg]")

    after = load_knowledge(folder)

    levels = list(before.rules[0].levels)
    same = [before.rules[0].levels[level] == after.rules[0].levels[level] for level in levels]
    assert [True, False, True] == same
    assert before.rules[1] == after.rules[1]
