"""Write the tables of docs/integrators.md that follow from the knowledge and the code.

    python -m tools.integrator_tables            write what differs
    python -m tools.integrator_tables --check    write nothing; exit status 1 if the page is not current

A table stands between ``<!-- table: NAME -->`` and ``<!-- end of table -->``; everything else is written by hand.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cds.engine.definitions import Definitions
from cds.engine.facts import Source
from cds.engine.rules import Knowledge, Level, Rule
from cds.fhir.bundle import MOST_ENTRIES
from cds.fhir.gaps import MOST_SINGLE
from cds.hooks.body import DEEPEST, LONGEST_STRING_BYTES, MOST_RESOURCES
from cds.hooks.drafts import MOST_DRAFTS
from cds.hooks.prefetch import sources, templates
from cds.hooks.services import SERVICES
from cds.knowledge.inputs import sources_of
from cds.knowledge.load import load_knowledge
from cds.knowledge.pages.markdown import link, table
from cds.service.orders import MOST_ORDERS
from cds.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "integrators.md"

_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL)
_LETTERS = {Level.CRITICAL: "C", Level.WARNING: "W", Level.INFO: "I"}
_HOLDS = {
    Source.PATIENT: "age, sex, death; whose record it is. **Required**",
    Source.ENCOUNTER: "whether the patient is in an emergency department, in hospital or an outpatient",
    Source.CONDITIONS: "problems and diagnoses of every status, also those that have ended",
    Source.ALLERGIES: "allergies and intolerances",
    Source.MEDICATIONS: "orders of every status: what the patient takes now, and what was tried before",
    Source.STATEMENTS: "what the patient is said to take besides",
    Source.DISPENSES: "what was dispensed, for how many days",
    Source.PROCEDURES: "procedures",
    Source.FLAGS: "flags, such as palliative care",
    Source.BLOOD_PRESSURE: "blood pressure",
    Source.DRUG_SCREENS: "drugs in urine",
}


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it, and return the exit status."""
    old = PAGE.read_text(encoding="utf-8")
    new = with_tables(old, load_knowledge(ROOT / "cards"))
    if "--check" in arguments:
        if new != old:
            print("Not current: docs/integrators.md. Write it anew: python -m tools.integrator_tables")
        return int(new != old)
    PAGE.write_text(new, encoding="utf-8")
    print(f"docs/integrators.md: {'changed' if new != old else 'was current'}")
    return 0


def with_tables(text: str, knowledge: Knowledge) -> str:
    """Return the page with every table written anew; a table whose name is not known is a KeyError."""

    def written(found: re.Match[str]) -> str:
        lines = "\n".join(TABLES[found[2]](knowledge)).strip()
        return f"{found[1]}\n{lines}\n\n{found[4]}"

    return _TABLE.sub(written, text)


def services(_knowledge: Knowledge) -> list[str]:
    """Return the services: hook and address."""
    rows = [(f"`{one.hook}`", f"`POST /cds-services/{one.id}`", one.title) for one in SERVICES.values()]
    return table(["hook", "address", "title"], rows)


def prefetch(knowledge: Knowledge) -> list[str]:
    """Return what each prefetch key is for, and how many rules read it."""
    readers = _readers(knowledge.rules, knowledge.definitions)
    rows = [
        (f"`{key}`", _resource(template), _held(source, knowledge), str(readers[source] or "all"))
        for key, template, source in _keys(knowledge)
    ]
    return table(["key", "FHIR resource", "what is in it", "rules that read it"], rows)


def queries(knowledge: Knowledge) -> list[str]:
    """Return key and query of every prefetch template, to be copied; a tab stands between the two."""
    return ["```tsv", *(f"{key}\t{template}" for key, template, _ in _keys(knowledge)), "```"]


