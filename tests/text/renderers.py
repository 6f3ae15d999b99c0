"""What two real renderers of GitHub Flavored Markdown make of the detail of cards.

`cmark` is cmark-gfm, GitHub's own, with every extension on and HTML let through. `ReactMarkdown` is react-markdown with
remark-gfm and rehype-raw, in the versions of the CDS Hooks Sandbox (tests/text/react_markdown/package-lock.json).
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

FOLDER = Path(__file__).parent / "react_markdown"
_EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
_OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_INSTALL_SECONDS = 300
_RENDER_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered text.

    Attributes:
        elements: every start tag with its attributes and every end tag, in order: its structure without its words.
        words: the text that a reader sees.
    """

    elements: tuple[str, ...]
    words: str


@dataclass
class _Reader(HTMLParser):
    elements: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(" ".join([tag, *(f"{name}={value}" for name, value in attrs)]))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.elements.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.elements.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.elements.append(f"instruction {data}")

    def unknown_decl(self, data: str) -> None:
        self.elements.append(f"declaration {data}")


def read_page(html: str) -> Page:
    """Return what stands on a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(tuple(reader.elements), "".join(reader.words))


def cmark(texts: Sequence[str]) -> list[Page]:
    """Return the texts as cmark-gfm shows them."""
    render = cmarkgfm.markdown_to_html_with_extensions
    return [read_page(render(text, options=_OPTIONS, extensions=_EXTENSIONS)) for text in texts]


def react_markdown(texts: Sequence[str]) -> list[Page]:
    """Return the texts as the Sandbox shows them; without Node.js the test is skipped, or fails if it must not be."""
    _install()
    command = [_tool("node"), str(FOLDER / "render.mjs")]
    done = subprocess.run(
        command, input=json.dumps(list(texts)).encode(), capture_output=True, timeout=_RENDER_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"react-markdown failed: {done.stderr.decode()[-2000:]}")
    return [read_page(html) for html in json.loads(done.stdout)]


def _install() -> None:
    """Install the packages of the lock file, once."""
    locked, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    _tool("node")
    with (FOLDER / ".installing").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
            return
        command = [_tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, timeout=_INSTALL_SECONDS, check=False)
        if done.returncode:
            _cannot(f"`npm ci` failed in {FOLDER.name}: {done.stderr.decode()[-1000:]}")


def _tool(name: str) -> str:
    return shutil.which(name) or _cannot(f"{name} is not installed: cards are not shown by react-markdown")


def _cannot(reason: str) -> str:
    if os.environ.get("CDS_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
