"""The commands of a page, as a reader types them, and what the page says they print.

A fenced ``sh`` block has a mark in the line before it: ``<!-- run -->``, or ``<!-- run: server -->`` for what goes on
running. A ``text`` block after it is what is printed, in essence: its lines stand in the output in this order, in part;
``...`` stands for anything. After ``<!-- log of the server -->`` it is the server's log instead.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
RUN = "run"
SERVER = "run: server"
LOG = "log of the server"


@dataclass(frozen=True, slots=True)
class Step:
    """One block of commands.

    Attributes:
        line: where it stands in the page.
        script: what is typed.
        is_server: it goes on running until the next server, or the end of the page.
        printed: lines that the commands print, in part.
        logged: lines that the server logs meanwhile, in part.
    """

    line: int
    script: str
    is_server: bool
    printed: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    line: int
    mark: str
    kind: str
    text: str


def steps_of(page: Path) -> list[Step]:
    """Return the steps of a page in their order.

    Raises:
        ValueError: a block of commands has no mark, so nobody would run it.
    """
    text = page.read_text(encoding="utf-8")
    blocks = [
        _Block(text.count("\n", 0, found.start("kind")) + 1, found["mark"] or "", found["kind"], found["text"])
        for found in _BLOCK.finditer(text)
    ]
    starts = [number for number, block in enumerate(blocks) if block.kind == "sh"]
    return [_step(blocks[start:end]) for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True)]


def missing(lines: tuple[str, ...], printed: str) -> str:
    """Return the first line that is not printed where it belongs, or an empty string.

    >>> missing(('"uuid": "..."', "KETIOP1"), '{"uuid": "1d6a", "code": "KETIOP1W"}'), missing(("b", "a"), "a b")
    ('', 'a')
    """
    rest = " ".join(printed.split())
    for line in lines:
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("..."))
        found = re.search(pattern, rest)
        if not found:
            return line
        rest = rest[found.end() :]
    return ""


def _step(blocks: list[_Block]) -> Step:
    commands, *others = blocks
    if commands.mark not in (RUN, SERVER):
        raise ValueError(f"line {commands.line}: commands without <!-- run --> or <!-- run: server -->")
    said = [block for block in others if block.kind == "text" and block.mark in ("", LOG)]
    return Step(
        commands.line,
        commands.text,
        commands.mark == SERVER,
        _lines(block for block in said if not block.mark),
        _lines(block for block in said if block.mark == LOG),
    )


def _lines(blocks: Iterable[_Block]) -> tuple[str, ...]:
    return tuple(line for block in blocks for line in block.text.splitlines() if line.strip())
