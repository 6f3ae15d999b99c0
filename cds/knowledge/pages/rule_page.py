"""The page of a rule: what it says and when, in words, with its numbers, codes, cases and sources."""

from collections.abc import Iterator
from dataclasses import replace

from cds.engine.facts import name_of
from cds.engine.rules import Level, Line, Rule, SuggestionText
from cds.knowledge.inputs import sources_of, value_sets_of
from cds.knowledge.overview import graded
from cds.knowledge.pages.clauses import anchors, clause_of, in_one_line, named_in
from cds.knowledge.pages.codes import first_codes, summary
from cds.knowledge.pages.library import RULES, Library
from cds.knowledge.pages.markdown import NOTE, as_shown, link, page, section, table
from cds.knowledge.pages.phrases import CONTEXTS, DRUGS, HOOKS, PURPOSES, Naming, listed, spaced
from cds.knowledge.pages.supports import SURE, supported_thresholds

_CODES = 3
_LETTERS = {Level.CRITICAL: "C", Level.WARNING: "W", Level.INFO: "I"}


def rule_page(rule: Rule, library: Library) -> str:
    """Return the page."""
    return page((
        f"# {rule.title}",
        "",
        *table(("", ""), _facts(rule, library)),
        "## What it says, and when",
        "",
        *_levels(rule, library),
        *section("Also on the card", list(_detail(rule, library))),
        *section("When no card is shown although it is found", list(_withheld(rule, library))),
        *_where(rule, library),
        *section("Numbers", _numbers(rule)),
        *section("Local policy", [f"- {_text(line, rule, library)}" for line in _policy(rule)]),
        *section("Codes", _codes(rule, library)),
        *section("Sources", list(_sources(rule, library))),
        *section("Cases that prove it", _cases(rule, library)),
        *section("Source attributes", _attributes(rule, library)),
        NOTE,
    ))  # fmt: skip


def _facts(rule: Rule, library: Library) -> Iterator[tuple[str, str]]:
    strength = f", {rule.strength}" if rule.strength in {"absolute", "relative"} else ""
    yield "Kind", f"{spaced(rule.kind)}{strength}"
    yield "For orders of", listed((DRUGS[drug] for drug in DRUGS if drug in rule.applies.drugs), "and")
    yield "Given for", "; ".join(_contexts(rule))
    if rule.applies.purposes:
        yield "Only if the order is for", listed(PURPOSES[one] for one in PURPOSES if one in rule.applies.purposes)
    needs = [name_of(source) for source in sources_of(rule, library.knowledge.definitions)]
    yield "Needs of the record", ", ".join(needs) or "nothing but the order"
    if rule.applies.hooks:
        yield "Only", listed(HOOKS[hook] for hook in HOOKS if hook in rule.applies.hooks)
    same = [one for one in library.knowledge.rules if one.family == rule.family and one.id != rule.id]
    if same and rule.card:
        yield "Shares a card with", listed((library.naming(RULES).rules[one.id] for one in same), "and")
    if rule.card:
        yield "In a renewal", _renewal(rule)
        topics = (f"{rule.topic}{letter}" for level, letter in _LETTERS.items() if level in rule.card.summaries)
        yield "Topic of the card", ", ".join(topics)
    yield "Row of the clinical rules", ", ".join(rule.implements)
    yield "Version", f"{rule.version}; last revised {rule.reviewed_on} ({rule.reviewed_by})"
    yield "To be reviewed again by", rule.review_next
    target = f"../../../{library.folder.name}/{rule.file.partition('/')[2]}"
    yield "File", link(rule.file, target)


def _contexts(rule: Rule) -> Iterator[str]:
    for context, words in CONTEXTS.items():
        least = rule.applies.contexts.get(context)
        if least is Level.INFO:
            yield words
        elif least is not None:
            yield f"{words}: only where it is {least.value}" + (" or worse" if least is not Level.CRITICAL else "")


def _renewal(rule: Rule) -> str:
    always = "shown as in a first order"
    return always if rule.in_renewal_always else "shown if a fact is newer than the renewed order, or if it is critical"


def _levels(rule: Rule, library: Library) -> Iterator[str]:
    summaries = rule.card.summaries if rule.card else {}
    for level in Level:
        if level not in rule.levels and level not in summaries:
            continue
        yield f"### {level.value.capitalize()}"
        yield ""
        yield from (f"- {_summary(line, rule, library)}" for line in summaries.get(level, ()))
        yield ""
        if level in rule.joins:
            yield f"At this level it is a line in the card of: {spaced(rule.joins[level])}."
            yield ""
        if level in rule.levels:
            yield "Holds if:"
            yield ""
            yield from clause_of(rule.levels[level], _naming(rule, library)).lines()
        else:
            yield "Reached only where a fact is uncertain: unconfirmed, contradicted, undated or out of date."
        yield ""


