"""OperationOutcome: what a server says instead of data, or beside it.

Source: FHIR R4 OperationOutcome, value sets issue-severity and issue-type; clinical/rules.md D-EMPTY.
"""

from typing import Any

from cds.fhir.datatypes import CodeableConcept, FhirObject

_HARMLESS = frozenset({"warning", "information", "success"})
_DATA_ARE_MISSING = frozenset({
    "security", "login", "unknown", "expired", "forbidden", "suppressed",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "too-costly",
})  # fmt: skip
"""Issue types that say that something was not looked at or not sent.

Epic says ``suppressed`` where its client or its user may not see a part of what was asked for; its usual warnings are
of the types ``processing`` and ``informational``, which say no such thing.
"""
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
        return _joined(self.issue)

    @property
    def missing(self) -> str:
        """Return what the server said of data that it left out, whatever the severity; empty if it left out none."""
        about_data = tuple(issue for issue in self.issue if (issue.code or "").strip().lower() in _DATA_ARE_MISSING)
        return _joined(about_data) if about_data else ""


def _joined(issues: tuple[Issue, ...]) -> str:
    """Return the words of issues; they become part of a sentence, so they end without a full stop."""
    said = dict.fromkeys(text for issue in issues if (text := _said(issue).strip().rstrip(".")))
    return "; ".join(said)[:_LONGEST] or "no reason given"


def _said(issue: Issue) -> str:
    details = issue.details or CodeableConcept()
    displays = (coding.display for coding in details.coding)
    texts = (details.text, *displays, details.display, issue.diagnostics, issue.code)
    return next((text for text in texts if text), "")
