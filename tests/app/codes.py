"""What a test asks of an OperationOutcome."""

import httpx
import orjson

from tests.app.sockets import Raw


def code_of(response: httpx.Response | Raw) -> str:
    """Return the CDS code of an answer that refuses; empty if it has no body."""
    content = response.body if isinstance(response, Raw) else response.content
    if not content:
        return ""
    code: str = orjson.loads(content)["issue"][0]["details"]["coding"][0]["code"]
    return code
