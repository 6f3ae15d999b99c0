"""What the cases of a rule claim: their names and what they expect, for a reader; tests read them whole."""

from dataclasses import dataclass
from pathlib import Path

from cds.engine.rules import Rule
from cds.knowledge.strict_yaml import read_document


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case of a rule.

    Attributes:
        name: the claim.
        expect: the level or verdict that the rule must give.
        threshold: the threshold that the case stands exactly on, if any.
        withheld: why no card is shown although the finding stands, if so.
    """

    name: str
    expect: str
    threshold: str = ""
    withheld: str = ""


def read_case_lines(rule: Rule, folder: Path) -> tuple[CaseLine, ...]:
    """Return the cases of a rule, in the order of their file; none if there is no such file.

    Args:
        rule: the rule.
        folder: the folder of all cases, which mirrors ``cards/``.

    Raises:
        KnowledgeError: CDS-101 to CDS-103 if the file is no strict YAML.
    """
    path = folder / Path(rule.file).relative_to(Path(rule.file).parts[0])
    if not path.is_file():
        return ()
    document, problems = read_document(path, folder)
    if problems or document is None:
        raise problems[0]
    cases = document.data.get("cases", ()) if isinstance(document.data, dict) else ()
    return tuple(_line(case) for case in cases if isinstance(case, dict))


def _line(case: dict[str, object]) -> CaseLine:
    name, expect, threshold, withheld = (str(case.get(key, "")) for key in ("name", "expect", "threshold", "withheld"))
    return CaseLine(name, expect, threshold, withheld)
