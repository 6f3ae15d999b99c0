"""What the CDS Hooks Sandbox really sent, with its browser's headers, is answered so that its page may read it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hooks.test_tolerance import SHARED
from tests.running import Running, running, settings_in

HEADERS = "sandbox-live-headers"
ORIGIN = "http://127.0.0.1:18080"
"""Where the Sandbox ran when it was recorded."""
ORDER_SELECT = [name for name in SHARED if name.startswith("sandbox-live-order-select")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"), cors_origins=(ORIGIN,))) as service:
        yield service


@pytest.mark.parametrize("name", ORDER_SELECT)
def test_the_sandboxes_own_call_with_its_own_headers_can_be_read_by_its_page(
    service: Running, shared_folder: Path, name: str
) -> None:
    """Its token is expired and was made for another service: in development it is not read."""
    requests = shared_folder / "protocol" / "requests"
    recorded = json.loads((requests / f"{HEADERS}.json").read_text())
    headers = {key: value for key, value in recorded.items() if key not in {"Host", "Content-Length", "Connection"}}
    body = (requests / f"{name}.json").read_bytes()
    answer = service.client.post("/cds-services/ketamine-order-select", content=body, headers=headers)

    assert (200, ORIGIN) == (answer.status_code, answer.headers["access-control-allow-origin"])
    assert ("ketamine" in name) == bool(answer.json()["cards"])


def test_every_request_that_was_collected_is_sent_by_a_test(shared_folder: Path) -> None:
    found = {path.stem for path in (shared_folder / "protocol" / "requests").glob("*.json")}

    assert {*SHARED, HEADERS} == found
