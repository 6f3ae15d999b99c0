"""Connections themselves: TLS asks for the name although the address is pinned, and sizes hold whatever is sent."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds.network.failure import NetworkError
from cds.network.http import Fetched, get_bytes, open_http
from cds.network.rules import IPAddress, NetworkRules

LOCAL = NetworkRules(allow_loopback=True)
MOST_BYTES = 10_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for ehr.example, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("ehr.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "ehr.pem"
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(*form) + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.requirement(2)
def test_a_connection_to_the_pinned_address_still_proves_the_name(certificate: Path) -> None:
    names: list[str | None] = []

    fetched = _over_tls("ehr.example", certificate, names)

    assert (200, b"ehr.example") == (fetched.status, fetched.body)
    assert ["ehr.example"] == names


@pytest.mark.requirement(2)
@pytest.mark.parametrize("name", ["other.example", "ehr.example.evil.example"])
def test_a_server_that_cannot_prove_its_name_is_not_asked(certificate: Path, name: str) -> None:
    with pytest.raises(NetworkError, match="the server's certificate or its TLS is not accepted"):
        _over_tls(name, certificate, [])


@pytest.mark.requirement(2)
def test_a_certificate_that_nobody_signed_is_not_accepted(certificate: Path) -> None:
    with pytest.raises(NetworkError, match="the server's certificate or its TLS is not accepted"):
        _over_tls("ehr.example", certificate, [], trusted=False)


SIZES = {
    "exactly as large as allowed": (b"a" * MOST_BYTES, True),
    "a byte larger": (b"a" * (MOST_BYTES + 1), False),
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_the_bound_of_a_body_counts_what_it_is_once_unpacked(name: str, packed: bool) -> None:
    body, is_taken = SIZES[name]
    head = b"Content-Encoding: gzip\r\n" if packed else b""
    sent = b"HTTP/1.1 200 OK\r\n" + head + b"Connection: close\r\n\r\n" + (gzip.compress(body) if packed else body)

    if is_taken:
        assert body == _plain(sent).body
    else:
        with pytest.raises(NetworkError, match="larger than 10000 bytes"):
            _plain(sent)


def test_a_compressed_body_that_is_cut_off_is_no_answer() -> None:
    packed = gzip.compress(bytes(range(256)) * 20)[:-20]

    with pytest.raises(NetworkError, match="cut off"):
        _plain(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + packed)


@pytest.mark.parametrize("status", [201, 204, 301, 400, 404, 500])
def test_of_an_answer_that_is_no_success_only_the_status_is_taken(status: int) -> None:
    """What a server writes into an error can name patients."""
    sent = f"HTTP/1.1 {status} X\r\nContent-Length: {0 if status == 204 else 6}\r\n\r\n".encode() + b"amara!"

    assert Fetched(status) == _plain(sent)


def test_no_cookie_is_kept_for_the_next_patient() -> None:
    asked: list[bytes] = []

    async def twice() -> None:
        async with aclosing(open_http(LOCAL, _here)) as http, _serving(_COOKIE, asked) as port:
            for _ in range(2):
                await get_bytes(http, f"http://ehr.example:{port}/", headers={}, most_bytes=10, deadline=_soon())

    asyncio.run(twice())

    assert 2 == len(asked)
    assert [] == [head for head in asked if b"cookie" in head.lower()]


@pytest.mark.parametrize("header", ["a\r\nX-Evil: 1", "a\x00", "\u20ac"])
def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error(header: str) -> None:
    with pytest.raises(NetworkError) as caught:
        _plain(_COOKIE, {"Authorization": f"Bearer CANARY{header}"})

    assert "the request cannot be written" == caught.value.reason
    assert "CANARY" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"


_COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1; Path=/\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@asynccontextmanager
async def _serving(sent: bytes, asked: list[bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Answer every request with the same bytes, on a free port."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(sent)
            await writer.drain()

    server = await asyncio.start_server(say, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _here(_: str, __: int) -> tuple[IPAddress, ...]:
    return (ip_address("127.0.0.1"),)


def _plain(sent: bytes, headers: dict[str, str] | None = None) -> Fetched:
    async def get() -> Fetched:
        async with aclosing(open_http(LOCAL, _here)) as http, _serving(sent, []) as port:
            url = f"http://ehr.example:{port}/"
            return await get_bytes(http, url, headers=headers or {}, most_bytes=MOST_BYTES, deadline=_soon())

    return asyncio.run(get())


def _over_tls(name: str, certificate: Path, names: list[str | None], *, trusted: bool = True) -> Fetched:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    served.sni_callback = lambda _, asked, __: names.append(asked)
    accepted = ssl.create_default_context(cafile=certificate) if trusted else None
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nehr.example"

    async def get() -> Fetched:
        async with aclosing(open_http(LOCAL, _here, accepted)) as http, _serving(sent, [], served) as port:
            url = f"https://{name}:{port}/fhir"
            return await get_bytes(http, url, headers={}, most_bytes=MOST_BYTES, deadline=_soon())

    return asyncio.run(get())


def _soon() -> float:
    return asyncio.get_running_loop().time() + 3
