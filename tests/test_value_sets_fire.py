"""For every value set: every code in it, put into a healthy patient, fires what it should and nothing else.

What it should is data, tests/cards/value_sets_fire.yaml. A patient with one code costs some milliseconds, and there are
more than twenty thousand codes, so three questions are asked apart: does the engine find each code in exactly the sets
that hold it; does each code fire what it should among the rules that look for one of its sets; and is that all, asked
of all rules for one code of each combination of sets. Such a code is tried with the other orders as well.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import pytest

from cds.engine.facts import Coding
from cds.engine.terminology import PrefixRule, ValueSet
from tests.cards.answers import CARDS, knowledge
from tests.cards.fire_table import fire_table
from tests.cards.looking_rules import every_rule, rows_of, rules_that_look_for
from tests.cards.single_facts import SingleFact, fired
from tools.icd10cm_families import Classification, dotted

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
NAMES = sorted(path.stem for path in (CARDS / "value_sets").glob("*.yaml") if path.name != "derived.yaml")
FIRST = "infusion"
Sets = frozenset[str]

every_set = pytest.mark.parametrize("name", NAMES)


def test_each_value_set_says_what_it_fires() -> None:
    assert set(NAMES) == set(fire_table().sets)


def test_a_value_set_that_is_no_fact_about_a_patient_names_no_kind_of_fact() -> None:
    silent = {name for name, kinds in fire_table().sets.items() if not kinds}

    assert fire_table().no_facts == silent


def test_thousands_of_codes_are_tried() -> None:
    facts = {fact for name in NAMES for fact, _ in facts_of(name)}

    assert 20_000 < len(facts)


@every_set
def test_the_engine_finds_every_code_in_exactly_the_sets_that_hold_it(name: str) -> None:
    index = knowledge().index
    known = {code: sets_of_all_codes()[code] for code in codes_of(name)}

    found = {code: index.sets_of(coding_of(code)) for code in known}

    assert known == found


@every_set
def test_every_code_of_a_value_set_fires_what_it_should(name: str) -> None:
    """Among the rules that look for one of its sets; as which fact, the table says."""
    differ = {
        f"{fact.kind} {fact.code.code} {fact.code.display}": difference
        for fact, sets in facts_of(name)
        if (difference := difference_of(fact, sets, FIRST))
    }

    assert {} == differ


def test_every_word_for_a_drug_fires_what_its_value_sets_should() -> None:
    """An order without a code is known by the words of `text_terms`."""
    words = [SingleFact("medication", Coding("", "", word)) for word in sorted(terms())]
    differ = {
        word.code.display: difference
        for word in words
        if (difference := difference_of(word, sets_named_by(word.code.display), FIRST))
    }

    assert {} == differ


def test_a_code_of_each_combination_of_sets_fires_nothing_else() -> None:
    """All rules are asked, for one code of each combination of value sets and kind of fact."""
    differ = {}
    for fact, sets in one_of_each_combination():
        expected = fire_table().expected(fact.kind, sets, FIRST, rows_of(every_rule()))
        actual = fired(fact, FIRST, every_rule())
        if expected != actual:
            differ[f"{fact.kind} {fact.code.code} {fact.code.display} {sorted(sets)}"] = (expected, actual)

    assert {} == differ


@pytest.mark.parametrize("order", sorted(fire_table().orders.keys() - {FIRST}))
def test_a_code_of_each_combination_of_sets_fires_what_it_should_for_another_order(order: str) -> None:
    differ = {
        f"{fact.kind} {fact.code.code} {fact.code.display} {sorted(sets)}": difference
        for fact, sets in one_of_each_combination()
        if (difference := difference_of(fact, sets, order))
    }

    assert {} == differ


@pytest.mark.parametrize("order", list(fire_table().orders))
def test_the_healthy_patient_gets_only_what_every_patient_gets(order: str) -> None:
    expected = fire_table().expected("condition", (), order, rows_of(every_rule()))

    assert expected == fired(None, order, every_rule())


@cache
def difference_of(fact: SingleFact, sets: Sets, order: str) -> str:
    """Return what a fact should and does fire, where they differ, among the rules that look for one of its sets."""
    part = rules_that_look_for(sets)
    expected = fire_table().expected(fact.kind, sets, order, rows_of(part))
    actual = fired(fact, order, part) if part.rules else {}
    return "" if expected == actual else f"expected {expected}, fired {actual}"


# ---- which codes there are, and which sets hold them


@cache
def classification() -> Classification:
    """Return ICD-10-CM, read once."""
    return Classification()


@cache
def codes_of(name: str) -> tuple[tuple[str, str], ...]:
    """Return the codes of a set: those of its list, and those of ICD-10-CM that its families take."""
    value_set = knowledge().value_sets[name]
    return tuple(sorted({*value_set.codes, *_taken(value_set)}))


def _taken(value_set: ValueSet) -> Iterator[tuple[str, str]]:
    for rule in value_set.families.get(ICD10CM, ()):
        asked = (*classification().under(rule.prefixes), *rule.exact)
        yield from ((ICD10CM, code) for code in asked if code in classification() and rule.takes(code))


@cache
def sets_of_all_codes() -> Mapping[tuple[str, str], Sets]:
    """Return every code of every set with all sets that hold it, worked out without the engine's index."""
    held: dict[tuple[str, str], set[str]] = {}
    for name in NAMES:
        for code in codes_of(name):
            held.setdefault(code, set()).add(name)
    for name, system, rule in _families_of_other_systems():
        for code, names in held.items():
            if code[0] == system and rule.takes(code[1]):
                names.add(name)
    return {code: frozenset(names) for code, names in held.items()}


