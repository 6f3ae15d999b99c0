"""Filling the words of cards/ with what was found, and making text from requests harmless."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from cds.engine.assessment import Evidence

Item = TypeVar("Item")

MOST_ITEMS = 20
"""How many items a list on a card shows; then it says how many more there are."""
LONGEST_QUOTATION = 300
"""How many characters of one text from a record stand on a card."""
_LONGEST_VALUE = 1000  # characters of a value in a sentence, which may be a list
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
# A '>' marks only at the start of a line, a '&' only before a name or a number. What stands in the middle of a word
# needs no escape either: one '_', and the brackets of a unit such as mm[Hg] (`_UNIT`).
_MARKDOWN = re.compile(r"([\\`*\[\]<#~|@$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=[A-Za-z0-9#])|^>)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_UNIT = re.compile(r"(?<=[A-Za-z0-9])\\\[([A-Za-z]{1,20})\\\](?![\[(:\\])")
_LINE_START = re.compile(
    r"^( ?(?:\d{1,9})?)([-+=](?=[-+= ]|$)|[.)](?= |$))"
)  # of a list, a rule, an underlined heading
# remark-gfm looks for addresses when escapes are gone already: only a character between can part them.
_ADDRESS = re.compile(r"(?<=@)|(?<=:)(?=/)|(?<=www)(?=\.)", re.IGNORECASE)
_WORD_JOINER = "&#8288;"
_REFERENCE = re.compile(r"[A-Za-z]{1,64}/[A-Za-z0-9\-.]{1,64}")
SUMMARY_LIMIT = 139  # CDS Hooks: fewer than 140 characters
_LENGTHS = {"labels": 60, "value": 20, "date": 10, "gaps": 70}


def evidence_values(evidence: Sequence[Evidence]) -> dict[str, str]:
    """Return what the placeholders labels, value and date stand for: the value is that of the first fact with one."""
    valued = next((one for one in evidence if one.value), evidence[0] if evidence else None)
    labels = tuple(dict.fromkeys(one.label for one in evidence if one.label))
    return {
        "labels": joined(labels, lambda label: shortened(label, LONGEST_QUOTATION), ", "),
        "value": valued.value if valued else "",
        "date": valued.date if valued else "",
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders filled; one without a value becomes empty.

    >>> fill("{{count}} of {{needed}}", {"count": "1", "needed": "2"})
    '1 of 2'
    """
    return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), ""), text)


def fill_summary(text: str, values: Mapping[str, str]) -> str:
    """Return a summary in plain text of at most 139 characters; what comes from the record is shortened, not ours."""
    short = {name: shortened(value, _LENGTHS.get(name, SUMMARY_LIMIT)) for name, value in values.items()}
    return shortened(visible(fill(text, short)), SUMMARY_LIMIT)


def shortened(text: str, limit: int) -> str:
    """Return the text, cut with an ellipsis where it is longer than the limit.

    >>> shortened("Intraocular pressure", 10)
    'Intraocul…'
    """
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def visible(text: str) -> str:
    r"""Return the text in one line, with control and direction-changing characters made visible.

    >>> visible("gla\u202eucoma\n\x1b[31m")
    'gla<U+202E>ucoma <U+001B>[31m'
    """
    folded = re.sub(r"\s+", " ", text)
    if folded.isprintable():  # nearly every text
        return folded
    return "".join(f"<U+{ord(char):04X}>" if unicodedata.category(char) in ("Cc", "Cf") else char for char in folded)


def escaped(text: str) -> str:
    r"""Return text from a request so that no Markdown renderer sees anything but words.

    A word joiner, which is not seen, parts what a renderer would take for the address of a page or of a mailbox. A
    sign that no renderer takes for more than a sign where it stands is left alone: some clients show Markdown as it is.

    >>> escaped("<b>*x*</b> http://x.org")
    '&lt;b>\\*x\\*&lt;/b> http:&#8288;//x.org'
    >>> escaped("- 1. of 2"), escaped("1. of 2"), escaped("> 2"), escaped("-2.5 mm[Hg] & more")
    ('\\- 1. of 2', '1\\. of 2', '&gt; 2', '-2.5 mm[Hg] & more')
    """
    out = _LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(_harmless, visible(text).strip()))
    out = _UNIT.sub(r"[\1]", out)
    return _ADDRESS.sub(_WORD_JOINER, out)


def _harmless(sign: re.Match[str]) -> str:
    return _ENTITIES.get(sign[0], f"\\{sign[0]}")


def quoted(text: str, limit: int = LONGEST_QUOTATION) -> str:
    """Return text from a request escaped, and cut with an ellipsis where it is longer than the limit."""
    return escaped(shortened(visible(text).strip(), limit))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a sentence of a card's detail, its placeholders filled with escaped values of at most 1,000 characters."""
    return fill(text, {name: quoted(value, _LONGEST_VALUE) for name, value in values.items()})


def bullets(items: Sequence[Item], words: Callable[[Item], str]) -> str:
    """Return a list in Markdown of at most 20 items; its last line says how many more there are."""
    lines = [f"- {words(one)}" for one in items[:MOST_ITEMS]]
    return "\n".join([*lines, *(f"- {more}" for more in _more(items))])


def joined(items: Sequence[Item], words: Callable[[Item], str], between: str = "; ") -> str:
    """Return at most 20 items in one line; at its end it says how many more there are."""
    return between.join([*map(words, items[:MOST_ITEMS]), *_more(items)])


def _more(items: Sequence[object]) -> list[str]:
    more = len(items) - MOST_ITEMS
    return [f"and {more:,} more; the record of this answer names them"] if more > 0 else []


def reference(text: str) -> str:
    """Return a FHIR reference as a code span, or escaped if it is not one."""
    return f"`{text}`" if _REFERENCE.fullmatch(text) else quoted(text)
