"""The page of a value set: what it is for, its codes, and what it does not cover."""

from collections.abc import Iterator

from cds.engine.terminology import ValueSet
from cds.knowledge.pages.codes import counts, family_words, first_codes
from cds.knowledge.pages.library import VALUE_SETS, Library
from cds.knowledge.pages.markdown import NOTE, link, page, section, table

_FIRST = 15


def value_set_page(value_set: ValueSet, library: Library) -> str:
    """Return the page."""
    head = library.heads[value_set.id]
    naming = library.naming(VALUE_SETS)
    rules = [f"- {naming.rules[rule.id]}" for rule in library.read_by[value_set.id]]
    others = "None itself; the shared definitions do." if library.users(value_set.id) == "definitions" else "None yet."
    return page((
        f"# {library.title(value_set.id)}",
        "",
        f"For: {library.in_words(str(head['purpose']), VALUE_SETS)}. From: {head['source']}.",
        "",
        *section("What it does not cover", _not_covered(value_set, library)),
        *section("What it covers", list(_coverage(value_set, library))),
        *section("Codes", list(_codes(value_set, library))),
        *section("Rules that look at it", rules or [others]),
        NOTE,
    ))  # fmt: skip


def _coverage(value_set: ValueSet, library: Library) -> Iterator[str]:
    rows = [(title, str(codes), str(families or "")) for title, codes, families in counts(value_set, library.systems)]
    yield from table(("Code system", "Codes", "Families"), rows) or ["No codes.", ""]
    yield from (f"- {words}" for words in family_words(value_set, library.systems))
    if value_set.text_terms:
        yield ""
        terms = ", ".join(value_set.text_terms)
        yield f"Where a drug or substance has no code that is known, these words in its name count: {terms}."


def _codes(value_set: ValueSet, library: Library) -> Iterator[str]:
    if not value_set.codes:
        return
    rows = [(title, f"`{code}`", display) for title, code, display in first_codes(value_set, library.systems, _FIRST)]
    yield from table(("Code system", "Code", "Meaning"), rows)
    file = f"{value_set.id}.csv"
    target = f"../../../{library.folder.name}/value_sets/{file}"
    shown = "all" if len(rows) == len(value_set.codes) else f"{len(rows)}"
    yield f"Shown: {shown} of {len(value_set.codes)}. The whole list: {link(file, target)} (opens in a spreadsheet)."


def _not_covered(value_set: ValueSet, library: Library) -> list[str]:
    return [f"- {library.in_words(text, VALUE_SETS)}" for text in value_set.not_covered]