def _families_of_other_systems() -> Iterator[tuple[str, str, PrefixRule]]:
    """Yield the families that no classification is at hand for: they take what other sets list."""
    for value_set in knowledge().value_sets.values():
        for system, rules in value_set.families.items():
            if system != ICD10CM:
                yield from ((value_set.id, system, rule) for rule in rules)


def coding_of(code: tuple[str, str]) -> Coding:
    """Return a code with its display, as an EHR sends it."""
    system, value = code
    if system == ICD10CM:
        return Coding(system, dotted(value), classification().descriptions[value])
    return Coding(system, value, knowledge().index.displays[code])


def facts_of(name: str) -> Iterator[tuple[SingleFact, Sets]]:
    """Yield each code of a set as each fact that the table names, with all sets that it belongs to."""
    for kind in fire_table().sets[name]:
        for code in codes_of(name):
            yield from _fact(kind, code)


def _fact(kind: str, code: tuple[str, str]) -> Iterator[tuple[SingleFact, Sets]]:
    coding = coding_of(code)
    sets = sets_of_all_codes()[code]
    if kind in ("medication", "allergy"):
        sets |= sets_named_by(coding.display)
    yield SingleFact(kind, coding), sets


@cache
def sets_named_by(display: str) -> Sets:
    """Return the sets of which a term stands in a display as a whole word: drugs are known by their words as well."""
    found = (match.lower() for match in _term().findall(display))
    return frozenset(name for word in found for name in terms()[word])


@cache
def terms() -> Mapping[str, Sets]:
    """Return every word for a drug, with the sets that it names."""
    names: dict[str, set[str]] = {}
    for value_set in knowledge().value_sets.values():
        for term in value_set.text_terms:
            names.setdefault(term, set()).add(value_set.id)
    return {term: frozenset(found) for term, found in names.items()}


@cache
def _term() -> re.Pattern[str]:
    longest_first = sorted(terms(), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def one_of_each_combination() -> Iterable[tuple[SingleFact, Sets]]:
    """Return the first code of each combination of value sets, once for each kind of fact."""
    chosen: dict[tuple[str, Sets], SingleFact] = {}
    for name in NAMES:
        for fact, sets in facts_of(name):
            chosen.setdefault((fact.kind, sets), fact)
    return [(fact, sets) for (_, sets), fact in chosen.items()]
