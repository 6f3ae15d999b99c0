"""Every error that Ketamine CDS raises on purpose, each with a stable code.

    CdsError
    ├── KnowledgeError   CDS-1xx  a file in cards/ cannot be used as it is
    ├── RequestError     CDS-2xx  the call is not a CDS Hooks request that can be answered (HTTP 4xx)
    ├── FhirError        CDS-3xx  data that is required could not be had (HTTP 412)
    ├── AuditError       CDS-4xx  the decision could not be recorded (HTTP 503)
    └── TrustError       CDS-6xx  who calls is not known (HTTP 401, always bare), or the clients' file cannot be used
        └── TrustUnavailableError  it cannot be told now whether a token was used before (HTTP 503)

The codes are explained, with what to do, in docs/problems.md.
"""

from dataclasses import dataclass


@dataclass
class CdsError(Exception):
    """An error that says where it happened, what was wrong, what was expected and what to do.

    Attributes:
        code: stable code such as ``CDS-104``, listed in docs/problems.md.
        where: the place: ``file:line``, a JSON path in a request, or a URL without its query.
        what: what was found there, in one sentence.
        expected: what would have been right; may be empty.
        action: what the reader can do about it; may be empty.
    """

    code: str
    where: str
    what: str
    expected: str = ""
    action: str = ""

    def __str__(self) -> str:
        """Return the whole message in one line.

        >>> print(KnowledgeError("CDS-104", "cards/x.yaml:13", "Value set 'glaucom' does not exist.",
        ...                      action="Did you mean 'glaucoma'?"))
        CDS-104 cards/x.yaml:13: Value set 'glaucom' does not exist. Did you mean 'glaucoma'?
        """
        words = " ".join(part for part in (self.what, self.expected, self.action) if part)
        return f"{self.code} {self.where}: {words}"


class KnowledgeError(CdsError):
    """A file of clinical knowledge is not usable; the service does not start with it."""


@dataclass
class RequestError(CdsError):
    """The body or the address of a call is not one that can be answered.

    Attributes:
        status: the HTTP status of the answer, 400 unless said otherwise.
    """

    status: int = 400

    __str__ = CdsError.__str__


class FhirError(CdsError):
    """Data without which no statement is possible could not be had (HTTP 412)."""


class AuditError(CdsError):
    """The record of a decision could not be written or read; without a record there is no answer."""


@dataclass
class TrustError(CdsError):
    """A token was not accepted, or the registered clients cannot be read. A caller is never told which or why.

    Attributes:
        client: the registered EHR whose key signed the refused token; empty while that is not proven.
    """

    client: str = ""

    __str__ = CdsError.__str__


class TrustUnavailableError(TrustError):
    """A token is right, but it cannot be told now whether it was used before; only a known client ever sees this."""
