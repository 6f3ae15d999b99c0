"""Whether a token is right: signed by a key of its EHR, meant for the address that was called, and of now.

Times are judged by the clock that is passed in. PyJWT verifies the signature; the claims are compared here, because
it takes the time from the system and accepts tokens that live for years.

Source: trust/design.md 2.2.
"""

import jwt
from msgspec import UNSET

from cds.trust.keys import PublicKey
from cds.trust.registration import Registration
from cds.trust.registry import Registry
from cds.trust.token import Claims, Token, refusal

LEEWAY_SECONDS = 30
"""How far the clocks of an EHR and of the service may differ."""

LONGEST_LIFE_SECONDS = 3600
"""A token that could be used for longer is refused."""

_SIGNATURES = jwt.PyJWS(algorithms=["ES384", "RS384"])


def registration_of(token: Token, registry: Registry) -> Registration:
    """Return the EHR that the token says it comes from.

    Raises:
        TrustError: CDS-614 if none is registered with its issuer, tenant and subject, CDS-612 if it names keys at an
            address that is not the registered one.
    """
    claims = token.claims
    found = registry.find(claims.iss, claims.tenant or "", claims.sub or "")
    if found is None:
        raise refusal("CDS-614", "No EHR is registered with the token's issuer, tenant and subject.")
    if token.header.jku is not UNSET and token.header.jku != found.jwks_url:
        raise refusal("CDS-612", "The token names keys at an address that is not registered.")
    return found


def check_signature(token: Token, key: PublicKey) -> None:
    """Raise TrustError CDS-617 unless the token was signed with the key, by the key's own algorithm."""
    try:
        _SIGNATURES.decode_complete(token.compact, key.material, algorithms=[key.algorithm])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        signed = False
    else:
        signed = True
    if not signed:
        raise refusal("CDS-617", "The signature is not that of the EHR's key.")


def check_times(claims: Claims, now_seconds: float) -> None:
    """Raise TrustError CDS-618 unless the token is valid now and lives for an hour at most."""
    begins = max(claims.iat, claims.nbf) if claims.nbf is not UNSET else claims.iat
    if begins > now_seconds + LEEWAY_SECONDS:
        raise refusal("CDS-618", "The token is not valid yet.")
    if claims.exp <= now_seconds - LEEWAY_SECONDS:
        raise refusal("CDS-618", "The token has expired.")
    if not 0 < claims.exp - claims.iat <= LONGEST_LIFE_SECONDS:
        raise refusal("CDS-618", "The token's lifetime is not one that is accepted.")


def check_audience(claims: Claims, address: str, registration: Registration) -> None:
    """Raise TrustError CDS-619 unless the token is meant for the address, or for an audience of its EHR.

    Args:
        claims: the token's.
        address: the configured public base URL with the path that was called; never taken from the Host header.
        registration: the EHR's, with its own audiences.
    """
    named = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    if named.isdisjoint((address, *registration.client.audiences)):
        raise refusal("CDS-619", "The token is meant for another address.")
