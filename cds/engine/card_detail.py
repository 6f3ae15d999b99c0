"""The detail of a card, in plain GitHub Flavored Markdown: what was found, why it matters, what could be done."""

from collections.abc import Sequence

from cds.engine.assessment import Assessment, Evidence, Finding
from cds.engine.facts import Gap, GapScope, name_of
from cds.engine.logic import Verdict
from cds.engine.order import OrderContext
from cds.engine.rules import Citation, Knowledge, Level, Rule
from cds.engine.wording import escaped, fill, reference

_SYSTEMS = {
    "http://snomed.info/sct": "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://loinc.org": "LOINC",
}
_FROM_MEMORY = "M"


def detail_of(knowledge: Knowledge, family: Sequence[tuple[Rule, Finding]], assessment: Assessment) -> str:
    """Return the detail of one card; the first finding leads, the others stand below it with their summaries."""
    parts = []
    for position, (rule, finding) in enumerate(family):
        if position:
            parts.append(f"**{escaped(finding.summary)}**")
        asks_for_gaps = "gaps" in finding.values
        parts += _gap_parts(knowledge, finding, assessment) if asks_for_gaps else _parts(rule, finding)
    if assessment.order.context is OrderContext.PROCEDURAL:
        parts.append(f"Procedural context assumed because {escaped(assessment.order.context_found)}.")
    return "\n\n".join(part for part in parts if part)


def folded_line(summary: str, level: Level) -> str:
    """Return a card that found no place of its own as one line of another."""
    return f"- {level.value}: {escaped(summary)}"


def _parts(rule: Rule, finding: Finding) -> list[str]:
    return [
        "\n".join(_evidence_line(one) for one in finding.evidence),
        _sentences(finding),
        _unsettled(finding),
        "\n".join(map(_citation_line, finding.citations)),
        f"Local policy, not from a source: {'; '.join(rule.local_policy)}." if rule.local_policy else "",
    ]


def _sentences(finding: Finding) -> str:
    filled = []
    for one in finding.detail:
        values = {name: escaped(value) for name, value in {**finding.values, **one.values}.items()}
        filled.append(fill(one.text, values))
    return " ".join(filled)


def _evidence_line(one: Evidence) -> str:
    label = f"**{escaped(one.label) or 'recorded'}**"
    facts = ", ".join(
        part for part in (escaped(one.value), one.date, _code(one.code), *map(escaped, one.remarks)) if part
    )
    return f"- {label}{': ' + facts if facts else ''} ({reference(one.reference)})"


def _code(code: str) -> str:
    system, _, value = code.rpartition("|")
    return f"{_SYSTEMS.get(system, '')} {escaped(value)}".strip() if value else ""


def _citation_line(citation: Citation) -> str:
    grade = f" (grade {citation.grade})" if citation.grade else ""
    if citation.sure == _FROM_MEMORY:
        return f"- Source, wording not checked against it: {citation.label}: {citation.statement}{grade}"
    return f"- Source: {citation.label}: {citation.statement}{grade}"


def _unsettled(finding: Finding) -> str:
    if not finding.possible_level or not finding.missing:
        return ""
    reasons = dict.fromkeys(f"{name_of(gap.source)}: {escaped(gap.reason)}" for gap in finding.missing)
    return f"Could be {finding.possible_level.value}; not settled: {'; '.join(reasons)}."


def _gap_parts(knowledge: Knowledge, finding: Finding, assessment: Assessment) -> list[str]:
    shown = "\n".join(f"- {name_of(gap.source)}: {_gap_words(gap)}" for gap in _distinct(finding.missing))
    others = [gap for gap in _distinct(assessment.gaps) if gap not in finding.missing]
    also = "\n".join(f"- Also not read: {name_of(gap.source)}: {_gap_words(gap)}" for gap in others)
    return [shown, also, _not_checked(knowledge, assessment), _sentences(finding)]


def _not_checked(knowledge: Knowledge, assessment: Assessment) -> str:
    lines = dict.fromkeys(
        f"- {rule.card.not_checked}: {_cause(finding)}"
        for rule, finding in zip(knowledge.rules, assessment.findings, strict=True)
        if rule.card and rule.card.not_checked and finding.verdict is Verdict.UNKNOWN
    )
    return "**Not checked**\n" + "\n".join(lines) if lines else ""


def _cause(finding: Finding) -> str:
    whole = any(gap.scope is GapScope.SOURCE for gap in finding.missing)
    evidence = finding.evidence if whole else ()
    recorded = [" ".join(filter(None, (escaped(one.label), escaped(one.value), one.date))) for one in evidence]
    causes = dict.fromkeys(_cause_words(gap) for gap in finding.missing)
    judged = f" ({', '.join(recorded)}: recorded, and could not be judged)" if recorded else ""
    return "; ".join(causes) + judged


def _cause_words(gap: Gap) -> str:
    """Return a cause in a few words; why a source, an entry or a value could not be read stands above."""
    if gap.scope is GapScope.SOURCE:
        return f"{name_of(gap.source)} not read"
    if gap.reference:
        return f"{name_of(gap.source)}: a value that could not be used"
    return f"{name_of(gap.source)}: {escaped(gap.reason)}"


def _distinct(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    return tuple({(gap.source, gap.reason, gap.reference): gap for gap in gaps}.values())


def _gap_words(gap: Gap) -> str:
    return escaped(gap.reason) + (f" ({reference(gap.reference)})" if gap.reference else "")
