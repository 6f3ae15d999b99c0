"""Looking for words of cards/definitions.yaml in the text of an order."""

import re
from collections.abc import Iterable
from functools import lru_cache


def find_words(words: tuple[str, ...], texts: Iterable[str]) -> str:
    r"""Return the first match of one of the words (regular expressions, whole words), else an empty string.

    >>> find_words(("kétamin\\w*",), ["Kétamine 50 mg"])
    'Kétamine'
    >>> find_words(("iv",), ["give slowly"])
    ''
    """
    if not words:
        return ""
    pattern = _pattern(words)
    return next((match.group(0) for text in texts if (match := pattern.search(text))), "")


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(words) + r")(?!\w)", re.IGNORECASE)
