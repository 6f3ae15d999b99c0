"""Judge the headers of a call before a byte of its body is read."""

from collections.abc import Iterable, Sequence

from cds.errors import RequestError

Headers = Sequence[tuple[bytes, bytes]]
"""Name in lower case and value, in the order in which they came."""

MOST_HEADERS = 100
"""How many headers a call may have."""
MOST_BYTES = 32_000
"""How long all names and values may be together."""


def check_headers(headers: Headers) -> None:
    """Refuse headers that no client needs.

    Raises:
        RequestError: CDS-226, HTTP 431 too many or too long, or 400 two statements of where the body ends.
    """
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_BYTES:
        raise RequestError(
            "CDS-226", "headers", "The call has too many headers, or too long ones.",
            f"Expected at most {MOST_HEADERS} headers of {MOST_BYTES} bytes together.", "Send fewer.", 431,
        )  # fmt: skip
    names = [name for name, _ in headers]
    if b"content-length" in names and b"transfer-encoding" in names:
        raise RequestError(
            "CDS-226", "headers", "The call says twice where its body ends.",
            "Expected either Content-Length or Transfer-Encoding.",
            "Send one of them; a proxy in between may add the other.",
        )  # fmt: skip


def authorization(headers: Headers) -> str:
    """Return the Authorization header; empty if there is none or more than one.

    How long it may be is checked where it is taken apart (`cds.trust.token`).
    """
    sent = list(_values(headers, b"authorization"))
    return sent[0].decode("latin-1") if len(sent) == 1 else ""


def _values(headers: Headers, wanted: bytes) -> Iterable[bytes]:
    return (value for name, value in headers if name == wanted)
