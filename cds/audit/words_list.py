"""A table with one line for each entry of the log, for a terminal."""

from collections.abc import Iterable, Iterator

from cds.audit.members import child, text
from cds.audit.stored_record import Entry
from cds.audit.visible import visible

_HEAD = ("NUMBER", "RECORD", "TIME (UTC)", "HOOK", "CLIENT", "OUTCOME", "CARDS")
_ID_LETTERS = 8
_TIME_LETTERS = len("2026-02-01T12:00:00")


def listing(entries: Iterable[Entry]) -> str:
    """Return a table with one line for each entry; each column is as wide as its longest cell."""
    rows = [_HEAD, *(tuple(visible(cell) for cell in _cells(entry)) for entry in entries)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    number, *others = zip(row, widths, strict=True)
    cells = [number[0].rjust(number[1]), *(cell.ljust(width) for cell, width in others)]
    return "  ".join(cells).rstrip()


def _cells(entry: Entry) -> Iterator[str]:
    envelope = entry.envelope
    counts = child(envelope, "counts")
    cards = [f"{count} {level}" for level, count in child(counts, "cards").items() if count]
    known = [f"{text(counts, 'unknown')} unknown"] if text(counts, "unknown") not in {"", "0"} else []
    problem = [text(envelope, "problem")] if text(envelope, "problem") else []
    yield str(entry.seq)
    yield text(envelope, "id")[:_ID_LETTERS]
    yield text(envelope, "time")[:_TIME_LETTERS]
    yield text(envelope, "hook")
    yield text(child(envelope, "client"), "id")
    yield text(envelope, "outcome") or text(envelope, "type")
    yield ", ".join(cards + known + problem)
