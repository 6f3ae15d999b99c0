"""The pages of the knowledge: current, complete, readable without programming, and with links that lead somewhere."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from cds.engine.dates import Window
from cds.engine.derive.dose import Amount
from cds.engine.logic import Verdict
from cds.engine.order import Drug, Route
from cds.engine.rules import (
    AllOf,
    AnyOf,
    BloodPressureCriterion,
    ConditionCriterion,
    ConditionState,
    Criterion,
    DoseCriterion,
    Level,
    MedicationCriterion,
    Named,
    NotCriterion,
    ObservationCriterion,
    OrderCriterion,
    Rule,
    RuleCriterion,
    Unless,
    Use,
)
from cds.engine.units import Quantity
from cds.knowledge.pages import clauses
from cds.knowledge.pages.__main__ import all_pages, main
from cds.knowledge.pages.clauses import clause_of, in_one_line
from cds.knowledge.pages.library import Library, read_library
from cds.knowledge.pages.phrases import Naming
from tests.cards.answers import CARDS, CASES, knowledge
from tests.small_package import RULE, spoil, write_package

ROOT = CARDS.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")
NAMING = Naming({"glaucoma": "Glaucoma", "repair": "Repair", "iop": "Eye pressure"}, {"other": "Other rule"}, {})


@cache
def library() -> Library:
    return read_library(CARDS, CASES)


@cache
def pages() -> Mapping[str, str]:
    return all_pages(library())


# The pages of this repository


def test_the_pages_in_docs_are_those_of_the_cards(capsys: pytest.CaptureFixture[str]) -> None:
    """Else: python -m cds.knowledge.pages docs/knowledge."""
    status = main([str(ROOT / "docs/knowledge"), "--check", "--cards", str(CARDS), "--cases", str(CASES)])

    assert (0, "") == (status, capsys.readouterr().out)


def test_the_same_cards_always_give_the_same_pages() -> None:
    assert pages() == all_pages(read_library(CARDS, CASES))


def test_every_rule_and_every_value_set_has_a_page_that_the_index_names() -> None:
    wanted = {f"rules/{rule.id}.md" for rule in knowledge().rules}
    wanted |= {f"value_sets/{name}.md" for name in knowledge().value_sets}

    assert wanted | {"README.md", "definitions.md"} == set(pages())
    assert set() == wanted - set(LINK.findall(pages()["README.md"]))


def test_every_link_leads_to_a_page_a_heading_or_a_file() -> None:
    broken = [(name, target) for name, text in pages().items() for target in LINK.findall(text)
              if not target.startswith("https://") and not leads_somewhere(name, target)]  # fmt: skip

    assert [] == broken


def leads_somewhere(name: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    here = Path("docs/knowledge") / name
    if path and not path.endswith(".md"):
        return (ROOT / here.parent / path).resolve().is_file()
    page = (Path("/") / Path(name).parent / path).resolve().relative_to("/").as_posix() if path else name
    return page in pages() and (not anchor or anchor in anchors(pages()[page]))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        earlier = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in found)
        found.append(f"{slug}-{earlier}" if earlier else slug)
    return set(found)


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_has_no_words_of_a_program(name: str) -> None:
    """Names of files, codes and addresses apart."""
    text = LINK.sub("", re.sub(r"`[^`]*`|https?://\S+|\S+/\S+", "", pages()[name]))

    found = re.findall(r"\w*_\w+|\{\{|\(\?|\\\w|\bTrue\b|\bFalse\b|\bCriterion\b|\bregex\b", text)
    assert [] == found


@pytest.mark.parametrize("one", [pytest.param(rule, id=rule.id) for rule in knowledge().rules])
def test_the_page_of_a_rule_says_what_its_files_say(one: Rule) -> None:
    """Each text of the card, each statement with how sure it is, each case, each line of local policy."""
    text = pages()[f"rules/{one.id}.md"]
    wanted = [citation.statement for citation in one.because] + list(one.local_policy)
    wanted += [case.name.replace("|", "\\|") for case in library().cases[one.id]]
    wanted += [
        line.text.partition("{{")[0] for lines in (one.card.summaries.values() if one.card else ()) for line in lines
    ]

    assert [] == [words for words in wanted if words not in text]
    assert any(citation.sure == "M" for citation in one.because) == ("from memory, not checked" in text)


def test_a_statement_from_memory_is_never_shown_as_seen() -> None:
    sure = {(one.label, one.statement): one.sure for rule in knowledge().rules for one in rule.because}

    shown = [line for text in pages().values() for line in text.splitlines() if line.startswith("- **")]
    from_memory = [statement for (_, statement), mark in sure.items() if mark == "M"]
    assert [] == [line for line in shown for said in from_memory if said in line and "from memory" not in line]
    assert from_memory


def test_what_a_value_set_does_not_cover_stands_before_its_codes() -> None:
    text = pages()["value_sets/glaucoma.md"]

    assert 0 < text.index("## What it does not cover") < text.index("## Codes")


def test_families_of_codes_stand_in_words() -> None:
    assert "H40.1, H40.2, H40.3" in pages()["value_sets/glaucoma.md"]
    assert "with all codes below; exactly Q15.0" in pages()["value_sets/glaucoma.md"]


# Writing and checking


@pytest.fixture
def small(tmp_path: Path) -> list[str]:
    """Arguments for a small package whose pages lie in the folder `pages`."""
    cards = write_package(tmp_path)
    return [str(tmp_path / "pages"), "--cards", str(cards), "--cases", str(tmp_path / "cases")]


def test_pages_that_were_written_are_current(small: list[str]) -> None:
    assert [1, 0, 0] == [main([*small, "--check"]), main(small), main([*small, "--check"])]


def test_a_change_of_a_rule_makes_its_page_stale(small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(small)
    spoil(Path(small[2]), RULE, "title: Raised eye pressure", "title: Eye pressure")
    capsys.readouterr()

    status = main([*small, "--check"])

    printed = capsys.readouterr().out
    assert 1 == status
    assert f"Not current: {small[0]}/rules/raised_eye_pressure.md" in printed


def test_a_page_of_a_rule_that_is_gone_is_removed(small: list[str]) -> None:
    main(small)
    stray = Path(small[0]) / "rules" / "gone.md"
    stray.write_text("# Gone\n", encoding="utf-8")

    statuses = [main([*small, "--check"]), main(small), main([*small, "--check"])]

    assert ([1, 0, 0], False) == (statuses, stray.exists())


def test_knowledge_that_cannot_be_used_gives_no_pages(small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    spoil(Path(small[2]), RULE, "version: 1", "version: one")

    status = main(small)

    assert (2, False) == (status, Path(small[0]).exists())
    assert "CDS-105" in capsys.readouterr().err


# Criteria in words


def test_every_word_of_a_criterion_can_be_said() -> None:
    combining = {AnyOf, AllOf, NotCriterion, Unless, Named}

    assert set(get_args(Criterion)) == set(clauses._LEAVES) | combining


GLAUCOMA = ConditionCriterion(("glaucoma",))


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        (GLAUCOMA, "An active diagnosis: Glaucoma"),
        (ConditionCriterion(("glaucoma",), ConditionState.ACUTE, Window(7)),
         "A recent diagnosis, even if it has ended since: Glaucoma, begun (else recorded) in the last 7 days"),
        (ConditionCriterion((), words=(r"ph(?:a)?eo\w*",)), "An active diagnosis, whose text names “ph(a)eo…”"),
        (MedicationCriterion(("repair",), within=Window(2)),
         "The patient takes or has an active order of Repair, or of one that ended in the last 2 days"),
        (ObservationCriterion(("iop",), above=Quantity(Decimal(30), "mm[Hg]"), within=Window(180),
                              use=Use.LATEST_PER_CODE, if_missing=Verdict.NOT_FOUND),
         "Of each kind the latest Eye pressure of the last 180 days is above 30 mm[Hg]; never measured: no finding"),
        (ObservationCriterion(("iop",), above_upper_limit="3"),
         "The latest Eye pressure is above 3 times the laboratory's upper limit; not measured: unknown"),
        (BloodPressureCriterion(at_most=(Quantity(Decimal(140), "mm[Hg]"), Quantity(Decimal(90), "mm[Hg]")),
                                within=Window(1)),
         "The latest blood pressure of today or yesterday is at most 140/90 mm[Hg] (both); not measured: unknown"),
        (DoseCriterion(Amount.RATE, above=Quantity(Decimal(2), "mg/kg/h")),
         "The ordered infusion rate is above 2 mg/kg/h; not stated: no finding"),
        (OrderCriterion(drugs=(Drug.ESKETAMINE_NASAL,)), "The order is for nasal esketamine"),
        (OrderCriterion(routes=(Route.INTRAVENOUS, Route.UNKNOWN)), "The order is by intravenous or an unstated route"),
        (RuleCriterion(("other",), Verdict.PRESENT, (Level.CRITICAL,)), "The rule Other rule is found as critical"),
        (AnyOf((GLAUCOMA, Named("repaired_eye", GLAUCOMA))), "An active diagnosis: Glaucoma or repaired eye"),
        (NotCriterion(GLAUCOMA), "It is known that this does not hold: An active diagnosis: Glaucoma"),
    ],
)  # fmt: skip
def test_a_criterion_is_said_in_words(criterion: Criterion, words: str) -> None:
    assert words == in_one_line(criterion, NAMING)


def test_an_exception_stands_below_what_it_lifts() -> None:
    exception = AllOf((ConditionCriterion(("repair",)), GLAUCOMA))

    lines = clause_of(Unless(GLAUCOMA, exception), NAMING).lines()

    assert [
        "- An active diagnosis: Glaucoma",
        "  - unless it is known that:",
        "    - All of these:",
        "      - An active diagnosis: Repair",
        "      - An active diagnosis: Glaucoma",
    ] == lines
