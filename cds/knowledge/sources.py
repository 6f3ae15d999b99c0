"""The bibliography (cards/sources.yaml) and the coded override reasons (cards/override_reasons.yaml)."""

from typing import Literal

from pydantic import Field, RootModel

from cds.engine.rules import OverrideReason
from cds.knowledge.closed import Closed
from cds.knowledge.vocabulary import Text


class StatementText(Closed):
    """One thing that a source says. `sure` V: seen; M: from memory, never shown as a quotation; I: inferred."""

    says: Text
    sure: Literal["V", "M", "I"]
    topic: str = ""
    grade: str = ""
    certainty: str = ""
    at: str = ""


class SourceText(Closed):
    """One source: `label` is what a card shows."""

    evidence_id: Text
    label: Text
    kind: Text
    title: Text
    statements: dict[str, StatementText] = Field(min_length=1)
    authors: str = ""
    year: str | int = ""
    publisher: str = ""
    doi: str = ""
    pmid: str = ""
    url: str = ""
    note: str = ""

    @property
    def address(self) -> str:
        """Return where the source can be read: its url, else by DOI, else by PubMed number, else nothing."""
        if self.url or not (self.doi or self.pmid):
            return self.url
        return f"https://doi.org/{self.doi}" if self.doi else f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"

    @property
    def reference(self) -> str:
        """Return the whole bibliographic reference: authors, title, where and when it was published, its address."""
        dated = self.publisher if str(self.year) in self.publisher else f"{self.publisher} {self.year}".strip()
        parts = [part.rstrip(".") for part in (self.authors, self.title, dated) if part]
        return ". ".join((*parts, self.address)) if self.address else ". ".join(parts) + "."


class SourcesText(RootModel[dict[str, SourceText]]):
    """The whole bibliography: key to source."""


class OverrideReasonsText(Closed):
    """The coded reasons for overriding a card: code to the words that are shown."""

    system: Text
    reasons: dict[str, Text] = Field(min_length=1)

    def build(self) -> dict[str, OverrideReason]:
        """Return the reasons by code."""
        return {code: OverrideReason(self.system, code, display) for code, display in self.reasons.items()}