def topics(knowledge: Knowledge) -> list[str]:
    """Return the topic codes that cards can carry: a rule's topic with a letter for every level that it can have."""
    rows = [
        (link(rule.title, f"knowledge/rules/{rule.id}.md"), rule.kind.replace("_", " "), *_codes(rule))
        for rule in sorted(knowledge.rules, key=lambda rule: rule.topic)
        if rule.card
    ]
    return table(["rule", "kind", "critical", "warning", "info"], rows)


def override_reasons(knowledge: Knowledge) -> list[str]:
    """Return the reasons for overriding a card."""
    rows = [(f"`{one.code}`", one.display, f"`{one.system}`") for one in knowledge.override_reasons.values()]
    return table(["code", "display", "system"], rows)


def limits(_knowledge: Knowledge) -> list[str]:
    """Return the limits of one call."""
    defaults = Settings.model_fields
    most: int = defaults["most_calls_at_once"].default
    rows = [
        ("size of a body", f"{defaults['max_body_bytes'].default:,} bytes (`CDS_MAX_BODY_BYTES`)", "413"),
        ("nesting of its JSON", f"{DEEPEST} levels", "400"),
        ("resources in it", f"{MOST_RESOURCES:,}", "400"),
        ("draft orders", f"{MOST_DRAFTS}", "400"),
        ("draft orders for ketamine or esketamine", f"{MOST_ORDERS}; fewer beside a very large record", "400"),
        ("active orders that patient-view looks at", f"the newest {MOST_ORDERS}", "none: a card says so"),
        ("entries of all searches together", f"{MOST_ENTRIES:,}", "none: unknown"),
        ("entries of one source that cannot be read", f"{MOST_SINGLE}", "none: the source is unknown"),
        ("one string", f"{LONGEST_STRING_BYTES:,} bytes", "400"),
        ("calls of a client a minute", f"{defaults['calls_per_minute'].default} (or as registered)", "429"),
        ("calls of a client at once, for each worker", f"{most // 2}: half of `CDS_MOST_CALLS_AT_ONCE`", "503"),
        ("refused tokens of an address a minute", str(defaults["failed_tokens_per_minute"].default), "429"),
        ("pages of one search that are read", f"{defaults['most_pages'].default} (`CDS_MOST_PAGES`)", "none: unknown"),
        ("time for an answer", f"{defaults['deadline_ms'].default} ms (or as registered)", "none: unknown, or 412"),
    ]
    return table(["what", "at most", "beyond it"], rows)


TABLES: Mapping[str, Callable[[Knowledge], list[str]]] = {
    "services": services,
    "prefetch": prefetch,
    "queries": queries,
    "topics": topics,
    "override-reasons": override_reasons,
    "limits": limits,
}
"""What writes each table, by the name that stands in the page."""


def _keys(knowledge: Knowledge) -> list[tuple[str, str, Source]]:
    """Return key, template and the part of the record for every prefetch template."""
    offered = templates(knowledge)
    parts = sources(offered)
    return [(key, template, parts[key]) for key, template in offered.items()]


def _resource(template: str) -> str:
    """Return the FHIR resource type that a query asks for."""
    return template.partition("?")[0].partition("/")[0]


def _held(source: Source, knowledge: Knowledge) -> str:
    """Return what a part of the record holds, for observations the names of what is looked for."""
    observations = knowledge.definitions.observations
    titles = (knowledge.value_sets[name].title for name, one in observations.items() if one.source == source.value)
    return _HOLDS.get(source) or ", ".join(sorted(titles))


def _readers(rules: Sequence[Rule], definitions: Definitions) -> dict[Source, int]:
    """Return how many rules read each part of the record; 0 for what the choice of rules itself rests on."""
    read = [source for rule in rules for source in sources_of(rule, definitions)]
    return {source: read.count(source) for source in Source}


def _codes(rule: Rule) -> list[str]:
    """Return the code at each level from critical to info: in brackets where only uncertain facts lead to it."""
    worst = min(level.rank for level in rule.levels)
    cells = []
    for level, letter in _LETTERS.items():
        code = f"`{rule.topic}{letter}`"
        cells.append("" if level.rank < worst else code if level in rule.levels else f"({code})")
    return cells


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
