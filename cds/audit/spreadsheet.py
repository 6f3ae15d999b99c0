"""Make text safe to open in a spreadsheet: no cell may be taken as a formula."""

import re

from cds.audit.visible import visible

_FORMULA = re.compile("(^|;)(?=\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula begins: a cell, also for a spreadsheet that takes the semicolon as separator."""


def neutral_cell(text: str) -> str:
    r"""Return the text of a CSV cell in one line, with control characters visible and no formula at its beginning.

    >>> neutral_cell('=HYPERLINK("https://x.example")'), neutral_cell("a\tb"), neutral_cell(" -1"), neutral_cell("a;=1")
    ('\'=HYPERLINK("https://x.example")', 'a\\u{9}b', "' -1", "a;'=1")
    """
    return _FORMULA.sub(r"\1'", visible(" ".join(text.splitlines())))
