"""An independent reading of CDS Hooks 2.0.1: what is wrong with an answer, a discovery or an OperationOutcome.

It imports nothing of the service, so that a mistake in the service's models cannot hide itself; FHIR resources are
validated with the library fhir.resources. Every function returns the violations in words; none is an empty list.
`tests.watching` runs it on every answer that any test sees.

Sources: CDS Hooks 2.0.1 (discovery, response), the invariants cds-resp-1 to cds-resp-6 of the 3.0 logical models, what
Inferno and Epic ask besides, FHIR R4 OperationOutcome, and clinical/rules.md D-MERGE and D-TOPIC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.card_checker import card_violations, violations_across
from tests.json_shape import coding, empty_members, objects, strict_json, text, unknown_members

SERVICE = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "extension"}
LONGEST_URL = 2000
ADDRESS = re.compile(r"(^|/)cds-services(/(?P<service>[^/?]+))?/?(\?|$)")
TOKEN = re.compile(r"\{\{context\.(patientId|encounterId|userId)\}\}")
PARAMETERS = {"patient", "subject", "code", "category", "status", "date", "_sort", "_count"}
ISSUE_TYPE_CODES = (
    "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
    "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
    "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
)
ISSUE_TYPES = frozenset(ISSUE_TYPE_CODES.split())


@dataclass(frozen=True)
class Answered:
    """One answer of a service: what was asked, and the status, headers (names in lower case) and body that came."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def is_of_cds_hooks(self) -> bool:
        """Say whether it is discovery or the answer to a call; what is asked for CORS is neither."""
        return bool(ADDRESS.search(self.path)) and self.method not in {"OPTIONS", "HEAD"}


def answer_violations(answered: Answered) -> list[str]:
    """Return what is wrong with a whole answer: status, headers and body."""
    if answered.status == 401:
        return _refusal_violations(answered)
    expected = "application/json" if answered.status == 200 else "application/fhir+json"
    said = answered.headers.get("content-type", "").partition(";")[0]
    found = [] if said == expected else [f"the media type of a {answered.status} is {said!r}"]
    if answered.status < 400 and answered.status != 200:
        return [*found, f"{answered.status} is neither 200 nor an error"]
    try:
        body = strict_json(answered.content)
    except ValueError as error:
        return [*found, f"the body is no JSON: {error}"]
    if answered.status != 200:
        return found + outcome_violations(body)
    return found + (response_violations(body) if answered.method == "POST" else discovery_violations(body))


def response_violations(answer: Any) -> list[str]:  # noqa: ANN401 - whatever was decoded
    """Return what is wrong with the body of a 200 to a hook call."""
    if not isinstance(answer, dict):
        return ["the answer is no object"]
    if not isinstance(answer.get("cards"), list):
        return ["'cards' is no array"]
    found = [f"unexpected member {name!r}" for name in answer if name != "cards"]
    found += empty_members({**answer, "cards": answer["cards"] or ["-"]}, "$")
    for number, card in enumerate(answer["cards"]):
        found += [f"cards[{number}]: {words}" for words in card_violations(card)]
    return found + violations_across([card for card in answer["cards"] if isinstance(card, dict)])


def discovery_violations(answer: Any) -> list[str]:  # noqa: ANN401
    """Return what is wrong with the body of ``GET /cds-services``."""
    if not isinstance(answer, dict) or not isinstance(answer.get("services"), list):
        return ["'services' is no array"]
    services, wrong = objects(answer, "services")
    found = [*wrong, *unknown_members(answer, {"services"})]
    found += empty_members({**answer, "services": answer["services"] or ["-"]}, "$")
    for number, service in enumerate(services):
        found += [f"services[{number}]: {words}" for words in _service(service)]
    ids = [str(service.get("id")) for service in services]
    return found + [f"the id {name!r} is used twice" for name in {name for name in ids if ids.count(name) > 1}]


def outcome_violations(answer: Any) -> list[str]:  # noqa: ANN401
    """Return what is wrong with the body of an answer that is no success."""
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
        return ["the body is no OperationOutcome"]
    issues, found = objects(answer, "issue")
    if not issues:
        return [*found, "there is no issue"]
    found += empty_members(answer, "$")
    for issue in issues:
        found += [] if issue.get("severity") in {"fatal", "error"} else ["severity is no error"]
        found += [] if issue.get("code") in ISSUE_TYPES else [f"{issue.get('code')!r} is no issue type"]
        details = issue.get("details")
        details = details if isinstance(details, dict) else {}
        codings, wrong = objects(details, "coding")
        found += text(details, "text") + text(issue, "diagnostics") + wrong
        found += [words for one in codings for words in coding(one)]
    return found


def _refusal_violations(answered: Answered) -> list[str]:
    """Return what is wrong with a 401: who is refused learns nothing, not even what was wrong."""
    found = [] if answered.content == b"" else ["the body of a 401 says something"]
    said = answered.headers.get("www-authenticate")
    return found + ([] if said == "Bearer" else [f"WWW-Authenticate of a 401 is {said!r}"])


def _service(service: dict[str, Any]) -> Iterator[str]:
    yield from unknown_members(service, SERVICE)
    for name in ("hook", "id", "title", "description", "usageRequirements"):
        yield from text(service, name)
    if not re.fullmatch(r"[A-Za-z0-9\-]+", str(service.get("id"))):
        yield "the id is no part of an address"
    prefetch = service.get("prefetch", {})
    if not isinstance(prefetch, dict):
        yield "prefetch is no object"
        return
    for key, template in prefetch.items():
        yield from (f"prefetch {key!r}: {words}" for words in _template(template))


def _template(template: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(template, str):
        yield "is no text"
        return
    if "{{" in TOKEN.sub("", template):
        yield "an unknown token"
    if len(TOKEN.sub("x" * 64, template)) > LONGEST_URL:
        yield "too long"
    path, _, query = template.partition("?")
    names = [part.partition("=")[0] for part in query.split("&")] if query else []
    if len(set(names)) < len(names):
        yield "a parameter stands twice"
    yield from (f"{name!r} is not of the recommended subset" for name in names if name not in PARAMETERS)
    if not re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\})?", path):
        yield "neither a read nor a search"
