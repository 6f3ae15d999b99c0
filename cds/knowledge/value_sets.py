"""The value sets (cards/value_sets/): a YAML head and a CSV list of codes each, read strictly."""

import csv
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from cds.engine.terminology import Member, PrefixRule, ValueSet, normalise
from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, did_you_mean, parse
from cds.knowledge.code_systems import CodeSystems, load_code_systems
from cds.knowledge.strict_yaml import Document, read_document
from cds.knowledge.vocabulary import Text

DERIVED = "derived.yaml"
CODE_SYSTEMS = "code_systems.yaml"

_COLUMNS = ("system", "code", "display", "ingredient", "verified_by")
_STRENGTH_COLUMNS = ("strength_mg_per_ml", "strength_source")
_SPREADSHEET_DAMAGE = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+|#+", re.IGNORECASE)

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_STRENGTH = len(_COLUMNS)  # the cell of strength_mg_per_ml, where there is one

_Codes = dict[tuple[str, str], Member]


class WrittenRuleText(Closed):
    """A clinician's rule on descriptions; the family beside it says the same without them."""

    prefixes: tuple[Text, ...]
    exclude_display_regex: str = ""
    only_display_regex: str = ""


class FamilyText(Closed):
    """A family of codes, as in `cds.engine.terminology.PrefixRule`, dots allowed."""

    prefixes: tuple[Text, ...] = ()
    exact: tuple[Text, ...] = ()
    except_: tuple[Text, ...] = Field(default=(), alias="except")
    seventh_characters: tuple[Text, ...] = ()
    except_seventh_characters: tuple[Text, ...] = ()
    rule: WrittenRuleText | None = None

    def build(self) -> PrefixRule:
        """Return the family as the engine has it."""
        return PrefixRule(
            prefixes=tuple(map(normalise, self.prefixes)),
            exact=frozenset(map(normalise, self.exact)),
            except_=tuple(map(normalise, self.except_)),
            seventh_characters=frozenset(map(normalise, self.seventh_characters)),
            except_seventh_characters=frozenset(map(normalise, self.except_seventh_characters)),
        )


class HeadText(Closed):
    """The head of a value set. `coverage` names the code systems that it has codes of."""

    id: Text
    title: Text
    purpose: Text
    source: Text
    coverage: tuple[Text, ...]
    not_covered: tuple[Text, ...]
    derived_from: str = ""
    needed_by: str = ""
    families: dict[str, tuple[FamilyText, ...]] = Field(default_factory=dict)
    text_terms: tuple[Text, ...] = ()


def load_value_sets(folder: Path) -> Mapping[str, ValueSet]:
    """Return every value set of a folder by id; code_systems.yaml lies beside the folder.

    Raises:
        KnowledgeError: with file and line. CDS-101 to CDS-105: a head that is no strict YAML or has other keys;
            CDS-111: a head that contradicts itself or its file; CDS-112: a CSV file or a row of it;
            CDS-113: a code that stands twice; CDS-114: an unknown code system; CDS-115: code_systems.yaml.
    """
    systems = load_code_systems(folder.parent / CODE_SYSTEMS)
    heads = {path.stem: path for path in sorted(folder.glob("*.yaml")) if path.name != DERIVED}
    tables = {path.stem: path for path in sorted(folder.glob("*.csv"))}
    for name in sorted(heads.keys() ^ tables.keys()):
        present, missing = (heads[name], f"{name}.csv") if name in heads else (tables[name], f"{name}.yaml")
        what = f"The other half of the value set, {missing}, is missing."
        raise KnowledgeError("CDS-112", f"{_name(present, folder)}:1", what, "A set is a head and a list of codes.")
    return {name: _value_set(path, tables[name], folder, systems) for name, path in heads.items()}


def _value_set(head_path: Path, table_path: Path, folder: Path, systems: CodeSystems) -> ValueSet:
    head, document = _head(head_path, folder)
    codes = _codes(table_path, _name(table_path, folder), systems)
    families = {}
    for name, texts in head.families.items():
        rules = tuple(_family(text, document, name, number) for number, text in enumerate(texts))
        families[_uri(name, systems, document.where("families", name))] = rules
    _check_coverage(head, document, systems, {system for system, _ in codes} | families.keys())
    return ValueSet(
        id=head.id,
        title=head.title,
        codes=codes,
        families=families,
        text_terms=tuple(term.lower() for term in head.text_terms),
        not_covered=head.not_covered,
    )


