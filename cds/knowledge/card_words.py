"""Checks of a card's words: known placeholders, and summaries that can never reach 140 characters."""

import re
from collections.abc import Iterator

from cds.engine.rules import Level
from cds.errors import KnowledgeError
from cds.knowledge.closed import did_you_mean
from cds.knowledge.criteria import CriterionText
from cds.knowledge.schema import RuleText
from cds.knowledge.strict_yaml import Document, Keys
from cds.knowledge.walk import word_of

SUMMARY_LIMIT = 139
"""Characters: the summary of a CDS Hooks card is shorter than 140."""

UNCONFIRMED = "Unconfirmed: "
"""What the renderer puts before the summary of an unconfirmed diagnosis, which is one step lower than written."""

LONGEST = {"labels": 60, "value": 20, "date": 10, "count": 2, "needed": 2, "gaps": 70}
"""How many characters a placeholder can take in a summary; the renderer cuts to these."""

_DETAIL_ONLY = frozenset({"listed"})
_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def check_words(rule: RuleText, document: Document) -> Iterator[KnowledgeError]:
    """Yield what is wrong with the texts of a rule's card."""
    if rule.card is None:
        return
    highest = min(rule.card.summary, key=lambda level: level.rank)
    below = [level for level in Level if level.rank > highest.rank and level not in rule.card.summary]
    if below and _can_be_lowered(rule):
        what = f"There is no text for {' or '.join(below)}."
        expected = "An uncertain fact (unconfirmed, conflicting, of unknown date, stale) lowers the finding to it."
        yield KnowledgeError("CDS-108", document.where("card", "summary"), what, expected)
    for level, lines in rule.card.summary.items():
        lowered_to = level is Level.INFO or level is not highest
        reserve = len(UNCONFIRMED) if lowered_to and _reads(rule, "condition") else 0
        for number, line in enumerate(lines):
            keys: Keys = ("card", "summary", level.value, number)
            yield from _placeholders(line.text, document.where(*keys), set(LONGEST))
            yield from _length(line.text, document.where(*keys), reserve)
        if lines[-1].when is not None:
            where = document.where("card", "summary", level.value)
            yield KnowledgeError("CDS-108", where, "Every text has a condition.", "The last one has no 'when'.")
    for number, line in enumerate(rule.card.detail):
        where = document.where("card", "detail", number)
        yield from _placeholders(line.text, where, set(LONGEST) | _DETAIL_ONLY)


def _can_be_lowered(rule: RuleText) -> bool:
    return _reads(rule, "condition", "medication", "allergy", "other_order")


def _reads(rule: RuleText, *words: str) -> bool:
    """Say whether a level can hold because of such a fact (not because there is none)."""
    return any(word_of(shown)[0] in words for top in rule.levels.values() for shown in _shown_by(top, rule, ()))


def _shown_by(criterion: CriterionText, rule: RuleText, names: tuple[str, ...]) -> Iterator[CriterionText]:
    name = criterion.criterion
    if name is not None and name in rule.where and name not in names:
        yield from _shown_by(rule.where[name], rule, (*names, name))
    for part in (*(criterion.any or ()), *(criterion.all or ())):
        yield from _shown_by(part, rule, names)
    yield criterion


def _placeholders(text: str, where: str, known: set[str]) -> Iterator[KnowledgeError]:
    for name in _PLACEHOLDER.findall(text):
        if name not in known:
            expected = f"Known here: {', '.join(sorted(known))}."
            yield KnowledgeError("CDS-108", where, f"There is no placeholder {{{{{name}}}}}.", expected,
                                 did_you_mean(name, known))  # fmt: skip


def _length(text: str, where: str, reserve: int) -> Iterator[KnowledgeError]:
    longest = len(_PLACEHOLDER.sub(lambda match: "x" * LONGEST.get(match[1], 0), text)) + reserve
    if longest > SUMMARY_LIMIT:
        note = f" and '{UNCONFIRMED.strip()}' before it" if reserve else ""
        what = f"This summary can be {longest} characters long, with its placeholders filled{note}."
        yield KnowledgeError("CDS-108", where, what, f"At most {SUMMARY_LIMIT}.")
