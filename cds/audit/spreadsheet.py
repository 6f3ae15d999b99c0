"""Make text safe to open in a spreadsheet: no cell may be taken as a formula."""

from cds.audit.visible import visible

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutral_cell(text: str) -> str:
    r"""Return the text of a CSV cell in one line, with control characters visible and no formula at its beginning.

    >>> neutral_cell('=HYPERLINK("https://x.example")'), neutral_cell("a\tb"), neutral_cell(" -1")
    ('\'=HYPERLINK("https://x.example")', 'a\\u{9}b', "' -1")
    """
    line = visible(" ".join(text.splitlines()))
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
