"""What stands in quotation marks on a card is what a cited source says, word for word, as somebody has seen it there.

A statement written from memory (`sure: M`) or inferred (I) is never a quotation.
"""

import re
from collections.abc import Iterator, Mapping

from cds.errors import KnowledgeError
from cds.knowledge.rule_file import RuleFile
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import SourceText
from cds.knowledge.strict_yaml import Document, Keys

_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"”“»]")


def check_quotations(file: RuleFile, sources: Mapping[str, SourceText]) -> Iterator[KnowledgeError]:
    """Yield quotations in a rule's card that no cited statement, seen in its source, has in quotation marks."""
    seen = {quoted for said in _seen(file.text, sources) for quoted in _QUOTED.findall(said)}
    for keys, text in card_texts(file.text):
        for quoted in _QUOTED.findall(text):
            if quoted not in seen:
                what = f'"{quoted}" is a quotation that no cited statement has.'
                expected = "A card quotes only what was seen in a source it cites (sure: V)."
                yield KnowledgeError("CDS-108", file.document.where(*keys), what, expected)


def check_statements(sources: Mapping[str, SourceText], document: Document) -> Iterator[KnowledgeError]:
    """Yield statements that quote although nobody has seen the words."""
    for source, text in sources.items():
        for name, statement in text.statements.items():
            if statement.sure != "V" and _QUOTED.search(statement.says):
                where = document.where(source, "statements", name, "says")
                what = f"The statement is marked {statement.sure} and quotes."
                yield KnowledgeError("CDS-108", where, what, "What was not seen in the source has no quotation marks.")


def card_texts(rule: RuleText) -> Iterator[tuple[Keys, str]]:
    """Yield every text of a rule that a clinician reads on a card, with its path in the file."""
    if rule.card is None:
        return
    for level, lines in rule.card.summary.items():
        for number, line in enumerate(lines):
            yield ("card", "summary", level.value, number, "text"), line.text
    for number, line in enumerate(rule.card.detail):
        yield ("card", "detail", number, "text"), line.text
    for number, suggestion in enumerate(rule.card.suggestions):
        yield ("card", "suggestions", number, "label"), suggestion.label or ""
    yield ("card", "not_checked"), rule.card.not_checked


def _seen(rule: RuleText, sources: Mapping[str, SourceText]) -> Iterator[str]:
    for because in rule.because:
        source = sources.get(because.source)
        statement = source.statements.get(because.statement) if source else None
        if statement and statement.sure == "V":
            yield statement.says