def _head(path: Path, folder: Path) -> tuple[HeadText, Document]:
    document, problems = read_document(path, folder.parent)
    if problems or document is None:
        raise problems[0]
    head, problems = parse(HeadText, document)
    if head is None:
        raise problems[0]
    if head.id != path.stem:
        raise KnowledgeError("CDS-111", document.where("id"), f"The id is '{head.id}'.", f"Expected '{path.stem}'.")
    return head, document


def _family(text: FamilyText, document: Document, system: str, number: int) -> PrefixRule:
    if not text.prefixes and not text.exact:
        what = "The family names no prefix and no exact code."
        action = "A rule on descriptions is compiled by python -m tools.refresh_value_sets." if text.rule else ""
        raise KnowledgeError("CDS-111", document.where("families", system, number), what, action=action)
    return text.build()


def _check_coverage(head: HeadText, document: Document, systems: CodeSystems, present: set[str]) -> None:
    named = {_uri(name, systems, document.where("coverage")) for name in head.coverage}
    if named != present:
        names = sorted(name for name, uri in systems.uris.items() if uri in present)
        what, expected = "The coverage is not that of the codes.", f"There are codes of: {', '.join(names)}."
        raise KnowledgeError("CDS-111", document.where("coverage"), what, expected)


def _codes(path: Path, name: str, systems: CodeSystems) -> _Codes:
    codes: _Codes = {}
    lines: dict[tuple[str, str], int] = {}
    for line, row in _rows(path, name):
        system, code, display, ingredient, *_ = row
        uri = systems.uris.get(system) or _uri(system, systems, f"{name}:{line}")
        key = (uri, normalise(code))
        if key in codes:
            what = f"{system} {code} stands in line {lines[key]} already."
            raise KnowledgeError("CDS-113", f"{name}:{line}", what, "A code stands once in a set.")
        if refusal := _refusal(row):
            raise KnowledgeError("CDS-112", f"{name}:{line}", *refusal)
        lines[key] = line
        strength = Decimal(row[_STRENGTH]) if len(row) > _STRENGTH and row[_STRENGTH] else None
        codes[key] = Member(display, tuple(ingredient.split(";")) if ingredient else (), strength)
    return codes


def _rows(path: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = tuple(next(reader, ()))
            if columns not in (_COLUMNS, _COLUMNS + _STRENGTH_COLUMNS):
                raise KnowledgeError("CDS-112", f"{name}:1", *_columns_refused(columns))
            for row in reader:
                if len(row) != len(columns):
                    what = f"The row has {len(row)} cells."
                    raise KnowledgeError("CDS-112", f"{name}:{reader.line_num}", what, f"Expected {len(columns)}.")
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            what = f"The list cannot be read: {error}."
            raise KnowledgeError("CDS-112", f"{name}:{reader.line_num}", what) from error


def _refusal(row: list[str]) -> tuple[str, str, str] | None:
    """Return what is wrong with a row, what was expected and what to do, or nothing."""
    _, code, display, ingredient, verified_by, *rest = row
    if not (code and display and verified_by):
        return "The code, its display or who verified it is missing.", "", ""
    if _SPREADSHEET_DAMAGE.fullmatch(code):
        what = f"'{code}' is a number as a spreadsheet shows it, not a code."
        return what, "", "Restore the file; open it with the column imported as text."
    if ingredient and not all(ingredient.split(";")):
        return f"The ingredients '{ingredient}' hold an empty one.", "Several are joined by one semicolon.", ""
    if rest and rest[0] and not _NUMBER.fullmatch(rest[0]):
        return f"The strength '{rest[0]}' is no number of mg/mL.", "", ""
    return None


def _columns_refused(columns: tuple[str, ...]) -> tuple[str, str]:
    known = _COLUMNS + _STRENGTH_COLUMNS
    unknown = [column for column in columns if column not in known]
    what = f"Unknown column '{unknown[0]}'." if unknown else f"The columns are {', '.join(columns) or 'missing'}."
    return what, f"Expected: {', '.join(_COLUMNS)}; for products also {', '.join(_STRENGTH_COLUMNS)}."


def _uri(name: str, systems: CodeSystems, where: str) -> str:
    if name not in systems.uris:
        what = f"There is no code system '{name}' in {CODE_SYSTEMS}."
        action = did_you_mean(name, systems.uris) or f"Known: {', '.join(systems.uris)}."
        raise KnowledgeError("CDS-114", where, what, action=action)
    return systems.uris[name]


def _name(path: Path, folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}/{path.name}"
