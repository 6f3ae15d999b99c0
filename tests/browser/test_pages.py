"""A web page of another origin gets cards, as the CDS Hooks Sandbox does, where its origin is listed, and nothing else.

The browser is a real one: it asks by a preflight before each call, and hides what the service does not allow.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import chromium, origin
from tests.feedback.clinic import CRPS, GLAUCOMA, NADIA
from tests.feedback.ordering import SANDBOX_DRAFT, Sandbox
from tests.hooks.bodies import request, searchset, whole_record
from tests.running import Json, Running, running, settings_in
from tests.trust.tokens import Ehr, registered_ehr

SELECT = "/cds-services/ketamine-order-select"
TESTING = "/cds-services/order-ketamine-for-testing"
REASON = {"code": "condition-controlled", "system": "urn:ketamine-cds:override"}
PATHS = ("/cds-services", SELECT, f"{SELECT}/feedback")
FETCH = """async ([method, url, token, body]) => {
  const headers = {Accept: "application/json", Authorization: `Bearer ${token}`};
  if (body) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(url, {method, headers, body: body ? JSON.stringify(body) : undefined});
    return [answer.status, await answer.json()];
  } catch (error) { return [0, error.name]; }
}"""
"""What the Sandbox does for each call; status 0: the browser let nothing through."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def listed() -> Iterator[str]:
    with origin() as listed:
        yield listed


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    return registered_ehr(tmp_path_factory.mktemp("ehr"))


@pytest.fixture(scope="module", params=["development", "production"])
def service(
    request: pytest.FixtureRequest, listed: str, ehr: Ehr, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Once without, once with tokens that are judged."""
    changed = ehr.production if request.param == "production" else {"order_for_testing": True}
    with running(settings_in(tmp_path_factory.mktemp("service"), **changed, cors_origins=(listed,))) as service:
        yield service


def fetch(page: Page, service: Running, ehr: Ehr, path: str, body: Json | None = None) -> tuple[int, Json | str]:
    """Call the service from the page with a token of its own; its answer as the page sees it."""
    url = str(service.client.base_url).rstrip("/") + path
    status, answer = page.evaluate(FETCH, ["POST" if body else "GET", url, ehr.token(path), body])
    return status, answer


def call(prefetch: dict[str, str], drafts: list[Json]) -> Json:
    """Return a call of order-select as the Sandbox makes it, for a patient with CRPS and glaucoma."""
    orders = {"resourceType": "Bundle", "entry": [{"resource": one} for one in drafts]}
    sent = request(draftOrders=orders, selections=["MedicationRequest/request-123"], userId=NADIA)
    return sent | {"prefetch": whole_record(prefetch, conditions=searchset(CRPS, GLAUCOMA))}


def sandbox_order(service: Running) -> list[Json]:
    """Return the Sandbox's draft after it took a suggestion for ketamine."""
    entry = Sandbox(service, [SANDBOX_DRAFT])
    concept = {"text": "Ketamine", "coding": [{"code": "6130"}]}
    entry.take({"actions": [{"type": "update", "resource": {"medicationCodeableConcept": concept}}]})
    return entry.drafts


def test_a_page_of_a_listed_origin_finds_calls_and_reports(
    browser: Browser, listed: str, service: Running, ehr: Ehr
) -> None:
    page = browser.new_page()
    page.goto(listed)
    found, discovery = fetch(page, service, ehr, "/cds-services")
    assert isinstance(discovery, dict)
    sent = call(discovery["services"][0]["prefetch"], sandbox_order(service))
    called, answer = fetch(page, service, ehr, SELECT, sent)
    assert isinstance(answer, dict)
    topics = {card["source"]["topic"]["code"]: card["uuid"] for card in answer["cards"]}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    said = {"card": topics["KETIOP1W"], "outcome": "overridden", "outcomeTimestamp": now}
    item = said | {"overrideReason": {"reason": REASON}}
    reported = fetch(page, service, ehr, f"{SELECT}/feedback", {"feedback": [item]})

    assert (200, 200, (200, {})) == (found, called, reported)
    assert {"KETCRPS1I", "KETIOP1W"} <= set(topics)
    newest = service.records()[0]
    assert b"condition-controlled" in b"".join(newest.sections.values())


def test_a_page_of_another_origin_gets_nothing_and_its_calls_do_not_arrive(
    browser: Browser, service: Running, ehr: Ehr
) -> None:
    before = len(service.records())
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-02-01T12:00:00Z"}
    bodies = (None, call({}, [SANDBOX_DRAFT]), {"feedback": [item]})
    with origin() as other:
        page = browser.new_page()
        page.goto(other)
        answers = [fetch(page, service, ehr, path, body) for path, body in zip(PATHS, bodies, strict=True)]

    assert [(0, "TypeError")] * 3 == answers
    assert before == len(service.records())


def test_the_page_gets_to_the_cards_by_the_service_for_trying_out(
    browser: Browser, listed: str, ehr: Ehr, tmp_path: Path
) -> None:
    with running(settings_in(tmp_path, cors_origins=(listed,), order_for_testing=True)) as service:
        page = browser.new_page()
        page.goto(listed)
        entry = Sandbox(service, [SANDBOX_DRAFT])
        offers = fetch(page, service, ehr, TESTING, call({}, entry.drafts))[1]
        assert isinstance(offers, dict)
        entry.take(offers["cards"][0]["suggestions"][0])
        after = [fetch(page, service, ehr, path, call({}, entry.drafts))[1] for path in (SELECT, TESTING)]

    assert "Order ketamine" == offers["cards"][0]["suggestions"][0]["label"]
    assert isinstance(after[0], dict)
    assert after[0]["cards"]
    assert {"cards": []} == after[1]


@pytest.mark.parametrize("path", PATHS)
def test_a_public_page_may_call_a_service_on_this_machine_only_where_it_is_listed(
    listed: str, service: Running, path: str
) -> None:
    """What Chrome asked before it called from a public page into a local network."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    answers = [
        service.client.options(path, headers={"Origin": one, **asked}) for one in (listed, "https://evil.example")
    ]

    assert [200, 400] == [one.status_code for one in answers]
    assert "true" == answers[0].headers["access-control-allow-private-network"]
    assert [listed, None] == [_allowed(one) for one in answers]


def _allowed(answer: httpx.Response) -> str | None:
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed
