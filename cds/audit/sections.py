"""The redactable sections of a record, as JSON: subject, request, facts and rules.

The answer's bytes are a section of their own, kept exactly as sent, and so need no function here.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cds.audit.canonical import JsonValue
from cds.audit.codec import decode, encode
from cds.audit.members import Section, children
from cds.audit.record import Call, DecisionRecord, NotApplicableRecord, Record
from cds.engine.assessment import Assessment, Evidence, Finding
from cds.engine.card import Card
from cds.engine.facts import (
    Allergy,
    Condition,
    Encounter,
    Fact,
    Flag,
    Medication,
    Observation,
    Patient,
    PatientFacts,
    Procedure,
)
from cds.engine.logic import Verdict
from cds.engine.quiet import Earlier, EarlierCard
from cds.engine.rules import Citation, Rule

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ORIGIN = ("reference", "origin", "source", "version")
_KINDS: Mapping[str, type[Fact]] = {
    kind.__name__.lower(): kind
    for kind in (Patient, Condition, Observation, Medication, Allergy, Procedure, Flag, Encounter)
}

_NAMES = {kind: name for name, kind in _KINDS.items()}
_SAID = {
    "level": "level",
    "possibleLevel": "possible_level",
    "missing": "missing",
    "notes": "notes",
    "values": "values",
    "withheld": "withheld",
    "summary": "summary",
    "detail": "detail",
}


def is_uuid(text: str) -> bool:
    """Say whether a text is a UUID and nothing else: only then may it stand in an envelope."""
    return bool(_UUID.fullmatch(text))


def subject_section(call: Call) -> Section:
    """Return whom the call was about and who the user was."""
    return _filled(encode(call.subject))


def request_section(record: Record) -> Section:
    """Return what was asked and from where each part of the data came; of the body only its digest and size."""
    call = record.call
    section: Section = {
        "bodySha256": hashlib.sha256(call.body).hexdigest(),
        "bodyBytes": len(call.body),
        "caller": {key: value for key, value in _filled(encode(call.caller)).items() if key != "client"},
        "hookInstance": "" if is_uuid(call.hook_instance) else call.hook_instance,
        "sources": encode(call.sources),
        "gaps": encode(call.gaps),
        "uuids": encode(call.uuids),
        "drafts": encode(call.drafts),
        "settings": encode(call.settings),
        "extensions": encode(call.extensions),
        "notes": encode(call.notes),
    }
    if isinstance(record, DecisionRecord):
        section["context"] = encode(record.context)
        section["orders"] = [encode(assessment.order) for assessment in record.assessments]
        section["earlier"] = _earlier(record.earlier)
    if isinstance(record, NotApplicableRecord):
        section["drugs"] = encode(record.drugs)
    return {key: value for key, value in section.items() if value not in ("", [], {})}


def facts_section(facts: PatientFacts) -> Section:
    """Return every fact that the rules could read, numbered ``f1``, ``f2`` ..., with all that was missing.

    Nothing is lost: `facts_from` gives the same `PatientFacts` back.
    """
    rest = replace(
        facts,
        patient=None,
        conditions=(),
        observations=(),
        medications=(),
        allergies=(),
        procedures=(),
        flags=(),
        encounter=None,
    )
    return _filled(encode(rest)) | {"facts": [_fact(number, fact) for number, fact in enumerate(facts, start=1)]}


def facts_from(section: Section) -> PatientFacts:
    """Rebuild the facts that an assessment was given from a record's facts section.

    Raises:
        KeyError, TypeError, ValueError: if the section was not made by `facts_section`.
    """
    rest = dict(section)
    read = [_read_fact(entry) for entry in children({"facts": rest.pop("facts")}, "facts")]
    return replace(
        decode(PatientFacts, rest),
        patient=next((fact for fact in read if isinstance(fact, Patient)), None),
        conditions=tuple(fact for fact in read if isinstance(fact, Condition)),
        observations=tuple(fact for fact in read if isinstance(fact, Observation)),
        medications=tuple(fact for fact in read if isinstance(fact, Medication)),
        allergies=tuple(fact for fact in read if isinstance(fact, Allergy)),
        procedures=tuple(fact for fact in read if isinstance(fact, Procedure)),
        flags=tuple(fact for fact in read if isinstance(fact, Flag)),
        encounter=next((fact for fact in read if isinstance(fact, Encounter)), None),
    )


def rules_section(record: DecisionRecord) -> Section:
    """Return for each assessed order the verdict of every rule, in the order of the knowledge, and which cards came."""
    rules = {rule.id: rule for rule in record.rules}
    numbers = _numbers(record.facts)
    return {
        "assessments": [_assessment(assessment, rules, numbers) for assessment in record.assessments],
        "cards": [_card(card) for card in record.cards],
        "silenced": [_card(one.card) | {"summary": one.card.summary, "why": one.why} for one in record.silenced],
    }


def _card(card: Card) -> Section:
    """Return what tells a card from others; the card itself stands in the answer."""
    return {
        "topic": card.topic,
        "level": card.level.value,
        "drug": card.drug,
        "route": card.route,
        "fingerprint": card.fingerprint,
        "rules": list(card.rules),
    }


def earlier_from(section: Section) -> Earlier:
    """Rebuild what the user was known to have seen from a record's request section.

    Raises:
        KeyError, TypeError, ValueError: if the section was not made by `request_section`.
    """
    groups = {name: tuple(map(_read_earlier, children(section, name))) for name in ("overridden", "sent")}
    return Earlier(overridden=groups["overridden"], sent=groups["sent"])


def _read_earlier(card: Section) -> EarlierCard:
    topic, drug, route, fingerprint, at = (str(card[name]) for name in ("topic", "drug", "route", "fingerprint", "at"))
    return EarlierCard(topic, drug, route, fingerprint, datetime.fromisoformat(at))


def _earlier(earlier: Earlier) -> Section:
    groups = {"overridden": earlier.overridden, "sent": earlier.sent}
    return {name: [_earlier_card(card) for card in cards] for name, cards in groups.items() if cards}


def _earlier_card(card: EarlierCard) -> JsonValue:
    return {
        "topic": card.topic,
        "drug": card.drug,
        "route": card.route,
        "fingerprint": card.fingerprint,
        "at": card.at.isoformat(),
    }


def _assessment(assessment: Assessment, rules: Mapping[str, Rule], numbers: Mapping[str, str]) -> JsonValue:
    return {
        "order": assessment.order.medication.provenance.reference,
        "rules": [_finding(finding, rules[finding.rule_id], numbers) for finding in assessment.findings],
        "gaps": encode(assessment.gaps),
        "remarks": encode(assessment.remarks),
    }


def _finding(finding: Finding, rule: Rule, numbers: Mapping[str, str]) -> JsonValue:
    entry: Section = {
        "ruleId": finding.rule_id,
        "version": rule.version,
        "title": rule.title,
        "kind": rule.kind,
        "topic": rule.topic,
        "verdict": finding.verdict.value,
    }
    said: Section = {name: encode(getattr(finding, field)) for name, field in _SAID.items() if getattr(finding, field)}
    if finding.evidence:
        said["because"] = [_evidence(evidence, numbers) for evidence in finding.evidence]
    if finding.verdict is Verdict.PRESENT:
        said["citations"] = [_citation(citation) for citation in finding.citations]
        said["localPolicy"] = encode(rule.local_policy)
    elif finding.citations:
        said["citations"] = [citation.source for citation in finding.citations]
    return entry | said


def _evidence(evidence: Evidence, numbers: Mapping[str, str]) -> JsonValue:
    fact: Section = {"fact": numbers[evidence.reference]} if evidence.reference in numbers else {}
    return fact | _filled(encode(evidence))


def _citation(citation: Citation) -> JsonValue:
    words = {name: getattr(citation, name) for name in ("source", "label", "statement", "grade", "sure", "url")}
    return {name: value for name, value in words.items() if value}


def _numbers(facts: PatientFacts) -> Mapping[str, str]:
    numbered = [(fact.provenance.reference, f"f{number}") for number, fact in enumerate(facts, start=1)]
    return {reference: number for reference, number in reversed(numbered) if reference}


def _fact(number: int, fact: Fact) -> JsonValue:
    entry = _filled(encode(fact))
    entry |= _filled(entry.pop("provenance"))
    entry["factId"], entry["factType"] = f"f{number}", _NAMES[type(fact)]
    return entry


def _read_fact(entry: Section) -> Fact:
    provenance: Section = {key: entry[key] for key in _ORIGIN if key in entry}
    rest = {key: value for key, value in entry.items() if key not in {"factId", "factType", *_ORIGIN}}
    return decode(_KINDS[str(entry["factType"])], rest | {"provenance": provenance})


def _filled(value: JsonValue) -> Section:
    if not isinstance(value, dict):
        raise TypeError(f"Expected an object, found {type(value).__name__}.")
    return value
