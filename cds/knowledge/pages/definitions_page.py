"""The page of the shared definitions: what is the same for all rules, and the numbers in it that no source supports."""

from collections.abc import Iterator

from cds.engine.definitions import TrialDefinition, TrialGroup
from cds.engine.units import Quantity, plain
from cds.knowledge.definitions import Block
from cds.knowledge.pages.library import Library
from cds.knowledge.pages.markdown import NOTE, page, section, table
from cds.knowledge.pages.phrases import Naming, listed, spaced

_NAMED = {"child_pugh": "Child-Pugh"}
_DISTINCT = {"ingredient": "each ingredient counts once", "value_set": "each class counts once"}


def definitions_page(library: Library) -> str:
    """Return the page."""
    definitions = library.knowledge.definitions
    naming = library.naming("")
    trials = [line for one in definitions.trials.values() for line in section(one.title, _trials(one, naming))]
    return page((
        "# What is the same for all rules",
        "",
        *trials,
        *section("Child-Pugh class", list(_child_pugh(library))),
        *section("What can be measured", list(_observations(library))),
        *section("Local policy in the definitions", list(_local_policy(library))),
        NOTE,
    ))  # fmt: skip


def _trials(one: TrialDefinition, naming: Naming) -> list[str]:
    since = f", or since the onset of {naming.sets(one.since_onset_of)} if that is longer" if one.since_onset_of else ""
    most = f", at most {one.at_most_back}" if one.at_most_back else ""
    lines = [f"Looked for in the last {one.within}{since}{most}. What counts:", ""]
    lines += [f"- {_group(group, naming)}" for group in one.groups]
    if one.minimum_daily_doses:
        doses = listed((f"{name} {_daily(dose)}" for name, dose in sorted(one.minimum_daily_doses.items())), "and")
        lines += ["", f"Only from a daily dose: {doses}. A lower or unknown dose is listed and not counted."]
    return lines


def _daily(dose: Quantity) -> str:
    return f"{plain(dose.value)} {dose.unit.partition('/')[0]} a day"


def _group(group: TrialGroup, naming: Naming) -> str:
    what = naming.sets((*group.value_sets, *group.procedures))
    said = [f"{what}: {_DISTINCT[group.distinct_by]}"]
    said += [f"adequate from {group.exposure_at_least}"] if group.exposure_at_least else []
    said += ["only while a drug of another line is had as well"] if group.together else []
    said += [f"at most {group.counts_at_most} in all"] if group.counts_at_most else []
    said += [f"only with an active diagnosis of {naming.sets(group.only_with)}"] if group.only_with else []
    return ", ".join(said)


def _child_pugh(library: Library) -> Iterator[str]:
    scale, naming = library.knowledge.definitions.child_pugh, library.naming("")
    yield f"Values of the last {scale.within}."
    yield ""
    rows = [
        (naming.value_sets[value_set], *_points(low, high, library.knowledge.definitions.observations[value_set].worse))
        for value_set, low, high in (scale.bilirubin, scale.albumin, scale.inr)
    ]
    yield from table(("Value", "1 point", "2 points", "3 points"), rows)
    findings = (f"{naming.value_sets[name]} {points} points" for name, points in scale.findings.items())
    yield f"Recorded: {listed(findings, 'and')}; not recorded: 1 point each."
    classes = (f"{name} {low} to {high} points" for name, (low, high) in scale.classes.items())
    yield f"Classes: {listed(classes, 'and')}."


def _points(low: Quantity, high: Quantity, worse: str) -> tuple[str, str, str]:
    if worse == "lower":
        return f"above {high}", f"{high} to {low}", f"below {low}"
    return f"below {low}", f"{low} to {high}", f"above {high}"


def _observations(library: Library) -> Iterator[str]:
    naming = library.naming("")
    rows = []
    for name, one in library.knowledge.definitions.observations.items():
        believed = f"{plain(one.plausible[0])} to {plain(one.plausible[1])}" if one.plausible else ""
        limit = str(one.default_upper_limit) if one.default_upper_limit else ""
        rows.append((naming.value_sets[name], one.unit or "in words", one.worse if one.unit else "", believed, limit))
    head = ("Measured", "Unit", "Worse is", "Believed", "Upper limit where the report has none")
    yield from table(head, rows)


def _local_policy(library: Library) -> Iterator[str]:
    text = library.definitions
    blocks = {name: getattr(text, name) for name in type(text).model_fields}
    for name, block in blocks.items():
        parts = block.items() if isinstance(block, dict) else ((name, block),)
        for key, part in parts:
            if isinstance(part, Block):
                yield from (f"- {_NAMED.get(key) or spaced(key).capitalize()}: {line}" for line in part.local_policy)
