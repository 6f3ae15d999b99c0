"""Talk HTTP to a service that runs, and see its answers as they are or as a mutation makes them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.hooks.bodies import body
from tests.running import Json, Running

ORDER_SELECT = "ketamine-order-select"
ORDER_SIGN = "ketamine-order-sign"
PATIENT_VIEW = "ketamine-patient-view"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its status, its headers with names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> Json:
        """Return the object in the body; anything that is not strict JSON fails the test."""
        try:
            answer = json.loads(self.content.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        except ValueError as error:
            raise AssertionError(f"the body is no JSON: {error}") from error
        assert isinstance(answer, dict), "the body is no object"
        return answer

    def cards(self) -> list[Json]:
        """Return the cards of a success; anything else fails the test."""
        assert 200 == self.status, self.content[:300]
        cards = self.json().get("cards")
        assert isinstance(cards, list), "there is no list of cards"
        return cards

    def problem(self) -> str:
        """Return the code in the OperationOutcome, such as ``CDS-301``; a body that is none fails the test."""
        answer = self.json()
        assert "OperationOutcome" == answer.get("resourceType"), "the body is no OperationOutcome"
        code: str = answer["issue"][0]["details"]["coding"][0]["code"]
        return code


Change = Callable[[str, Reply], Reply]
"""Takes what was asked (``GET /cds-services``) and the answer, and returns the answer that a broken service gives."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Calls a running service; what is answered goes through `change`."""

    running: Running
    change: Change = lambda _, reply: reply

    def get(self, path: str = "/cds-services", **headers: str) -> Reply:
        """Read an address."""
        return self.send("GET", path, None, **headers)

    def post(self, sent: Any, service: str = ORDER_SELECT, **headers: str) -> Reply:  # noqa: ANN401 - any JSON
        """Call a service with JSON, or with bytes as they are."""
        content = sent if isinstance(sent, bytes) else body(sent)
        return self.send("POST", f"/cds-services/{service}", content, **{"content_type": "application/json"} | headers)

    def send(self, method: str, path: str, content: bytes | None = None, **headers: str) -> Reply:
        """Send any request; ``content_type`` is the header Content-Type."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.running.client.request(method, path, content=content, headers=named)
        reply = Reply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content)
        return self.change(f"{method} {path}", reply)

    def broken(self, change: Change) -> "Exchange":
        """Return the same service as if it answered in another way."""
        return replace(self, change=change)

    def services(self) -> list[Json]:
        """Return what discovery lists; anything but a success fails the test."""
        reply = self.get()
        assert 200 == reply.status
        services = reply.json().get("services")
        assert isinstance(services, list), "there is no list of services"
        return services

    def notes(self) -> str:
        """Return what the newest record notes about its call."""
        return " ".join(json.loads(self.running.records()[0].sections["request"]).get("notes", []))

    def prefetch_keys(self) -> list[str]:
        """Return the prefetch keys that the service really offers."""
        return list(self.running.client.get("/cds-services").json()["services"][0]["prefetch"])


def _once(members: list[tuple[str, Any]]) -> Json:
    if len(members) > len({name for name, _ in members}):
        raise ValueError("a member stands twice")
    return dict(members)


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
