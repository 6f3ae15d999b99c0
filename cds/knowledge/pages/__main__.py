"""``python -m cds.knowledge.pages docs/knowledge``: write the pages; ``--check`` only says whether they are current.

Exit status: 0 written, or current; 1 not current; 2 the knowledge cannot be used.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cds.errors import KnowledgeError
from cds.knowledge.pages.definitions_page import definitions_page
from cds.knowledge.pages.index_page import index_page
from cds.knowledge.pages.library import DEFINITIONS, RULES, VALUE_SETS, Library, read_library
from cds.knowledge.pages.rule_page import rule_page
from cds.knowledge.pages.value_set_page import value_set_page

INDEX = "README.md"


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or check them, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        pages = all_pages(read_library(options.cards, options.cases))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    stale = differences(pages, options.folder)
    if options.check:
        for name in stale:
            print(f"Not current: {options.folder / name}")
        if stale:
            print(f"Write them anew: python -m cds.knowledge.pages {options.folder}")
        return 1 if stale else 0
    write(pages, options.folder)
    print(f"{options.folder}: {len(pages)} pages, {len(stale)} of them changed")
    return 0


def all_pages(library: Library) -> Mapping[str, str]:
    """Return every page: its path in the folder to its text."""
    knowledge = library.knowledge
    pages = {INDEX: index_page(library), DEFINITIONS: definitions_page(library)}
    pages |= {f"{RULES}/{rule.id}.md": rule_page(rule, library) for rule in knowledge.rules}
    pages |= {f"{VALUE_SETS}/{name}.md": value_set_page(one, library) for name, one in knowledge.value_sets.items()}
    return pages


def differences(pages: Mapping[str, str], folder: Path) -> list[str]:
    """Return the paths that are missing in the folder, that differ there, or that no longer belong there."""
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")}
    strays = present.keys() - pages.keys()
    differing = {
        name for name, text in pages.items() if name not in present or present[name].read_text(encoding="utf-8") != text
    }
    return sorted(differing | strays)


def write(pages: Mapping[str, str], folder: Path) -> None:
    """Write the pages, and remove what no longer belongs there."""
    for name in differences(pages, folder):
        path = folder / name
        if name not in pages:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[name], encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cds.knowledge.pages", description="Write the knowledge as pages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the pages are current")
    parser.add_argument("--cards", type=Path, default=Path("cards"))
    parser.add_argument("--cases", type=Path, default=Path("tests/cards"))
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
