"""Which addresses are read: only those below a FHIR server of the client, compared part by part.

Source: trust/design.md 2.3 (SSRF); GHSA-vr79-8m62-wh98.
"""

import asyncio
from contextlib import aclosing
from ipaddress import IPv4Network, ip_address

import pytest

from cds.fhir.client import base_of
from cds.network.address import escaped, parse_address
from cds.network.failure import NetworkError
from cds.network.http import get_bytes, open_http
from cds.network.rules import IPAddress, NetworkRules
from cds.trust.client import Client
from tests.fetch.calls import ask, fill_well, without_prefetch
from tests.fetch.fault_server import FaultServer, fault_server
from tests.running import Running

BASE = "https://ehr.example/fhir"
LOCAL = NetworkRules(allow_loopback=True)

SAME = [BASE, f"{BASE}/", "HTTPS://ehr.example/fhir", "https://EHR.Example/fhir", "https://ehr.example:443/fhir"]
OTHERS = [
    "https://ehr.example.evil/fhir",
    "https://ehr.example.evil/",
    "https://evil.example/https://ehr.example/fhir",
    "https://ehr.example/fhir-evil",
    "https://ehr.example/fhirs",
    "https://ehr.example/FHIR",
    "https://ehr.example/fhir/../x",
    "https://ehr.example/fhir/..",
    "https://ehr.example/fhir/%2e%2e/x",
    "https://ehr.example/fhir/%2E%2E%2Fx",
    "https://ehr.example/fhir/%252e%252e/x",
    "https://ehr.example/fhir%2f..%2fx",
    "https://ehr.example/fhir/..;x",
    "https://ehr.example/fhir/..;/x",
    "https://ehr.example/fhir/..;x=1;y/x",
    "https://ehr.example/fhir/.;/x",
    "https://ehr.example/fhir/;x/y",
    "https://ehr.example/fhir/%2e%2e;x/y",
    "https://ehr.example/fhir/..%3Bx/y",
    "https://ehr.example/fhir/%252e%252e;/x",
    "https://ehr.example/fhir/..%20/x",
    "https://ehr.example/fhir/.../x",
    "https://ehr.example/%66hir",
    "https://ehr.example//fhir",
    "https://ehr.example/fhir?x=1",
    "https://ehr.example/fhir#x",
    "https://ehr.example/fhir/tenant",
    "https://ehr.example",
    "https://ehr.example./fhir",
    "https://ehr.example:8443/fhir",
    "https://ehr.example:0443x/fhir",
    "https://ehr.example:/fhir",
    "https://ehr.example:99999/fhir",
    "http://ehr.example/fhir",
    "http://ehr.example:443/fhir",
    "ftp://ehr.example/fhir",
    "file:///etc/passwd",
    "//ehr.example/fhir",
    "ehr.example/fhir",
    "https:/ehr.example/fhir",
    "https:ehr.example/fhir",
    "https://user@ehr.example/fhir",
    "https://user:secret@ehr.example/fhir",
    "https://ehr.example@evil.example/fhir",
    "https://evil.example\\@ehr.example/fhir",
    "https://ehr.example\\.evil.example/fhir",
    "https://ehr.example%2eevil/fhir",
    "https://ehr.example /fhir",
    " https://ehr.example/fhir",
    "https://ehr.example/fhir\r\nX-Header: 1",
    "https://ehr.example\t/fhir",
    "https://ehr\u3002example/fhir",
    "https://\u0435hr.example/fhir",
    "https://ehr.example/fhir\u2025/x",
    "https://[ehr.example]/fhir",
    "https://[::1%25lo]/fhir",
    "",
    "null",
]


CLIMBING = [other for other in OTHERS if other.startswith(f"{BASE}/") and other != f"{BASE}/tenant"]


@pytest.mark.parametrize("link", CLIMBING, ids=ascii)
def test_a_path_that_some_server_would_read_as_one_above_is_no_address(link: str) -> None:
    """Tomcat takes ``..;x`` for ``..``; others decode twice."""
    with pytest.raises(NetworkError):
        parse_address(link)


@pytest.mark.requirement(39)
@pytest.mark.parametrize("asked", SAME)
def test_a_server_that_is_written_otherwise_is_the_same(asked: str) -> None:
    assert BASE == str(base_of(asked, [BASE]))


@pytest.mark.requirement(39)
@pytest.mark.parametrize("asked", OTHERS, ids=ascii)
def test_a_server_that_only_looks_like_a_registered_one_is_another(asked: str) -> None:
    with pytest.raises(NetworkError):
        base_of(asked, [BASE])


