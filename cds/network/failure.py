"""Why nothing came from another server, in words that may be shown: no query, no token, no library's text."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What kind of failure it was: only `CONNECTION` and `TIMEOUT` say something about the health of the server."""

    FORBIDDEN = "forbidden"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    CONTENT = "content"


@dataclass
class NetworkError(Exception):
    """An exchange that did not come about, or whose answer cannot be used.

    Attributes:
        reason: such as ``no answer in time``; holds no text of the caller or of the server.
        fault: the kind of failure.
    """

    reason: str
    fault: Fault

    def __str__(self) -> str:
        """Return the reason."""
        return self.reason
