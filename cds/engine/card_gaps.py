"""The card on gaps: what was not read and why, and every check that rests on it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cds.engine.assessment import Assessment, Evidence, Finding
from cds.engine.facts import Gap, GapScope, name_of
from cds.engine.logic import Verdict
from cds.engine.rules import Knowledge
from cds.engine.wording import bullets, joined, quoted, reference

_UNUSED = "a value that could not be used"


def gap_parts(knowledge: Knowledge, finding: Finding, assessment: Assessment) -> list[str]:
    """Return the paragraphs of a card on gaps, but for its own sentences."""
    named = set(finding.missing)
    others = [gap for gap in assessment.gaps if gap not in named]
    return [
        bullets(reasons(finding.missing), in_words),
        bullets(reasons(others), lambda reason: f"Also not read: {in_words(reason)}"),
        _not_checked(knowledge, assessment),
    ]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why sources, or one entry or value of a source, could not be read; `reference` is empty for a whole source."""

    sources: tuple[str, ...]
    why: str
    reference: str


def reasons(gaps: Iterable[Gap]) -> list[Reason]:
    """Return why something could not be read, sources with the same reason together; whole sources come first."""
    sources: dict[tuple[bool, str, str], dict[str, None]] = defaultdict(dict)
    for gap in gaps:
        sources[gap.scope is not GapScope.SOURCE, gap.reference, gap.reason][name_of(gap.source)] = None
    in_order = sorted(sources.items(), key=lambda item: item[0][0])
    return [Reason(tuple(names), why, where) for (_, where, why), names in in_order]


def in_words(reason: Reason) -> str:
    """Return a reason as it stands on a card."""
    where = f" ({reference(reason.reference)})" if reason.reference else ""
    return f"{', '.join(reason.sources)}: {quoted(reason.why)}{where}"


def _not_checked(knowledge: Knowledge, assessment: Assessment) -> str:
    """Return every check that could not be made, by its cause, the cause of most checks first."""
    checks: dict[str, dict[str, None]] = defaultdict(dict)
    for rule, finding in zip(knowledge.rules, assessment.findings, strict=True):
        if rule.card and rule.card.not_checked and finding.verdict is Verdict.UNKNOWN:
            checks[_cause(finding.missing)][rule.card.not_checked + _on_record(finding)] = None
    lines = [
        f"- {cause} ({len(names)} checks): {'; '.join(names)}" if len(names) > 1 else f"- {next(iter(names))}: {cause}"
        for cause, names in sorted(checks.items(), key=lambda item: -len(item[1]))
    ]
    return "\n".join(["**Not checked**", *lines]) if lines else ""


def _cause(gaps: Iterable[Gap]) -> str:
    """Return a cause in a few words; why a source, an entry or a value could not be read stands above."""
    whole = dict.fromkeys(name_of(gap.source) for gap in gaps if gap.scope is GapScope.SOURCE)
    single = [gap for gap in gaps if gap.scope is not GapScope.SOURCE]
    others = reasons(replace(gap, reference="", reason=_UNUSED if gap.reference else gap.reason) for gap in single)
    return "; ".join(filter(None, (f"{', '.join(whole)} not read" if whole else "", joined(others, in_words))))


def _on_record(finding: Finding) -> str:
    """Return what is on record of a check that rests on an unread source as well; who the patient is says nothing."""
    if all(gap.scope is not GapScope.SOURCE for gap in finding.missing):
        return ""
    found = tuple(one for one in finding.evidence if not one.reference.startswith("Patient/"))
    return f" (on record: {joined(found, _fact, ', ')})" if found else ""


def _fact(one: Evidence) -> str:
    return " ".join(filter(None, (quoted(one.label), quoted(one.value), one.date)))
