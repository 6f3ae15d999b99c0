"""``cds client test``: prove a registration by real calls of a running service, signed with the EHR's key."""

import argparse
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from cds.cli.options import Commands, add_command, read_settings
from cds.ehr.identity import Identity
from cds.ehr.keypair import KeyPair, read_key_pair
from cds.ehr.wire import connect
from cds.errors import TrustError
from cds.trust.registration import Registration
from cds.trust.registry import Registry
from cds.trust.verification import LEEWAY_SECONDS

_PATH = "/cds-services"


def add_command_to(commands: Commands) -> None:
    """Add ``client test``."""
    parser = add_command(
        commands,
        "test",
        _test,
        "Prove a registration: discovery is called with a token of the EHR, with the same token again, and without.\n\n"
        "Only the first call must be answered. The EHR's private key is needed; it is sent nowhere.",
        {0: "proven", 1: "the service answers otherwise", 2: "the key or the registration cannot be used"},
        "cds client test north --key ehr.pem --service https://cds.hospital.example",
    )
    parser.add_argument("name", metavar="NAME", help="the name under which the EHR is registered")
    parser.add_argument("--key", metavar="FILE", type=Path, required=True, help="its private key, in PEM")
    parser.add_argument("--kid", metavar="KID", default="", help="the name of its key, if it is not registered here")
    parser.add_argument("--service", metavar="URL", help="address of the service (default: CDS_PUBLIC_BASE_URL)")
    parser.add_argument("--clients", metavar="FILE", type=Path, help="the clients' file (default: CDS_CLIENTS)")


def _test(options: argparse.Namespace) -> int:
    settings = read_settings(clients=options.clients)
    registration = _registration(Registry.load(settings.clients), options.name, settings.clients)
    base = settings.public_base_url or options.service
    if not base:
        what = "The address of the service is not known."
        raise TrustError("CDS-606", "--service", what, action="Give --service, or set CDS_PUBLIC_BASE_URL.")
    pair = read_key_pair(options.key)
    client = registration.client
    kid = options.kid or _kid(pair, registration)
    identity = Identity(pair, client.issuer, client.tenant, client.subject, kid)
    token = identity.token(base.rstrip("/") + _PATH, datetime.now(UTC))
    print(f"{client.name}: iss {client.issuer}, kid {kid}, aud {base.rstrip('/')}{_PATH}")
    with connect(options.service or base) as service:
        return 0 if _proven(service, token) else 1


def _proven(service: httpx.Client, token: str) -> bool:
    """Make the calls, say what came of each, and stop at the first that is not answered as it must be."""
    signed = {"Authorization": f"Bearer {token}"}
    calls: tuple[tuple[str, dict[str, str], int], ...] = (
        ("with a token", signed, 200),
        ("with the same token again", signed, 401),
        ("without a token", {}, 401),
    )
    for words, headers, expected in calls:
        try:
            answer = service.get(_PATH.removeprefix("/"), headers=headers)
        except httpx.HTTPError as error:
            print(f"no answer ({type(error).__name__})  {words}")
            return False
        print(f"HTTP {answer.status_code}, expected {expected}  {words}")
        if answer.status_code != expected:
            print(_advice(answer, expected))
            return False
    return True


def _advice(answer: httpx.Response, expected: int) -> str:
    """Return what to look at: the service itself never says why it refuses a call."""
    if expected == 401:
        return "The service answers calls that nobody verified: is it run with CDS_PROFILE=production?"
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        apart_seconds = abs((datetime.now(UTC) - theirs).total_seconds())
    except (TypeError, ValueError):
        apart_seconds = 0.0
    if apart_seconds > LEEWAY_SECONDS:
        return f"The clocks are {apart_seconds:.0f} seconds apart; at most {LEEWAY_SECONDS} are allowed."
    return (
        "The service never says why. Its log does (token.refused, with a code of docs/problems.md). Does it read this\n"
        "clients' file? Is its CDS_PUBLIC_BASE_URL the aud above? Has it just started after it was killed?"
    )


def _registration(registry: Registry, name: str, path: Path) -> Registration:
    for registration in registry.registrations:
        if registration.client.name == name:
            return registration
    names = ", ".join(one.client.name for one in registry.registrations) or "none"
    raise TrustError("CDS-606", str(path), f"No EHR is registered as {name!r}.", f"One of: {names}.")


def _kid(pair: KeyPair, registration: Registration) -> str:
    """Return the name under which the key is registered; at an address of keys it is taken to be the thumbprint."""
    public = pair.private.public_key()
    for key in registration.keys.values():
        if key.material == public:
            return key.kid
    if not registration.jwks_url:
        name = registration.client.name
        raise TrustError(
            "CDS-606", name, "The key is none of those that are registered.", action="Is it its newest key?"
        )
    kid: str = pair.public_jwk["kid"]
    return kid
