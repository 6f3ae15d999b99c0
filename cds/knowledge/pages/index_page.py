"""The index: every rule by what it is about, and every value set."""

from collections.abc import Callable, Iterator, Sequence

from cds.engine.rules import Level, Rule
from cds.knowledge.overview import citations_of
from cds.knowledge.pages.codes import summary
from cds.knowledge.pages.library import DEFINITIONS, Library
from cds.knowledge.pages.markdown import NOTE, link, page, section, table
from cds.knowledge.pages.phrases import listed

_GROUPS: Sequence[tuple[str, Callable[[Rule], bool]]] = (
    ("Indications", lambda rule: rule.kind == "indication"),
    ("What is asked before treatment", lambda rule: rule.kind == "prerequisite"),
    ("Contraindications: absolute", lambda rule: rule.kind == "contraindication" and rule.strength == "absolute"),
    ("Contraindications: relative", lambda rule: rule.kind == "contraindication" and rule.strength != "absolute"),
    ("Cautions", lambda rule: rule.kind == "caution"),
    ("Interactions", lambda rule: rule.kind == "interaction"),
    ("Doses", lambda rule: rule.kind == "dose"),
    ("Approval and supply", lambda rule: rule.kind == "regulatory"),
    ("Monitoring", lambda rule: rule.kind == "monitoring"),
    ("What is missing or could not be checked", lambda rule: rule.kind == "data_gap"),
    ("Which rules run at all", lambda rule: rule.kind == "gate"),
)
_INTRODUCTION = """\
Everything that this service knows about ketamine and esketamine, in words. Every rule answers *found*, *not found* or
*unknown*; not found is never proof of absence. A card is **critical** for a contraindication of a product label, or a
guideline's relative contraindication in its uncontrolled or acute form; **warning** for another caution with a current
fact; **info** for evidence, history and what is missing. A number that no source supports is called local policy. What
is cited from memory only is marked so, and is to be checked in the source before clinical use.
"""


def index_page(library: Library) -> str:
    """Return the page."""
    knowledge = library.knowledge
    groups = [line for title, belongs in _GROUPS for line in section(title, _rules(belongs, library))]
    return page((
        "# The clinical knowledge",
        "",
        _INTRODUCTION,
        "",
        f"Version {knowledge.version}: {len(knowledge.rules)} rules, {len(knowledge.value_sets)} value sets.",
        "",
        f"What a trial, a class or a stale order is, is the same for all rules: {link('definitions', DEFINITIONS)}.",
        "",
        *groups,
        *section("Value sets", list(_value_sets(library))),
        NOTE,
    ))  # fmt: skip


def _rules(belongs: Callable[[Rule], bool], library: Library) -> list[str]:
    naming = library.naming("")
    rows = [
        (naming.rules[rule.id], _levels(rule), "; ".join(citations_of(rule)), str(len(library.cases[rule.id])))
        for rule in library.knowledge.rules
        if belongs(rule)
    ]
    return table(("Rule", "Levels", "Sources", "Cases"), rows)


def _levels(rule: Rule) -> str:
    return listed([level.value for level in Level if level in rule.levels], "or") if rule.levels else "no card"


def _value_sets(library: Library) -> Iterator[str]:
    yield "What a set does not cover stands on its page, first. Codes are in `cards/value_sets/`, as spreadsheets."
    yield ""
    naming = library.naming("")
    ordered = sorted(library.knowledge.value_sets.values(), key=lambda one: (library.title(one.id).lower(), one.id))
    rows = [(naming.value_sets[one.id], summary(one, library.systems), library.users(one.id)) for one in ordered]
    yield from table(("Value set", "Codes", "Rules"), rows)
