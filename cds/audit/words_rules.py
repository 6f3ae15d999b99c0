"""What the rules said and what was sent, in words for a terminal."""

from collections.abc import Iterable, Iterator

from cds.audit.members import Section, child, children, text, texts

_TITLES = {
    "present": "PRESENT",
    "unknown": "UNKNOWN: could not be judged",
    "not-found": "NOT FOUND",
    "not-applicable": "NOT APPLICABLE to this order",
}


def assessment_lines(assessment: Section) -> Iterator[str]:
    """Yield what every rule said of one order, grouped by verdict."""
    findings = children(assessment, "rules")
    for verdict, title in _TITLES.items():
        group = [finding for finding in findings if text(finding, "verdict") == verdict]
        if group:
            yield f"  {title} ({len(group)})"
        for finding in group:
            yield from _finding_lines(finding)
    yield from (f"  Remark: {remark}" for remark in texts(assessment, "remarks"))


def gap_line(gap: Section) -> str:
    """Return one thing that could not be known, with its reason."""
    place = " ".join(part for part in (text(gap, "source"), text(gap, "reference")) if part)
    codes = ", ".join(code_words(coding) for coding in children(gap, "codings"))
    return f"{place}: {text(gap, 'reason')}" + (f" ({codes})" if codes else "")


def code_words(coding: Section) -> str:
    """Return a coding as code, display and system."""
    return " ".join(part for part in (text(coding, "code"), text(coding, "display"), text(coding, "system")) if part)


def card_lines(answer: Section) -> Iterator[str]:
    """Yield the cards as they were sent."""
    cards = children(answer, "cards")
    if not cards:
        yield '  none: {"cards": []}'
    for number, card in enumerate(cards, start=1):
        source = child(card, "source")
        yield f"  {number}  {text(card, 'indicator').upper()}  {text(card, 'summary')}"
        yield from (f"       {line}" for line in text(card, "detail").split("\n") if line.strip())
        yield f"       Source: {text(source, 'label')} {text(source, 'url')}".rstrip()
        yield from _choice_lines(card)


def silent_lines(silenced: Iterable[Section]) -> Iterator[str]:
    """Yield the cards that were not sent because the user had seen them, each with its reason."""
    for card in silenced:
        yield f"  {text(card, 'level').upper()}  {text(card, 'summary')}"
        yield f"       {text(card, 'why')}"


def _choice_lines(card: Section) -> Iterator[str]:
    yield from (f"       Suggestion: {text(choice, 'label')}" for choice in children(card, "suggestions"))
    reasons = [text(reason, "display") for reason in children(card, "overrideReasons")]
    if reasons:
        yield f"       Reasons offered for overriding: {'; '.join(reasons)}"
    yield f"       Card {text(card, 'uuid')}"


def _finding_lines(finding: Section) -> Iterator[str]:
    kind = f"{text(finding, 'kind')}: {text(finding, 'ruleId')}"
    yield f"    {text(finding, 'title')} ({kind})  {_levels(finding)}".rstrip()
    if text(finding, "summary"):
        yield f"      says      {text(finding, 'summary')}"
    yield from (f"      because   {_evidence(evidence)}" for evidence in children(finding, "because"))
    yield from (f"      missing   {gap_line(gap)}" for gap in children(finding, "missing"))
    yield from (f"      note      {note}" for note in texts(finding, "notes"))
    if text(finding, "withheld"):
        yield f"      no card   {text(finding, 'withheld')}"
    yield from (f"      source    {_citation(citation)}" for citation in children(finding, "citations"))
    yield from (f"      local     {policy}" for policy in texts(finding, "localPolicy"))


def _levels(finding: Section) -> str:
    possible = text(finding, "possibleLevel")
    return " ".join([text(finding, "level").upper(), f"(could be {possible.upper()})" if possible else ""]).strip()


def _evidence(evidence: Section) -> str:
    said = " ".join(part for part in (text(evidence, name) for name in ("label", "value", "code", "date")) if part)
    where = ", ".join(part for part in (text(evidence, name) for name in ("reference", "fact", "origin")) if part)
    return "; ".join([said, *texts(evidence, "remarks")]) + f" [{where}]"


def _citation(citation: Section) -> str:
    grade = f" (grade {text(citation, 'grade')})" if text(citation, "grade") else ""
    unchecked = " [wording not checked against the source]" if text(citation, "sure") == "M" else ""
    words = f"{text(citation, 'label')}{grade}{unchecked}: {text(citation, 'statement')}"
    return f"{words} {text(citation, 'url')}".rstrip()
