"""Uses tokens without an EHR: for tests of the file that remembers them."""

import asyncio

from cds.errors import TrustError
from cds.trust.spent import SpentTokens

NOW = 1_800_000_000.0
LIFE_SECONDS = 330
ISSUER = "https://ehr.example"


def spend(tokens: SpentTokens, token_id: str, issued: float = NOW, now: float = NOW) -> str:
    """Return what came of it: ``new`` or the code of the refusal."""
    try:
        asyncio.run(tokens.spend(ISSUER, token_id, issued, issued + LIFE_SECONDS, now))
    except TrustError as error:
        return error.code
    return "new"
