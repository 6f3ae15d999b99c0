"""The code systems (cards/code_systems.yaml) and the many names under which an EHR may send one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, parse
from cds.knowledge.strict_yaml import Document, read_document
from cds.knowledge.vocabulary import Text


@dataclass(frozen=True, slots=True)
class CodeSystems:
    """Every known code system.

    Attributes:
        uris: short name, as in the value sets' files, to canonical URI.
        titles: short name to the name that people use.
        forms: each form in which a system may be named, simplified, to canonical URI.
    """

    uris: Mapping[str, str]
    titles: Mapping[str, str]
    forms: Mapping[str, str]

    def canonical(self, system: str) -> str:
        """Return the canonical URI for any known form of it (OID, other URI, https); an unknown one stays as it is.

        >>> systems = CodeSystems({}, {}, {"http://loinc.org": "http://loinc.org", "2.16.1": "http://loinc.org"})
        >>> systems.canonical("urn:oid:2.16.1"), systems.canonical("https://loinc.org/"), systems.canonical("urn:x")
        ('http://loinc.org', 'http://loinc.org', 'urn:x')
        """
        return self.forms.get(system) or self.forms.get(_simplified(system), system)


class CodeSystemText(Closed):
    """One code system of the file. `seen` (there: `from`) says where its forms were found."""

    title: Text
    uri: Text
    seen: Text = Field(alias="from")
    oid: str = ""
    also: tuple[Text, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Return every form, simplified, and the canonical URI as it is."""
        return tuple(dict.fromkeys((self.uri, *map(_simplified, (self.uri, self.oid, *self.also)))))


def load_code_systems(path: Path) -> CodeSystems:
    """Read cards/code_systems.yaml.

    Raises:
        KnowledgeError: CDS-101 to CDS-105 for what is no strict YAML or no code system, CDS-115 for a form that
            would mean two code systems.
    """
    document, problems = read_document(path, path.parent)
    if problems or document is None:
        raise problems[0]
    uris: dict[str, str] = {}
    titles: dict[str, str] = {}
    forms: dict[str, str] = {}
    for name, value in document.data.items():
        text = _read(name, value, document)
        for form in filter(None, text.forms):
            if forms.setdefault(form, text.uri) != text.uri:
                what = f"'{form}' is a form of {forms[form]} already."
                raise KnowledgeError("CDS-115", document.where(name), what, "A form means one code system.")
        uris[name], titles[name] = text.uri, text.title
    return CodeSystems(uris, titles, forms)


def _read(name: str, value: object, document: Document) -> CodeSystemText:
    lines = {keys[1:]: line for keys, line in document.lines.items() if keys[:1] == (name,)}
    text, problems = parse(CodeSystemText, Document(document.file, value, lines))
    if text is None:
        raise problems[0]
    return text


def _simplified(system: str) -> str:
    form = system.partition("|")[0].strip().rstrip("/").lower()
    return form.removeprefix("urn:oid:").replace("https://", "http://", 1)
