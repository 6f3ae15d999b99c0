"""Cards as a person reads them in a terminal: plain text, wrapped, with nothing hidden."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from cds.audit.visible import visible

_MARGIN = " " * 10
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS = re.compile(r"(?<!\\)(?:\*\*|__|`|#+ )|&#8288;")
_NARROWEST = 40


def cards_in_words(answer: Mapping[str, Any], width: int) -> str:
    """Return the cards of an answer as text.

    Args:
        answer: the decoded body of a hook's answer.
        width: columns of the terminal.
    """
    cards = answer.get("cards") or []
    if not cards:
        return "No cards: the service has nothing to say about this order. Its record says why: cds log list"
    return "\n\n".join("\n".join(_card(card, max(width, _NARROWEST))) for card in cards)


def _card(card: Mapping[str, Any], width: int) -> Iterator[str]:
    level = str(card.get("indicator", "")).upper()
    yield from _wrapped(str(card.get("summary", "")), width, first=f"{visible(level):<10}", rest=_MARGIN)
    yield from _markdown(str(card.get("detail", "")), width)
    source = card.get("source") or {}
    yield from _wrapped(f"Source: {source.get('label', '')} {source.get('url', '')}".rstrip(), width)
    for suggestion in card.get("suggestions") or []:
        yield from _wrapped(f"Offered: {suggestion.get('label', '')}", width)
    reasons = "; ".join(str(reason.get("display", "")) for reason in card.get("overrideReasons") or [])
    if reasons:
        yield from _wrapped(f"Reasons to override: {reasons}", width)
    for link in card.get("links") or []:
        yield _MARGIN + visible(f"{link.get('label', '')}: {link.get('url', '')}")  # in one line: it is to be followed
    record = ((card.get("extension") or {}).get("org.ketamine-cds") or {}).get("record")
    if record:
        yield from _wrapped(f"Record: {record}", width)


def _markdown(detail: str, width: int) -> Iterator[str]:
    """Yield the lines of GitHub Flavored Markdown as plain text: lists keep their marks, escapes and stars go."""
    for line in detail.splitlines():
        text = line.strip()
        if not text:
            continue
        mark = "- " if text.startswith(("- ", "* ")) else ""
        plain = unescape(_ESCAPE.sub(r"\1", _without_emphasis(text[len(mark) :])))
        yield from _wrapped(plain, width, f"{_MARGIN}{mark}", f"{_MARGIN}{' ' * len(mark)}")


def _without_emphasis(text: str) -> str:
    """Return the text without marks of emphasis, and without the entity that keeps an @ from making a link."""
    return _MARKS.sub("", text)


def _wrapped(text: str, width: int, first: str = _MARGIN, rest: str = _MARGIN) -> list[str]:
    """Return the lines of a text; what would hide or reorder it is made visible first."""
    shown = visible(" ".join(text.split()))
    return textwrap.wrap(shown, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [first]
