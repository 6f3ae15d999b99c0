"""Write the offline checks as one file that needs nothing else of this project: for an auditor's own machine."""

import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "offline"
_MODULES = ("notes", "hashes", "records", "verdict", "signatures", "tables", "index_rows", "rows", "stored", "main")
_IMPORT = re.compile(r"^(?:from \S+ import (?:\([^)]*\)|.+)|import .+)\n", re.MULTILINE)
_DOCSTRING = re.compile(r'\A""".*?"""\n', re.DOTALL)


def single_file() -> str:
    """Return the modules of `cds.audit.offline` as one Python file: their imports first, then each as it stands."""
    imports: set[str] = set()
    bodies = []
    for module in _MODULES:
        text = (_FOLDER / f"{module}.py").read_text("utf-8")
        imports |= {line for line in _IMPORT.findall(text) if "cds.audit" not in line}
        body = _IMPORT.sub("", _DOCSTRING.sub("", text)).strip()
        bodies.append(f"# {'-' * 20} {module}\n\n{body}\n")
    about = _DOCSTRING.search((_FOLDER / "main.py").read_text("utf-8"))
    head = f"#!/usr/bin/env python3\n{about.group() if about else ''}\n"
    return head + "".join(sorted(imports)) + "\n\n" + "\n\n".join(bodies)
