"""A card gives options, never orders. What a source forbids may be said, in its words and marked as the source's."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cds.knowledge.closed import parse
from cds.knowledge.quotations import card_texts
from cds.knowledge.rule_file import FOLDERS
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import SourcesText, SourceText
from cds.knowledge.strict_yaml import Document, Keys, read_document
from tests.cards.answers import CARDS
from tests.small_package import RULE, spoil, write_package

REFUSED = re.compile(
    r"\b(?:must|do not|don.t|never|always|avoid|stop|should|shall|cannot be|can not be|may not|ha(?:s|ve) to"
    r"|needs? to|required|mandatory|forbidden|prohibited|ensure|make sure|discontinue|withhold|refrain"
    r"|not be (?:given|used))\b",
    re.IGNORECASE,
)
"""Words of an order, wherever they stand."""

IMPERATIVE = re.compile(
    r"(?:^|[.:;!?]\s+)(Order|Give|Check|Monitor|Refer|Repeat|Measure|Reduce|Ask|Use|Obtain|Perform|Start|Remove|Delete"
    r"|Confirm|Call|Hold|Switch|Contact|Consult|Test|Treat|Document|Record|Review|Cancel|Wait|Limit|Increase|Observe)\b"
)
"""Orders with which a sentence begins; what a button says begins so, because a clinician presses it."""

SOURCE = re.compile(r"\b(?:labels?|guidelines?|product information|consensus|FDA|review|alert)\b", re.IGNORECASE)
RULES = [path for folder in FOLDERS.values() for path in sorted((CARDS / folder).glob("*.yaml"))]


def orders_in(path: Path, folder: Path = CARDS) -> list[str]:
    """Return each order in the texts of a rule, with its file and line."""
    document = _document(path, folder)
    rule = _rule(document)
    cited = [statement.lower() for statement in _cited(rule, _sources(folder))]
    found = []
    for keys, text in shown(rule):
        refused = [match for match in REFUSED.finditer(text) if not is_of_a_source(text, match, cited)]
        button = keys[-1] == "label"
        imperative = [] if button else list(IMPERATIVE.finditer(text))
        found += [f"{document.where(*keys)}: '{match.group(0).strip()}' in '{text}'" for match in refused + imperative]
    return found


def shown(rule: RuleText) -> Iterator[tuple[Keys, str]]:
    """Yield every text of a rule that stands on a card."""
    yield from card_texts(rule)
    for number, line in enumerate(rule.local_policy):
        yield ("local_policy", number), line.text


def is_of_a_source(text: str, match: re.Match[str], cited: list[str]) -> bool:
    """Say whether the words stand so in a cited statement, and the text says before them that a source says so."""
    words = " ".join(text[match.start() :].split()[: len(match.group(0).split()) + 1]).lower().strip(".,;()")
    return bool(SOURCE.search(text[: match.start()])) and any(words in statement for statement in cited)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in RULES])
def test_a_card_gives_options_and_no_orders(path: Path) -> None:
    assert [] == orders_in(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ketamine must be stopped.", ["must"]),
        ("Do not give ketamine.", ["Do not"]),
        ("The infusion should be slower.", ["should"]),
        ("Never at home, and avoid alcohol.", ["Never", "avoid"]),
        ("Glaucoma is recorded. Measure the pressure.", [". Measure"]),
        ("Repeat the measurement.", ["Repeat"]),
        ("Consider measuring the pressure, or asking the ophthalmologist.", []),
        ("The mustard was stopped: an avoidable rise.", []),
        ("Elevated pressure: the guideline says do not use", ["do not"]),
    ],
)
def test_an_order_is_found_with_its_file_and_line(tmp_path: Path, text: str, found: list[str]) -> None:
    folder = write_package(tmp_path)
    spoil(folder, RULE, "Consider asking the ophthalmologist.", text)

    place = f"cards/{RULE}:34"
    assert [f"{place}: '{words}' in '{text}'" for words in found] == orders_in(folder / RULE, folder)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("The label says do not co-administer.", True),
        ("Do not co-administer.", False),
        ("The label says do not combine.", False),
    ],
)
def test_the_words_of_a_source_may_stand_on_a_card_that_marks_them_as_such(
    tmp_path: Path, text: str, allowed: bool
) -> None:
    folder = write_package(tmp_path)
    spoil(
        folder, "sources.yaml", '"Elevated intraocular pressure: extreme caution"', '"Xanthines: do not co-administer"'
    )
    spoil(folder, RULE, "Consider asking the ophthalmologist.", text)

    assert allowed is (orders_in(folder / RULE, folder) == [])


def _document(path: Path, folder: Path) -> Document:
    document, problems = read_document(path, folder)
    assert document is not None, problems
    return document


def _rule(document: Document) -> RuleText:
    rule, problems = parse(RuleText, document)
    assert rule is not None, problems
    return rule


def _sources(folder: Path) -> Mapping[str, SourceText]:
    text, problems = parse(SourcesText, _document(folder / "sources.yaml", folder))
    assert text is not None, problems
    return text.root


def _cited(rule: RuleText, sources: Mapping[str, SourceText]) -> Iterator[str]:
    for because in rule.because:
        yield sources[because.source].statements[because.statement].says
