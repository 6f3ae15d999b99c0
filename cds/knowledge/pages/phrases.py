"""Small phrases: lists, times, drugs, routes, and patterns as a reader would write them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds.engine.dates import Window
from cds.engine.order import Drug, OrderContext, Purpose


@dataclass(frozen=True, slots=True)
class Naming:
    """What value sets, rules and counts of trials are called, by their ids; as links where a page is written.

    `anchors` are the headings of named criteria on the same page, where there is one.
    """

    value_sets: Mapping[str, str]
    rules: Mapping[str, str]
    trials: Mapping[str, str]
    anchors: Mapping[str, str] = field(default_factory=dict)

    def sets(self, ids: Iterable[str], last: str = "or") -> str:
        """Return the names of value sets as a list."""
        return listed((self.value_sets[one] for one in ids), last)


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence without its full stop, and the clauses that stand below it."""

    text: str
    parts: tuple["Clause", ...] = ()

    def lines(self, depth: int = 0) -> list[str]:
        """Return it as an indented list in Markdown."""
        below = [line for part in self.parts for line in part.lines(depth + 1)]
        return [f"{'  ' * depth}- {self.text}", *below]


DRUGS = {
    Drug.KETAMINE: "ketamine",
    Drug.ESKETAMINE_NASAL: "nasal esketamine",
    Drug.ESKETAMINE_INJECTABLE: "injectable esketamine",
}
CONTEXTS = {
    OrderContext.THERAPY: "treatment",
    OrderContext.ACUTE_PAIN: "acute pain",
    OrderContext.PROCEDURAL: "anaesthesia, a procedure or an emergency",
}
PURPOSES = {Purpose.PAIN: "pain", Purpose.MOOD: "a mood disorder"}
HOOKS = {
    "order-select": "while the order is being written",
    "order-sign": "when the order is signed",
    "patient-view": "when the chart is opened",
}
_NOT_BESIDE = re.compile(r"\(\?<?!((?:[^()]|\([^()]*\))*)\)")
_PATTERNS = (
    (r"\(\?(?:[a-z]*-?[a-z]*:|<?=)", "("),
    (r"\((\w+)\)\?", r"(\1)"),
    (r"\\[bB]", ""),
    (r"\\w[*+]", "…"),
    (r"\.[*+]", " … "),
    (r"\\[sW][+*?]?", " "),
    (r"\\", ""),
    (r"\|", "/"),
    (r"(\w)\?", r"(\1)"),
    (r"[^\w\s)]?\?", ""),
    (r"…\s*…", "…"),
    (r"  +", " "),
)


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return words as people list them.

    >>> listed(["one", "two", "three"])
    'one, two or three'
    """
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def days(window: Window) -> str:
    """Return a look-back: how old something may be.

    >>> days(Window(1)), days(Window(30))
    ('of today or yesterday', 'of the last 30 days')
    """
    return "of today or yesterday" if window == Window(1) else f"of the last {window}"


def readable(patterns: Iterable[str]) -> str:
    r"""Return patterns as a reader would write them.

    >>> readable([r"ph(?:a)?eochromocytom\w*", "shunt"])
    '“ph(a)eochromocytom…” or “shunt”'
    >>> readable([r"(?<!no )(?<!awaiting )repairs?"])
    '“repair(s)” (but not beside “no” or “awaiting”)'
    """
    return listed(map(_readable, patterns))


def _readable(pattern: str) -> str:
    beside = [_plain(found).strip() for found in _NOT_BESIDE.findall(pattern)]
    not_beside = f" (but not beside {listed(f'“{one}”' for one in dict.fromkeys(beside))})" if beside else ""
    return f"“{_plain(_NOT_BESIDE.sub('', pattern)).strip()}”{not_beside}"


def _plain(pattern: str) -> str:
    for old, new in _PATTERNS:
        pattern = re.sub(old, new, pattern)
    return pattern


def spaced(name: str) -> str:
    """Return a name of words joined by _ as people write it."""
    return name.replace("_", " ")