def _naming(rule: Rule, library: Library) -> Naming:
    return replace(library.naming(RULES), anchors=anchors(rule))


def _summary(line: Line, rule: Rule, library: Library) -> str:
    when = f" — if: {in_one_line(line.when, _naming(rule, library))}" if line.when else ""
    return f"**{as_shown(line.text)}**{when}"


def _text(line: Line, rule: Rule, library: Library) -> str:
    when = f" — if: {in_one_line(line.when, _naming(rule, library))}" if line.when else ""
    return f"{as_shown(line.text)}{when}"


def _policy(rule: Rule) -> Iterator[Line]:
    """Yield the lines of local policy, each with the circumstance in which it is shown."""
    return (Line(line, rule.policy_when.get(line)) for line in rule.local_policy)


def _detail(rule: Rule, library: Library) -> Iterator[str]:
    if rule.card is None:
        return
    yield from (f"- {_text(line, rule, library)}" for line in rule.card.detail)
    yield from (f"- Button: {_button(one, rule, library)}" for one in rule.card.suggestions)
    reasons = [library.knowledge.override_reasons[code].display for code in rule.card.override_reasons]
    if reasons:
        yield f"- Reasons for overriding it: {'; '.join(reasons)}."
    if rule.kind != "data_gap":
        yield f"- Where this could not be judged, the card on gaps says: not checked: {rule.card.not_checked}."


def _button(one: SuggestionText, rule: Rule, library: Library) -> str:
    naming = _naming(rule, library)
    when = f" — if: {in_one_line(one.when, naming)}" if one.when else ""
    if one.order:
        return f"“{one.label}” (a draft order of {one.order.code}, {one.order.display}){when}"
    if one.kind == "add_reason":
        return f"“{one.label}” (the diagnosis: {naming.sets(one.value_sets)}){when}"
    return f"“{one.label}”{when}"


def _withheld(rule: Rule, library: Library) -> Iterator[str]:
    yield from (f"- {_text(line, rule, library)}" for line in rule.withheld_when)


def _where(rule: Rule, library: Library) -> list[str]:
    lines = []
    for name, criterion in named_in(rule).items():
        lines += [f"### {spaced(name)}", "", *clause_of(criterion, _naming(rule, library)).lines(), ""]
    return section("What the names mean", lines)


def _numbers(rule: Rule) -> list[str]:
    rows = [
        (f"{text}", "; ".join(supports) or "the shared definitions") for text, supports in supported_thresholds(rule)
    ]
    return table(("Compared with", "Who says so"), rows)


def _codes(rule: Rule, library: Library) -> list[str]:
    knowledge, naming = library.knowledge, library.naming(RULES)
    rows = []
    for name in sorted(value_sets_of(rule, knowledge.definitions), key=lambda one: knowledge.value_sets[one].title):
        value_set = knowledge.value_sets[name]
        first = [f"`{code}` {display}" for _, code, display in first_codes(value_set, library.systems, 1)][:_CODES]
        rows.append((naming.value_sets[name], summary(value_set, library.systems), "; ".join(first)))
    return table(("Value set", "Codes", "For example"), rows)


def _sources(rule: Rule, library: Library) -> Iterator[str]:
    for one in rule.because:
        grade = f" ({graded(one.grade)})" if one.grade else ""
        when = f" Named only if: {in_one_line(one.when, _naming(rule, library))}." if one.when else ""
        yield f"- **{one.label}**{grade}, {SURE[one.sure]}: {one.statement}{when}"
        yield f"  {one.reference}"
    if not rule.because:
        yield "None. It decides which rules run, or says what could not be checked."


def _cases(rule: Rule, library: Library) -> list[str]:
    rows = []
    for case in library.cases[rule.id]:
        withheld = f"; no card: {case.withheld}" if case.withheld else ""
        exactly = f" (exactly {case.threshold})" if case.threshold else ""
        rows.append((f"{case.name}{exactly}", f"{spaced(case.expect)}{withheld}"))
    return table(("Patient and order", "What it must say"), rows)


def _attributes(rule: Rule, library: Library) -> list[str]:
    titles = library.knowledge.attribute_titles
    return table(("Attribute", ""), [(titles[name], text) for name, text in rule.attributes.items()])
