"""The sources on a card: each statement once, in full on the first card of an answer that needs it."""

from collections.abc import Iterable
from dataclasses import replace

from cds.engine.card import Card
from cds.engine.rules import Citation
from cds.engine.wording import escaped, shortened

_FROM_MEMORY = "M"
_LONGEST_NAME = 50  # characters of the summary by which another card is named


def citation_line(citation: Citation) -> str:
    """Return the line of a card's detail that says what a source says."""
    grade = f" (grade {citation.grade})" if citation.grade else ""
    return f"{_named(citation)}: {citation.statement}{grade}"


def quoted_once(cards: Iterable[Card]) -> tuple[Card, ...]:
    """Return the cards of one answer, a statement that an earlier one quotes named shortly where that is shorter.

    Its source and grade stay on every card; the record has the whole statement beside each finding.
    """
    where: dict[str, Card] = {}
    return tuple(_shorter(card, where) for card in cards)


def _shorter(card: Card, where: dict[str, Card]) -> Card:
    cited = {citation_line(citation): citation for citation in card.citations}
    pointers = {line: _pointer(cited[line], where[line]) for line in cited if line in where}
    shorter = {line: pointer for line, pointer in pointers.items() if len(pointer) < len(line)}
    for line in cited:
        where.setdefault(line, card)
    return replace(card, detail="\n".join(shorter.get(line, line) for line in card.detail.split("\n")))


def _pointer(citation: Citation, card: Card) -> str:
    grade = f" (grade {citation.grade})" if citation.grade else ""
    return f"{_named(citation)}{grade}, quoted on the card '{escaped(shortened(card.summary, _LONGEST_NAME))}'"


def _named(citation: Citation) -> str:
    unchecked = ", wording not checked against it" if citation.sure == _FROM_MEMORY else ""
    return f"- Source{unchecked}: {citation.label}"
