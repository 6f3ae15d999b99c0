"""JSON over HTTP as an EHR speaks it: bounded in time, with errors that repeat what the other side said."""

import json
from typing import Any, TypeAlias

import httpx

from cds.errors import FhirError

Json: TypeAlias = dict[str, Any]
"""A FHIR resource, or a request or an answer of CDS Hooks, as decoded JSON."""

TIMEOUT = httpx.Timeout(60.0, connect=5.0)
"""Seconds: a transaction of a thousand resources takes a FHIR server some seconds; a dead address shows in five."""

UNKNOWN_CALLER = "It never says why. Is the call signed, by a registered EHR?"
"""What can be said of HTTP 401."""

_LONGEST_QUOTE = 300


def connect(
    base_url: str, transport: httpx.BaseTransport | None = None, auth: httpx.Auth | None = None
) -> httpx.Client:
    """Return a client whose relative URLs lie under `base_url` (a FHIR server's base, or the service's address).

    Args:
        base_url: such as ``http://127.0.0.1:28081/fhir``; a trailing slash makes no difference.
        transport: replaces the network, in tests.
        auth: signs the requests (`cds.ehr.identity.SignedCalls`); None for requests that are not signed.
    """
    headers = {"Accept": "application/fhir+json, application/json", "Cache-Control": "no-cache"}
    return httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT, transport=transport, auth=auth)


def fetch(client: httpx.Client, url: str) -> Json:
    """GET `url` (relative to the client's base, or absolute) and return the object that was answered.

    Raises:
        FhirError: CDS-331 when there is no answer, an error status or no JSON object.
    """
    return _exchange(client, "GET", url, None)


def send(client: httpx.Client, url: str, body: Json, media_type: str = "application/json") -> Json:
    """POST `body` to `url` and return the object that was answered.

    Raises:
        FhirError: CDS-331 when there is no answer, an error status or no JSON object.
    """
    return _exchange(client, "POST", url, (json.dumps(body).encode(), media_type))


def _exchange(client: httpx.Client, method: str, url: str, body: tuple[bytes, str] | None) -> Json:
    where = f"{method} {_address(client, url)}"
    content, headers = (body[0], {"Content-Type": body[1]}) if body else (None, {})
    try:
        response = client.request(method, url, content=content, headers=headers)
    except httpx.HTTPError as error:
        raise FhirError(
            "CDS-331",
            where,
            f"No answer ({type(error).__name__}).",
            action="Is the server running, and is this its address?",
        ) from error
    decoded = _decode(response)
    if response.is_error or decoded is None:
        raise FhirError("CDS-331", where, f"HTTP {response.status_code}: {_diagnosis(decoded, response)}")
    return decoded


def _address(client: httpx.Client, url: str) -> str:
    """Return the whole address without its query, which can be long and names patients."""
    return str(client.base_url.join(url).copy_with(query=None, fragment=None))


def _decode(response: httpx.Response) -> Json | None:
    """Return the object in a response, or None when its body is something else."""
    try:
        decoded = response.json()
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None


def _diagnosis(decoded: Json | None, response: httpx.Response) -> str:
    """Return what the server said was wrong: the issues of its OperationOutcome, or the start of its text."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return UNKNOWN_CALLER
    if decoded is None:
        return f"not a JSON object: {response.text[:_LONGEST_QUOTE]!r}"
    issues = [issue for issue in decoded.get("issue") or [] if isinstance(issue, dict)]
    said = [issue.get("diagnostics") or (issue.get("details") or {}).get("text") or "" for issue in issues]
    return ("; ".join(filter(None, said)) or json.dumps(decoded))[:_LONGEST_QUOTE]
