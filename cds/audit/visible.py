"""Make text safe to show: no character may hide, reorder or recolour what stands beside it."""


def visible(line: str) -> str:
    r"""Return one line with every control, format, bidi and other unprintable character written as its number.

    >>> visible("a\x1b[31mb\u202ec\u00e9")
    'a\\u{1b}[31mb\\u{202e}cé'
    """
    return "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in line)


def visible_json(text: str) -> str:
    r"""Return indented JSON text with such characters as JSON escapes, so that it still reads as the same JSON.

    >>> visible_json('"\u202e"')
    '"\\u202e"'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
