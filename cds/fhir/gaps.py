"""Keep the list of gaps short without losing that something is not known.

Every criterion looks at the gaps, and an EHR can send any number of entries that cannot be read.
"""

from collections import Counter
from collections.abc import Iterable

from cds.engine.facts import Gap, GapScope, Source

MOST_SINGLE = 200
"""How many gaps of single entries and values one source may have; beyond, the source counts as not read."""
MOST_CODINGS = 2_000
"""How many codes those gaps may have together."""
_MOST_REASONS = 10


def bounded(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Return the gaps, equal ones once; where a source has too many single ones, one of the whole source instead.

    A gap of the whole source says more than all those of its entries: nothing that is not found in it is believed. Of
    very many gaps of a whole source the first ones stay, with how many more there are.

    >>> many = [Gap(Source.CONDITIONS, GapScope.ENTRY, "no code", f"Condition/{number}") for number in range(201)]
    >>> [(gap.scope.value, gap.reason) for gap in bounded(many)]
    [('source', 'more than 200 of its entries or values could not be read')]
    """
    every = tuple(dict.fromkeys(gaps))
    flooded = _flooded(every)
    whole: Counter[Source] = Counter()
    kept: list[Gap] = []
    for gap in every:
        is_whole = gap.scope is GapScope.SOURCE
        whole[gap.source] += is_whole
        if (whole[gap.source] <= _MOST_REASONS) if is_whole else (gap.source not in flooded):
            kept.append(gap)
    reason = f"more than {MOST_SINGLE} of its entries or values could not be read"
    added = [Gap(source, GapScope.SOURCE, reason) for source in flooded]
    more = {source: number - _MOST_REASONS for source, number in whole.items() if number > _MOST_REASONS}
    added += [Gap(source, GapScope.SOURCE, f"and for {number} more reasons") for source, number in more.items()]
    return tuple(dict.fromkeys((*kept, *added)))


def _flooded(gaps: tuple[Gap, ...]) -> tuple[Source, ...]:
    """Return the sources with more single gaps, or more codes in them, than are looked at one by one."""
    number: Counter[Source] = Counter()
    codings: Counter[Source] = Counter()
    for gap in gaps:
        if gap.scope is not GapScope.SOURCE:
            number[gap.source] += 1
            codings[gap.source] += len(gap.codings)
    return tuple(one for one in number if number[one] > MOST_SINGLE or codings[one] > MOST_CODINGS)
