"""Decide a recorded call again, from nothing but its record, and compare what comes of it byte by byte."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import unified_diff
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from cds.audit.canonical import canonical
from cds.audit.codec import decode
from cds.audit.members import Section, child, children, text, texts
from cds.audit.record import Call, Caller, DecisionRecord, KnowledgeVersion, RecordType
from cds.audit.sections import earlier_from, facts_from, rules_section
from cds.audit.stored_record import StoredRecord
from cds.engine.assess import assess
from cds.engine.derive.drug import recognise
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import Concept, HookContext, Medication, MedicationKind, PatientFacts, Provenance, Source
from cds.engine.render import compose
from cds.engine.rules import Knowledge
from cds.engine.scene import local_day
from cds.errors import AuditError, KnowledgeError
from cds.hooks.services import SOURCE_ATTRIBUTES
from cds.hooks.suggestions import Desk
from cds.hooks.wire import NO_CARDS, Writing, write_cards
from cds.knowledge.load import load_knowledge
from cds.knowledge.package import unpack
from cds.service.ports import is_valid

_NEEDED = {"subject", "request", "facts", "rules", "cards", "shadow"}
_MOST_LINES = 200


class ReplayOutcome(StrEnum):
    """What a replay says."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of deciding a recorded call again.

    Attributes:
        outcome: in one word.
        why: why it cannot be told.
        difference: where the sections differ, as lines of a unified diff; ``-`` was recorded, ``+`` came now.
    """

    outcome: ReplayOutcome
    why: str = ""
    difference: tuple[str, ...] = ()


def replay(record: StoredRecord, package: Callable[[str], bytes]) -> Replay:
    """Run the recorded facts through the recorded knowledge.

    Args:
        record: the record.
        package: returns the knowledge package with this SHA-256 (hex), may raise an AuditError.
    """
    committed = child(record.envelope, "sections").keys()
    needed = committed & _NEEDED
    if text(record.envelope, "type") != RecordType.DECISION.value:
        return _cannot_tell("It is no decision.")
    if gone := sorted(needed & set(record.redacted)):
        return _cannot_tell(f"Redacted: {', '.join(gone)}.")
    if record.altered:
        return _cannot_tell(f"Not as recorded: {', '.join(record.altered)}.")
    try:
        knowledge = _load(package(text(child(record.envelope, "knowledge"), "sha256")))
        made = _decide(record, knowledge) if "facts" in committed else _look_again(record, knowledge)
    except (AuditError, KnowledgeError) as error:
        return _cannot_tell(f"The knowledge that decided cannot be used: {error}")
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        return Replay(ReplayOutcome.DIFFERENT, f"This version cannot read the record ({type(error).__name__}).")
    if "shadow" in committed:
        made |= {"shadow": made["cards"], "cards": NO_CARDS}
    lines = [line for name, content in made.items() for line in _difference(name, record.content(name), content)]
    return Replay(ReplayOutcome.DIFFERENT if lines else ReplayOutcome.IDENTICAL, "", tuple(lines[:_MOST_LINES]))


def _decide(record: StoredRecord, knowledge: Knowledge) -> dict[str, bytes]:
    """Return the rules and cards sections anew."""
    request, facts = record.section("request"), facts_from(record.section("facts"))
    context = decode(HookContext, child(request, "context"))
    at = datetime.fromisoformat(text(record.envelope, "at"))
    orders = [decode(Medication, child(order, "medication")) for order in children(request, "orders")]
    readings = [read_order(order, facts, context, knowledge, at) for order in orders]
    assessments = tuple(assess(knowledge, facts, one, context, at) for one in readings if one)
    known = earlier_from(child(request, "earlier"))
    earlier = replace(known, at=at, today=local_day(at, context), hook=context.hook)
    rendered = compose(knowledge, assessments, earlier)
    again = DecisionRecord(
        _call(record), context, facts, assessments, knowledge.rules, rendered.cards, rendered.silenced, earlier
    )
    cards = write_cards(rendered.cards, _writing(record, facts, context, knowledge))
    return {"rules": canonical(rules_section(again)), "cards": cards}


def _look_again(record: StoredRecord, knowledge: Knowledge) -> dict[str, bytes]:
    """Return the answer anew to a call that no rule was about: none of its drugs may be recognised now."""
    for drug in children(record.section("request"), "drugs"):
        medication = Medication(Provenance("", "", Source.MEDICATIONS), MedicationKind.REQUEST, decode(Concept, drug))
        if recognise(medication, knowledge):
            return {"cards": b'"an order that the rules are about"'}
    return {"cards": NO_CARDS}


def _writing(record: StoredRecord, facts: PatientFacts, context: HookContext, knowledge: Knowledge) -> Writing:
    request = record.section("request")
    uuids, base_url = iter(texts(request, "uuids")), _setting(request, "baseUrl")
    drafts = {name: str(raw).encode() for name, raw in child(request, "drafts").items()}
    rules = {rule.topic: rule.id for rule in knowledge.rules}
    encounter = context.encounter.removeprefix("Encounter/")

    def link(topic: str) -> str:
        return f"{base_url}{SOURCE_ATTRIBUTES.format(rule_id=rules[topic])}" if base_url else ""

    desk = Desk(facts.patient_id, encounter, is_valid, drafts)
    return Writing(text(record.envelope, "id"), lambda: next(uuids), desk, link)


def _call(record: StoredRecord) -> Call:
    """Return the call as far as the sections that are compared need one."""
    envelope = record.envelope
    at = datetime.fromisoformat(text(envelope, "at"))
    return Call(text(envelope, "id"), at, "", "", Caller(""), 200, KnowledgeVersion("", ""))


def _setting(request: Section, name: str) -> str:
    return text(child(request, "settings"), name)


@lru_cache(maxsize=4)
def _load(package: bytes) -> Knowledge:
    with tempfile.TemporaryDirectory() as folder:
        unpack(package, Path(folder))
        return load_knowledge(Path(folder))


def _difference(name: str, recorded: bytes, made: bytes) -> Iterator[str]:
    if recorded != made:
        before, after = (_lines(content) for content in (recorded, made))
        yield from unified_diff(before, after, f"{name} as recorded", f"{name} now", lineterm="", n=2)


def _lines(content: bytes) -> list[str]:
    return json.dumps(json.loads(content), indent=1, ensure_ascii=False).splitlines()


def _cannot_tell(why: str) -> Replay:
    return Replay(ReplayOutcome.CANNOT_TELL, why)