INTERNAL = [
    "169.254.169.254",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - refused
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", INTERNAL)
@pytest.mark.parametrize("plain", [False, True])
def test_no_machine_of_the_internal_network_is_reached_unless_it_is_listed(address: str, plain: bool) -> None:
    assert not NetworkRules().permits(ip_address(address), plain=plain)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_machine_is_reached_by_tls_only(address: str) -> None:
    assert (True, False) == tuple(NetworkRules().permits(ip_address(address), plain=plain) for plain in (False, True))


def test_an_ipv6_address_stands_in_brackets_where_a_server_is_named() -> None:
    assert "[::1]:8080" == parse_address("http://[0:0::1]:8080/fhir").authority


def test_a_network_that_is_listed_is_reached_also_without_tls() -> None:
    rules = NetworkRules(private_networks=(IPv4Network("10.1.0.0/16"),))

    assert (True, True, False) == (
        rules.permits(ip_address("10.1.2.3"), plain=False),
        rules.permits(ip_address("10.1.2.3"), plain=True),
        rules.permits(ip_address("10.2.0.1"), plain=False),
    )


DISGUISED = ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "0", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", DISGUISED)
def test_an_address_that_is_disguised_as_a_name_or_a_number_is_not_reached(server: FaultServer, host: str) -> None:
    port = server.base.rpartition(":")[2].partition("/")[0]

    with pytest.raises(NetworkError, match="the address is refused"):
        _get(f"http://{host}:{port}/fhir/metadata", NetworkRules())

    assert [] == server.asked


@pytest.mark.parametrize("found", [("127.0.0.1",), ("10.0.0.5", "::1"), ("169.254.169.254",)], ids=str)
def test_a_name_that_leads_inside_is_not_reached(server: FaultServer, found: tuple[str, ...]) -> None:
    """Who owns a name can let it point anywhere."""
    port = server.base.rpartition(":")[2].partition("/")[0]

    with pytest.raises(NetworkError, match="the address is refused"):
        _get(f"http://ehr.example:{port}/fhir/metadata", NetworkRules(), *found)

    assert [] == server.asked


def test_a_name_is_looked_up_once_for_a_connection(server: FaultServer) -> None:
    """What was judged is what is connected to: a name that points elsewhere the second time (rebinding) fails."""
    port = server.base.rpartition(":")[2].partition("/")[0]
    lookups: list[str] = []

    status = _get(f"http://ehr.example:{port}/fhir/Patient/amara", LOCAL, "127.0.0.1", lookups=lookups)

    assert (200, ["ehr.example"]) == (status, lookups)
    assert f"ehr.example:{port}" == server.asked[0].headers["host"]


def test_a_name_that_is_not_known_says_whose_name_it_is(service: Running) -> None:
    """The reason stands in a card or a refusal, far from the name."""
    base = "https://ehr.invalid/fhir"

    (answer,) = ask(service, without_prefetch(base), Client("hospital", fhir_bases=(base,)), NetworkRules())

    assert b"The patient could not be read: the FHIR server's name is not known." in answer.body


def test_a_name_that_is_not_known_is_no_fault_of_ours() -> None:
    with pytest.raises(NetworkError, match="the server's name is not known"):
        _get("https://ehr.invalid/fhir", NetworkRules())


def test_what_an_address_cannot_hold_is_escaped() -> None:
    address = parse_address(escaped(f"{BASE}/Observation?code=http://loinc.org|2160-0&x=a b\r\né"))

    assert "/fhir/Observation?code=http://loinc.org%7C2160-0&x=a%20b%0D%0A%C3%A9" == address.target


REGISTERED = Client("hospital", fhir_bases=(BASE,))


@pytest.mark.requirement(39)
@pytest.mark.parametrize("hook", ["order-select", "order-sign", "patient-view"])
def test_a_server_that_is_not_registered_is_never_asked_and_the_answer_says_so(
    service: Running, server: FaultServer, hook: str
) -> None:
    """It is the caller's own text that would make us ask: 412, because the Patient is missing, and never 5xx."""
    (answer,) = ask(service, without_prefetch(server.base, hook), REGISTERED, LOCAL)

    assert 412 == answer.status
    assert b"fhirServer is not registered for this client" in answer.body
    assert b"register this FHIR base for the client: cds client add --replace --fhir-base" in answer.body
    assert [] == server.asked


def test_what_was_sent_is_answered_although_the_server_is_not_registered(service: Running, server: FaultServer) -> None:
    patient = {"resourceType": "Patient", "id": "amara", "gender": "female", "birthDate": "1980-01-02"}

    (answer,) = ask(service, without_prefetch(server.base) | {"prefetch": {"patient": patient}}, REGISTERED, LOCAL)

    assert 200 == answer.status
    assert b"not sent; fhirServer is not registered for this client" in answer.body
    assert [] == server.asked


@pytest.mark.requirement(39)
def test_a_registered_server_on_an_internal_network_is_not_asked_unless_it_is_listed(
    service: Running, server: FaultServer
) -> None:
    client = Client("hospital", fhir_bases=(server.base,))

    (refused,) = ask(service, without_prefetch(server.base), client, NetworkRules())
    (listed,) = ask(service, without_prefetch(server.base), client, NetworkRules((IPv4Network("127.0.0.0/8"),)))

    assert (412, 200) == (refused.status, listed.status)
    assert b"the address is refused: without TLS only listed networks are read" in refused.body


def test_a_client_may_not_name_the_server_of_another(service: Running, server: FaultServer) -> None:
    with fault_server() as other:
        fill_well(other, service)
        (answer,) = ask(service, without_prefetch(other.base), Client("clinic", fhir_bases=(server.base,)), LOCAL)

        assert [] == other.asked
    assert 412 == answer.status


def _get(url: str, rules: NetworkRules, *found: str, lookups: list[str] | None = None) -> int:
    """Return the status of `url`, with a resolver that knows only `found` for every name."""

    async def resolve(host: str, _: int) -> tuple[IPAddress, ...]:
        if lookups is not None:
            lookups.append(host)
        return tuple(map(ip_address, found))

    async def get() -> int:
        until = asyncio.get_running_loop().time() + 2
        async with aclosing(open_http(rules, resolve) if found else open_http(rules)) as http:
            return (await get_bytes(http, url, headers={}, most_bytes=100_000, deadline=until)).status

    return asyncio.run(get())
