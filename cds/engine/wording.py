"""Filling the words of cards/ with what was found, and making text from requests harmless."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from cds.engine.assessment import Evidence

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>&#~|@!$])")
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
    labels = dict.fromkeys(one.label for one in evidence if one.label)
    return {
        "labels": ", ".join(labels),
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
    return "".join(f"<U+{ord(char):04X}>" if unicodedata.category(char) in ("Cc", "Cf") else char for char in folded)


def escaped(text: str) -> str:
    r"""Return text from a request so that no Markdown renderer sees anything but words.

    A word joiner, which is not seen, parts what a renderer would take for the address of a page or of a mailbox.

    >>> escaped("<b>*x*</b> http://x.org")
    '&lt;b&gt;\\*x\\*&lt;/b&gt; http:&#8288;//x.org'
    >>> escaped("- 1. of 2"), escaped("1. of 2"), escaped("-2.5")
    ('\\- 1. of 2', '1\\. of 2', '-2.5')
    """
    out = _LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", visible(text).strip()))
    out = out.replace(r"\&", "&amp;").replace(r"\<", "&lt;").replace(r"\>", "&gt;")
    return _ADDRESS.sub(_WORD_JOINER, out)


def reference(text: str) -> str:
    """Return a FHIR reference as a code span, or escaped if it is not one."""
    return f"`{text}`" if _REFERENCE.fullmatch(text) else escaped(text)
