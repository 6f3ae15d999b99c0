"""Whatever a FHIR server does: an answer in time, what was not read is unknown with its reason, nothing turns clear.

Source: trust/design.md acceptance checks 19 and 20; clinical/rules.md D-EMPTY.
"""

import re

import pytest

from cds.fhir.client.reader import MOST_PAGES
from tests.fetch.calls import PSYCHOSIS, TOKEN, Answered, call, fill_well
from tests.fetch.conftest import DEADLINE_MS
from tests.fetch.fault_server import (
    Fault,
    FaultServer,
    bomb,
    drip,
    fault_server,
    flood,
    hang,
    never_end,
    next_page_at,
    outcome,
    page,
    reset,
    says,
    shout,
    turn_in_a_circle,
)
from tests.running import Running

LATEST_SECONDS = DEADLINE_MS / 1000 + 1
"""When every answer must have come, also on a machine that does other things; test_latency.py looks closer."""

_ERROR_INSIDE = page({"resource": outcome("timeout"), "search": {"mode": "outcome"}})
_SECOND = "{base}/Condition?page=2"
_OURS = {"resource": PSYCHOSIS, "search": {"mode": "match"}}

FAULTS: dict[str, tuple[Fault, str]] = {
    "hangs": (hang, "no answer in time"),
    "is reset in the middle": (reset, "the connection broke"),
    "401": (says(401), "HTTP 401"),
    "403": (says(403), "HTTP 403"),
    "404": (says(404), "HTTP 404"),
    "429": (says(429), "HTTP 429"),
    "429, later": (says(429, Retry_After="3600"), "HTTP 429"),
    "500": (says(500), "HTTP 500"),
    "503": (says(503), "HTTP 503"),
    "204": (says(204, b""), "HTTP 204"),
    "drips": (drip, "no answer in time"),
    "no JSON": (says(200, b"<html>Sorry</html>"), "not readable"),
    "half of a JSON": (says(200, b'{"resourceType":"Bundle","entry":['), "not readable"),
    "nothing": (says(200, b""), "not readable"),
    "null": (says(200, b"null"), "not readable"),
    "a list": (says(200, b"[]"), "not readable"),
    "too deep": (says(200, b'{"a":' * 5000 + b"1" + b"}" * 5000), "not readable"),
    "too many objects": (says(200, b'{"resourceType":"Bundle","entry":[' + b"{}," * 400_000 + b"{}]}"), "too many"),
    "another type": (says(200, {"resourceType": "Patient", "id": "amara"}), "holds Patient and no Condition"),
    "one resource, not a search": (says(200, PSYCHOSIS), "a single Condition, not the result of a search"),
    "50 MB": (flood, "larger than 10000000 bytes"),
    "a bomb": (bomb, "larger than 10000000 bytes"),
    "another compression": (says(200, b"x", Content_Encoding="br"), "compressed in a way that was not asked for"),
    "damaged compression": (says(200, b"xx", Content_Encoding="gzip"), "the compressed answer is damaged"),
    "no HTTP": (shout, "the connection broke"),
    "an endless search": (never_end, f"more than {MOST_PAGES} pages"),
    "a circle": (turn_in_a_circle, "leads in a circle"),
    "a bare OperationOutcome": (says(200, outcome("timeout")), "the EHR reported an error"),
    "an OperationOutcome in the Bundle": (says(200, _ERROR_INSIDE), "the EHR reported an error"),
    "a redirect": (says(302, b"", Location="{evil}"), "HTTP 302: a redirect, which is not followed"),
    "a permanent redirect": (says(308, b"", Location="{evil}"), "HTTP 308"),
    "next page on another server": (next_page_at("{evil}/Condition?page=2", _OURS), "leaves the FHIR server"),
    "next page beside the base": (next_page_at("http://{authority}/fhir-evil?page=2", _OURS), "leaves the FHIR server"),
    "next page above the base": (next_page_at("{base}/../Condition?page=2", _OURS), "the next link is no address"),
    "next page by dots": (next_page_at("{base}/%2e%2e/x?page=2", _OURS), "the next link is no address"),
    "next page by a parameter": (next_page_at("{base}/..;/x?page=2", _OURS), "the next link is no address"),
    "next page by TLS": (next_page_at("https://{authority}/fhir?page=2", _OURS), "leaves the FHIR server"),
    "next page by ftp": (next_page_at("ftp://{authority}/fhir?page=2", _OURS), "the next link is no address"),
    "next page in a file": (next_page_at("file:///etc/passwd", _OURS), "the next link is no address"),
    "next page for a user": (next_page_at("http://a@{authority}/fhir?page=2", _OURS), "the next link is no address"),
    "next page nowhere": (next_page_at("http://[::1", _OURS), "the next link is no address"),
    "next page without address": (next_page_at("", _OURS), "the next link"),
    "next page fails": (next_page_at(_SECOND, _OURS), "HTTP 500"),
    "next page hangs": (next_page_at(_SECOND, _OURS, then=hang), "no answer in time"),
    "next page is no JSON": (next_page_at(_SECOND, _OURS, then=says(200, b"no")), "not readable"),
    "next page is no page": (next_page_at(_SECOND, _OURS, then=says(200, PSYCHOSIS)), "a next page is no FHIR Bundle"),
    "next page is an error": (next_page_at(_SECOND, _OURS, then=says(200, outcome("timeout"))), "no FHIR Bundle"),
}
"""What the server does when it is asked for the diagnoses, and how the reason reads that is recorded."""


