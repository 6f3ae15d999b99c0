"""The options by which a command calls the service as a registered EHR."""

import argparse
from pathlib import Path

from cds.ehr.identity import Identity, SignedCalls, read_identity
from cds.ehr.keypair import read_key_pair
from cds.errors import RequestError


def signing_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `signature` reads."""
    group = parser.add_argument_group("to sign as a registered EHR (else the calls are not signed)")
    group.add_argument("--key", metavar="FILE", type=Path, help="its private key, in PEM")
    group.add_argument("--issuer", metavar="ISS", help="the iss of its tokens")
    group.add_argument("--subject", metavar="SUB", default="", help="the sub of its tokens (default: none)")
    group.add_argument("--tenant", metavar="TENANT", default="", help="the tenant of its tokens (default: none)")
    group.add_argument("--kid", metavar="KID", default="", help="the name of its key (default: the key's thumbprint)")
    group.add_argument("--audience", metavar="AUD", default="", help="the aud of its tokens (default: what is called)")
    group.add_argument("--identity", metavar="FILE", type=Path, help="JSON file with these names, instead of them")


def signature(options: argparse.Namespace) -> SignedCalls | None:
    """Return what signs the calls, or None if no option says so.

    Raises:
        RequestError: CDS-244 the options do not fit together.
        TrustError: CDS-605 the key or the identity cannot be used.
    """
    claims = {name: getattr(options, name) for name in ("issuer", "subject", "tenant", "kid", "audience")}
    given = bool(options.key or any(claims.values()))
    if options.identity and given:
        raise RequestError("CDS-244", "--identity", "It stands instead of --key, --issuer and the others, not beside.")
    if options.identity:
        return SignedCalls(read_identity(options.identity))
    if not given:
        return None
    if not (options.key and options.issuer):
        raise RequestError("CDS-244", "--key, --issuer", "To sign a call both are needed.")
    return SignedCalls(Identity(read_key_pair(options.key), **claims))
