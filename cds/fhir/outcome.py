"""OperationOutcome: what a server says instead of data, or beside it."""

from typing import Any

from cds.fhir.datatypes import CodeableConcept, FhirObject

_HARMLESS = frozenset({"warning", "information", "success"})
_LONGEST = 200


class Issue(FhirObject, frozen=True, gc=False):
    """OperationOutcome.issue."""

    severity: str | None = None
    code: str | None = None
    details: CodeableConcept | None = None
    diagnostics: str | None = None


class OperationOutcome(FhirObject, frozen=True, gc=False, tag_field="resourceType", tag=True):
    """OperationOutcome."""

    issue: tuple[Issue, ...] = ()
    meta: Any = None
    id: str | None = None

    @property
    def is_error(self) -> bool:
        """Say whether one issue is an error, or of a severity that is not known; an outcome without issue is one."""
        return not self.issue or any((issue.severity or "") not in _HARMLESS for issue in self.issue)

    @property
    def words(self) -> str:
        """Return what the server said, at most 200 characters."""
        said = [text for issue in self.issue if (text := _said(issue))]
        return "; ".join(said)[:_LONGEST] or "no reason given"


def _said(issue: Issue) -> str:
    details = issue.details.text if issue.details else ""
    return details or issue.diagnostics or issue.code or ""
