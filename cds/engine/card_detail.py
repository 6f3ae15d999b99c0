"""The detail of a card, in plain GitHub Flavored Markdown: what was found, why it matters, what could be done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cds.engine.assessment import Assessment, Evidence, Finding
from cds.engine.card_gaps import gap_parts, in_words, reasons
from cds.engine.citing import citation_line
from cds.engine.order import OrderContext
from cds.engine.rules import Knowledge, Level
from cds.engine.wording import bullets, escaped, filled, joined, quoted, reference

_SYSTEMS = {
    "http://snomed.info/sct": "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://loinc.org": "LOINC",
}


def detail_of(knowledge: Knowledge, family: Sequence[Finding], assessment: Assessment) -> str:
    """Return the detail of one card; the first finding leads, the others stand below it with their summaries.

    What an earlier finding of the card says already, a source, a sentence or a local policy, is not said again.
    """
    parts, said = [], set[str]()
    for position, finding in enumerate(family):
        if position:
            parts.append(f"**{escaped(finding.summary)}**")
        if "gaps" in finding.values:
            parts += [*gap_parts(knowledge, finding, assessment), _sentences(finding, said)]
        else:
            parts += _parts(finding, said)
    if assessment.order.context is OrderContext.PROCEDURAL:
        parts.append(f"Procedural context assumed because {quoted(assessment.order.context_found)}.")
    return "\n\n".join(part for part in parts if part)


def folded_lines(cards: Sequence[tuple[str, Level]]) -> str:
    """Return cards that found no place of their own, by summary and level, as lines of another."""
    return bullets(cards, lambda card: f"{card[1].value}: {escaped(card[0])}")


def _parts(finding: Finding, said: set[str]) -> list[str]:
    policy = ". ".join(_new(finding.local_policy, said))
    return [
        bullets(finding.evidence, _evidence_line),
        _sentences(finding, said),
        _unsettled(finding),
        "\n".join(_new(map(citation_line, finding.citations), said)),
        f"Local policy, not from a source: {policy}." if policy else "",
    ]


def _new(lines: Iterable[str], said: set[str]) -> Iterator[str]:
    """Yield the lines that the card does not say yet."""
    for line in lines:
        if line not in said:
            said.add(line)
            yield line


def _sentences(finding: Finding, said: set[str]) -> str:
    return " ".join(_new((filled(one.text, {**finding.values, **one.values}) for one in finding.detail), said))


def _evidence_line(one: Evidence) -> str:
    label = f"**{quoted(one.label) or 'recorded'}**"
    remarks = joined(one.remarks, quoted, ", ")
    facts = ", ".join(part for part in (quoted(one.value), one.date, _code(one.code), remarks) if part)
    return f"{label}{': ' + facts if facts else ''} ({reference(one.reference)})"


def _code(code: str) -> str:
    system, _, value = code.rpartition("|")
    return f"{_SYSTEMS.get(system, '')} {quoted(value)}".strip() if value else ""


def _unsettled(finding: Finding) -> str:
    if not finding.possible_level or not finding.missing:
        return ""
    why = reasons(replace(gap, reference="") for gap in finding.missing)
    return f"Could be {finding.possible_level.value}; not settled: {joined(why, in_words)}."
