"""The codes of a value set in words: how many of each system, and families as a reader writes them."""

import re
from collections import Counter
from collections.abc import Iterator

from cds.engine.terminology import PrefixRule, ValueSet
from cds.knowledge.code_systems import CodeSystems
from cds.knowledge.pages.phrases import listed

_ICD = re.compile(r"[A-Z]\d[0-9A-Z]")


def counts(value_set: ValueSet, systems: CodeSystems) -> tuple[tuple[str, int, int], ...]:
    """Return for each code system, in the order of the file, its name and how many codes and families the set has."""
    codes = Counter(system for system, _ in value_set.codes)
    families = {system: len(rules) for system, rules in value_set.families.items()}
    return tuple(
        (systems.titles[name], codes[uri], families.get(uri, 0))
        for name, uri in systems.uris.items()
        if codes[uri] or families.get(uri)
    )


def summary(value_set: ValueSet, systems: CodeSystems) -> str:
    """Return the counts in one line.

    Example: ``SNOMED CT: 12 codes; ICD-10-CM (United States): 2 codes and 1 family``.
    """
    parts = []
    for title, codes, families in counts(value_set, systems):
        said = [_number(codes, "code", "codes")] if codes else []
        said += [_number(families, "family", "families")] if families else []
        parts.append(f"{title}: {' and '.join(said)}")
    return "; ".join(parts) or "no codes"


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def family_words(value_set: ValueSet, systems: CodeSystems) -> Iterator[str]:
    """Yield every family of codes in words."""
    for name, uri in systems.uris.items():
        for rule in value_set.families.get(uri, ()):
            yield f"{systems.titles[name]}: {_family(rule)}"


def _family(rule: PrefixRule) -> str:
    said = [f"{listed(map(dotted, rule.prefixes), 'and')} with all codes below"] if rule.prefixes else []
    said += [f"exactly {listed(map(dotted, sorted(rule.exact)), 'and')}"] if rule.exact else []
    text = "; ".join(said)
    if rule.except_:
        text += f"; without {listed(map(dotted, rule.except_), 'and')}"
    if rule.seventh_characters:
        text += f"; only with the seventh character {listed(sorted(rule.seventh_characters))}"
    if rule.except_seventh_characters:
        text += f"; without the seventh character {listed(sorted(rule.except_seventh_characters))}"
    return text


def dotted(code: str) -> str:
    """Return a code of ICD-10 or ICD-10-CM with its dot; other codes as they are.

    >>> dotted("H401190"), dotted("F20"), dotted("29303009")
    ('H40.1190', 'F20', '29303009')
    """
    return f"{code[:3]}.{code[3:]}" if _ICD.match(code) and len(code) > 3 else code


def first_codes(value_set: ValueSet, systems: CodeSystems, most: int) -> Iterator[tuple[str, str, str]]:
    """Yield the first codes of each system: system, code, what it means."""
    for name, uri in systems.uris.items():
        own = [(code, member.display) for (system, code), member in value_set.codes.items() if system == uri]
        is_icd = name in {"icd10", "icd10cm"}
        yield from ((systems.titles[name], dotted(code) if is_icd else code, display) for code, display in own[:most])
