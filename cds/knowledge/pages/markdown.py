"""Parts of a page in GitHub Flavored Markdown."""

import re
from collections.abc import Iterable, Sequence

from cds.engine.wording import fill

NOTE = "*Written from `cards/`; a change is made there, and this page is written anew.*"

_PLACEHOLDERS = {name: f"⟨{name}⟩" for name in ("value", "date", "count", "needed", "listed", "gaps")} | {
    "labels": "⟨what was found⟩"
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table; nothing if it has no rows."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""] if lines else []


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Return a heading and what stands under it; nothing if nothing does."""
    return [f"## {title}", "", *lines, *([""] if lines[-1] else [])] if lines else []


def link(text: str, target: str) -> str:
    """Return a link."""
    return f"[{text}]({target})"


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it.

    >>> slug("Blood pressure above 180/100")
    'blood-pressure-above-180100'
    """
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def as_shown(text: str) -> str:
    """Return a text of a card with its placeholders as a reader understands them.

    >>> as_shown("Eye pressure {{value}}")
    'Eye pressure ⟨value⟩'
    """
    return fill(text, _PLACEHOLDERS)


def page(lines: Iterable[str]) -> str:
    """Return the text of a page: no spaces at the ends of lines, no two empty lines together."""
    text = "\n".join(line.rstrip() for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
