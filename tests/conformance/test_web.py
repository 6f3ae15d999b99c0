"""A1 and A10: HTTPS, browsers, and what the HTTP codes mean."""

from dataclasses import replace

import pytest

from cds.settings import Profile, Settings, addresses
from tests.conformance.calls import nothing_to_say
from tests.conformance.exchange import ORDER_SELECT, Exchange, Reply
from tests.conformance.mutations import answering, having, replied, text, turned_red_by, where
from tests.conformance.trusted import ORIGIN, Trusted
from tests.hooks.bodies import request


@pytest.mark.requirement(2)
@turned_red_by("links in clear", text(b"https://cds.example", b"http://cds.example"))
@turned_red_by("a service that takes any address for its own", having(addresses, "_is_safe", lambda _: True))
def test_in_production_the_service_has_an_address_of_https_and_links_by_it(trusted: Trusted) -> None:
    answered = trusted.post(request()).cards()
    links = [link["url"] for card in answered for link in card["links"]]

    assert links
    assert [] == [link for link in links if not link.startswith("https://")]
    assert _may_be_public("https://cds.hospital.example")
    assert not _may_be_public("http://cds.hospital.example")


def _may_be_public(address: str) -> bool:
    try:
        Settings(profile=Profile.PRODUCTION, public_base_url=address)
    except ValueError:
        return False
    return True


@pytest.mark.requirement(70)
@turned_red_by(
    "every origin is let in",
    answering(lambda _, reply: replace(reply, headers={**reply.headers, "access-control-allow-origin": "*"})),
)
def test_no_page_of_another_origin_may_call_until_origins_are_named(exchange: Exchange) -> None:
    replies = [
        exchange.get(origin=ORIGIN),
        exchange.send("OPTIONS", "/cds-services", origin=ORIGIN, access_control_request_method="GET"),
    ]

    assert [] == [name for reply in replies for name in reply.headers if name.startswith("access-control")]


@pytest.mark.requirement(70)
@turned_red_by("no header at all", replied(headers={}))
@turned_red_by("every origin", replied(headers={"access-control-allow-origin": "*"}))
@turned_red_by(
    "preflights need a token", answering(lambda asked, r: replace(r, status=401) if "OPTIONS" in asked else r)
)
def test_pages_of_an_origin_that_is_named_may_call_with_a_token(trusted: Trusted) -> None:
    """Browsers ask first, without a token, whether they may send one; also where feedback would go."""
    service = f"/cds-services/{ORDER_SELECT}"
    for path, method in (("/cds-services", "GET"), (service, "POST"), (f"{service}/feedback", "POST")):
        reply = _preflight(trusted, path, method, ORIGIN)

        assert 200 == reply.status
        assert ORIGIN == reply.headers.get("access-control-allow-origin")
        assert {"authorization", "content-type"} <= set(
            reply.headers["access-control-allow-headers"].lower().split(", ")
        )
        assert "access-control-allow-origin" not in _preflight(trusted, path, method, "https://evil.example").headers
    answered = trusted.exchange.get(authorization=f"Bearer {trusted.ehr.token()}", origin=ORIGIN)
    assert (200, ORIGIN) == (answered.status, answered.headers.get("access-control-allow-origin"))


def _preflight(trusted: Trusted, path: str, method: str, origin: str) -> Reply:
    return trusted.exchange.send(
        "OPTIONS",
        path,
        origin=origin,
        access_control_request_method=method,
        access_control_request_headers="authorization, content-type",
    )


@pytest.mark.requirement(71)
@turned_red_by("422 as the framework would say", where(400, status=422))
@turned_red_by("424 for missing data", where(412, status=424))
@turned_red_by("403 for who is not known", where(401, status=403))
@turned_red_by("204 for nothing to say", where(200, status=204))
@turned_red_by("200 for everything", answering(lambda _, reply: replace(reply, status=200)))
def test_every_code_means_what_it_means_for_cds_hooks(trusted: Trusted) -> None:
    patient = {"prefetch": {"patient": None}}

    assert [200, 200, 412, 401, 400, 400, 404, 415] == [
        trusted.post(request()).status,
        trusted.post(nothing_to_say()).status,
        trusted.post(request() | patient).status,
        trusted.exchange.post(request()).status,
        trusted.post(b"{").status,
        trusted.post({"hook": "order-select"}).status,
        trusted.post(request(), "nothing").status,
        trusted.post(request(), content_type="text/plain").status,
    ]