@pytest.fixture(scope="module")
def whole(service: Running) -> Answered:
    """The answer where the server does nothing wrong."""
    with fault_server() as well:
        fill_well(well, service)
        return call(service, well.base)


@pytest.mark.requirement(33, 34)
def test_without_any_prefetch_everything_is_read_from_the_server(whole: Answered) -> None:
    """Cards of every kind; without a fault nothing is unknown but what the patient's record lacks."""
    read = {source["key"]: source["origin"] for source in whole.record.section("request")["sources"]}

    assert {"KETPSYCHOSIS1C", "KETIOP1W", "KETCRPS1I"} <= set(whole.topics)
    assert re.fullmatch(r"read from the FHIR server: 1 page in \d+ ms", read["conditions"])
    assert "" == whole.reasons("conditions")
    assert "unknown" not in whole.verdicts().values()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_search_leaves_a_reason_and_clears_nobody(
    service: Running, server: FaultServer, whole: Answered, name: str
) -> None:
    """Everything else was read; what rests on the diagnoses is unknown or, where they were seen, still present."""
    fault, reason = FAULTS[name]
    with fault_server() as evil:
        server.faults["Condition"] = _towards(fault, name, evil.base)
        found = call(service, server.base)

        assert [] == evil.asked
    assert 200 == found.response.status_code
    assert LATEST_SECONDS > found.seconds
    assert re.search(re.escape(reason), found.reasons("conditions"))
    assert [] == _cleared(whole, found)
    assert "unknown" in found.verdicts().values()
    assert "KETGAP0W" in found.topics
    assert MOST_PAGES + 1 >= len(server.asked_for("Condition"))
    assert TOKEN not in found.response.text
    assert {f"Bearer {TOKEN}"} == {asked.headers["authorization"] for asked in server.asked}


@pytest.mark.requirement(33)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_every_answer_is_a_refusal_that_says_so(service: Running, server: FaultServer, name: str) -> None:
    """Without the Patient no statement is possible: 412 with an OperationOutcome, never 5xx and never no cards."""
    with fault_server() as evil:
        server.faults["*"] = _towards(FAULTS[name][0], name, evil.base)
        found = call(service, server.base)

        assert [] == evil.asked
    assert LATEST_SECONDS > found.seconds
    if name == "another type":
        assert 200 == found.response.status_code  # it is the Patient that was asked for
        assert "KETGAP0W" in found.topics
    else:
        assert (412, "CDS-301") == (found.response.status_code, found.problem)
        assert found.reasons("patient")


def test_a_server_that_is_not_there_is_a_refusal_that_says_so(service: Running) -> None:
    with fault_server() as gone:
        base = gone.base.replace("127.0.0.1", "127.0.0.2")

    found = call(service, base)

    assert (412, "CDS-301") == (found.response.status_code, found.problem)
    assert "no connection" == found.reasons("patient")


def test_what_came_before_a_page_that_failed_is_used(service: Running, server: FaultServer) -> None:
    """The psychosis stands on the first page; what the second held is not known."""
    server.faults["Condition"] = next_page_at("{base}/Condition?page=2", _OURS)

    found = call(service, server.base)

    assert {"KETPSYCHOSIS1C", "KETGAP0W"} <= set(found.topics)
    assert "cut short: HTTP 500" == found.reasons("conditions")


def test_a_patient_whom_the_server_does_not_know_is_a_refusal(service: Running, server: FaultServer) -> None:
    server.faults["Patient"] = says(404)

    found = call(service, server.base)

    assert (412, "CDS-301") == (found.response.status_code, found.problem)
    assert "HTTP 404" in found.response.text


def _towards(fault: Fault, name: str, evil: str) -> Fault:
    """Put the address of a second server into a fault that leads there."""
    if "redirect" in name:
        return says(int((name == "a redirect" and 302) or 308), b"", Location=f"{evil}/Condition?patient=amara")
    if name == "next page on another server":
        return next_page_at(f"{evil}/Condition?page=2", _OURS)
    return fault


def _cleared(whole: Answered, found: Answered) -> list[str]:
    """The rules that say "not found" although with all data they do not."""
    before = whole.verdicts()
    return [rule for rule, verdict in found.verdicts().items() if verdict == "not-found" and before[rule] != verdict]
