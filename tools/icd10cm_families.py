"""ICD-10-CM families that need no description at run time.

A clinician writes a family as prefixes, with a word that its description must or must not have ("in remission").
The classification is not there when the service runs, so such a rule is compiled here, against the classification,
into prefixes, exact codes and exceptions that say the same. A test proves that they do, code by code.
"""

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

SEVENTH = slice(6, 7)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of codes, without dots: exact codes, and what is at or below the prefixes less the exceptions.

    Attributes:
        seventh: if given, the prefixes take only codes whose 7th character is one of these.
        except_seventh: the prefixes take no code whose 7th character is one of these.
    """

    prefixes: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    seventh: tuple[str, ...] = ()
    except_seventh: tuple[str, ...] = ()

    def takes(self, code: str) -> bool:
        """Say whether a code (no dots, upper case) is in the family."""
        if code in self.exact:
            return True
        if not code.startswith(self.prefixes) or code.startswith(self.except_):
            return False
        return (not self.seventh or code[SEVENTH] in self.seventh) and code[SEVENTH] not in self.except_seventh

    @property
    def additions(self) -> int:
        """Return how much there is to read beside the prefixes."""
        return sum(len(part) for part in (self.exact, self.except_, self.seventh, self.except_seventh))


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A clinician's rule: prefixes and exact codes, and what the description of a prefixed code must (not) say."""

    prefixes: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    exclude: str = ""
    only: str = ""

    @property
    def needs_descriptions(self) -> bool:
        """Say whether the rule cannot be read without the classification."""
        return bool(self.exclude or self.only)


class Classification:
    """ICD-10-CM: every code (no dots, no chapters or blocks) with its full description."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the package itself, when it is imported
            import simple_icd_10_cm as icd10cm

        codes = {code for code in icd10cm.get_all_codes() if icd10cm.is_category_or_subcategory(code)}
        self.descriptions: dict[str, str] = {undotted(code): icd10cm.get_description(code) for code in codes}
        self._sorted = sorted(self.descriptions)

    def __contains__(self, code: str) -> bool:
        return code in self.descriptions

    def under(self, prefixes: Iterable[str]) -> list[str]:
        """Return the codes at or below the prefixes, sorted."""
        found: set[str] = set()
        for prefix in prefixes:
            start = bisect_left(self._sorted, prefix)
            found.update(self._sorted[start : bisect_left(self._sorted, prefix + "~", start)])
        return sorted(found)

    def taken_by(self, families: Iterable[Family]) -> set[str]:
        """Return the codes that one of the families takes."""
        found: set[str] = set()
        for family in families:
            found.update(code for code in (*self.under(family.prefixes), *family.exact) if family.takes(code))
        return found & self.descriptions.keys()


def undotted(code: str) -> str:
    """Return a code as families hold it.

    >>> undotted("g90.511")
    'G90511'
    """
    return code.replace(".", "").strip().upper()


def dotted(code: str) -> str:
    """Return a code as people write it.

    >>> dotted("G90511"), dotted("F05")
    ('G90.511', 'F05')
    """
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


def members(rule: WrittenRule, classification: Classification) -> set[str]:
    """Return the codes of the classification that a clinician's rule takes, by prefix, code and description."""
    under = set(classification.under(rule.prefixes))
    says = classification.descriptions
    if rule.exclude:
        under = {code for code in under if not re.search(rule.exclude, says[code], re.IGNORECASE)}
    if rule.only:
        under = {code for code in under if re.search(rule.only, says[code], re.IGNORECASE)}
    return under | {code for code in rule.exact if code in classification}


def compiled(rule: WrittenRule, classification: Classification) -> Family:
    """Return the family that takes the same codes of the classification as the rule."""
    if not rule.needs_descriptions:
        return Family(prefixes=rule.prefixes, exact=rule.exact)
    return shortest(rule.prefixes, members(rule, classification), classification)


def shortest(prefixes: tuple[str, ...], inside: set[str], classification: Classification) -> Family:
    """Return the family that takes exactly the codes `inside`, all of which are under the prefixes.

    The prefixes as written with few exceptions are preferred to a list of what remains.
    """
    under = classification.under(prefixes)
    outside = set(under) - inside
    tops, leaves = _cover(inside, under)
    kept = (
        Family(prefixes=prefixes),
        Family(prefixes=prefixes, seventh=_sevenths(inside)),
        Family(prefixes=prefixes, except_seventh=_sevenths(outside)),
        Family(prefixes=prefixes, except_=tuple(sorted(sum(_cover(outside, under), ())))),
    )
    costs = {family: family.additions for family in kept}
    costs[Family(prefixes=tops, exact=leaves)] = len(tops) + len(leaves)
    cheapest_first = sorted(costs, key=costs.__getitem__)
    return next(family for family in cheapest_first if {code for code in under if family.takes(code)} == inside)


def _sevenths(codes: set[str]) -> tuple[str, ...]:
    return tuple(sorted({code[SEVENTH] for code in codes} - {""}))


def _cover(codes: set[str], under: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes as headers whose whole subtree is in `codes`, and the single codes that remain."""
    ordered = list(under)
    mixed = {code[:length] for code in ordered if code not in codes for length in range(3, len(code) + 1)}
    parents = {code[:length] for code in ordered for length in range(3, len(code))}
    tops: list[str] = []
    leaves: list[str] = []
    for code in ordered:
        if code not in codes or any(code.startswith(top) for top in tops[-1:]):
            continue  # in sorted order a code follows its header and whatever else is below it
        if code in mixed or code not in parents:
            leaves.append(code)
        else:
            tops.append(code)
    return tuple(tops), tuple(leaves)
