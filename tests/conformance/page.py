"""Write docs/conformance.md from the requirements, the tests that are marked with them, and a run of these tests.

``python -m tests.conformance.page`` writes it; a test fails if it is no longer what would be written.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from tests.conformance.catalogue import Requirement, read_requirements
from tests.conformance.proofs import FOLDER, Proof, read_proofs

ROOT = FOLDER.parents[1]
PAGE = ROOT / "docs" / "conformance.md"
HEAD = """\
# Conformance with CDS Hooks

The service answers as CDS Hooks **2.0.1** says, the newest version that is published, and reads requests of 1.0 to
3.0. Of the ballot of 3.0 it does nothing that a client of 2.0.1 would not know.

This page is written by `python -m tests.conformance.page`, from `tests/conformance/requirements.yaml`, from the tests
that are marked with a requirement's number, and from a run of them; a test fails when the page is out of date, or when
one of them fails. The numbers are our own: 71 requirements on a service, in our words. Levels are those of the
specification; *ours* is what it leaves open and we decided.

Every test calls the real service over HTTP. *Turned red by* are mutations of the service or of its answer: another test
proves that each of them makes the test fail. Besides, every answer that any test of this repository sees is judged by
`tests/response_checker.py`, which shares no code with the service.

Requirements that do not apply say why: a *client's duty*; *3.0 only*; *mutual TLS*, which a proxy may do.
"""


def run() -> dict[str, str]:
    """Run the tests that prove requirements, and return for each, by name, ``passed`` or ``failed``."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-m", "requirement", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, str(FOLDER)], cwd=ROOT, capture_output=True, check=False
        )
        cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
        return {str(case.get("name")): "passed" if len(case) == 0 else "failed" for case in cases}


def page(results: Mapping[str, str]) -> str:
    """Return the page; a test without a result is shown as not run."""
    proofs = read_proofs()
    areas = groupby(read_requirements(), key=lambda one: one.area)
    parts = [HEAD, _figures(proofs, results)]
    for area, requirements in areas:
        rows = [row for one in requirements for row in _rows(one, proofs, results)]
        parts.append("\n".join([f"## {area}", "", _row("#", "level", "requirement", "test", "turned red by", "result"),
                                _row(*["---"] * 6), *rows]) + "\n")  # fmt: skip
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(run()), encoding="utf-8")


def _figures(proofs: tuple[Proof, ...], results: Mapping[str, str]) -> str:
    requirements = read_requirements()
    applying = [one for one in requirements if not one.not_applicable]
    mutations = sum(len(proof.mutations) for proof in proofs)
    passed = [proof for proof in proofs if results.get(proof.test.__name__) == "passed"]
    return (
        f"{len(requirements)} requirements, {len(requirements) - len(applying)} of which do not apply; "
        f"{len(proofs)} tests, of which {len(passed)} passed; {mutations} mutations.\n"
    )


def _rows(requirement: Requirement, proofs: tuple[Proof, ...], results: Mapping[str, str]) -> Iterator[str]:
    """Yield one row for every test of a requirement, or one that says why it has none."""
    head = (str(requirement.number), requirement.level, requirement.says)
    if requirement.not_applicable:
        yield _row(*head, "", "", f"does not apply: {requirement.not_applicable}")
    for proof in proofs:
        if requirement.number in proof.numbers:
            mutations = "; ".join(mutation.name for mutation in proof.mutations)
            yield _row(*head, _link(proof), mutations, results.get(proof.test.__name__, "not run"))
            head = ("", "", "")


def _link(proof: Proof) -> str:
    words = proof.test.__name__.removeprefix("test_").replace("_", " ")
    return f"[{words}](../tests/conformance/{proof.file})"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main()
