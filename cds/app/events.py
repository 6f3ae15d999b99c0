"""The operational log: one JSON object a line, an event that is a past fact, and only keys that are on a list.

No patient data: no text of a caller, no id of a patient, no token, no message of an exception ever gets here. A client
is named as its operator registered it; a peer is the address of the machine that calls.
"""

import json
import logging
import sys
from collections.abc import Mapping
from traceback import extract_tb

ALLOWED = (
    "client",
    "clients",
    "peer",
    "service",
    "hook",
    "hook_instance",
    "record",
    "status",
    "problem",
    "cards",
    "silent",
    "orders",
    "unknown",
    "shadow",
    "items",
    "stored",
    "repeated",
    "orphans",
    "knowledge",
    "rules",
    "request_bytes",
    "fhir_reads",
    "fetch_ms",
    "duration_ms",
    "error",
    "place",
    "verification_key",
    "version",
    "profile",
    "workers",
    "clock",
    "verification_key",
    "message",
)
"""The keys that a line may have besides `time`, `level` and `event`; another one is left out."""

Values = Mapping[str, str | float | None]
"""What a line says, by key."""

_LOGGER = logging.getLogger("cds")
_SERVER = "uvicorn.error"
_QUIET = ("httpx", "httpcore", "uvicorn.access")


def log_event(event: str, values: Values | None = None, level: int = logging.INFO) -> None:
    """Write one line. Values of None are left out, and so is every key that is not `ALLOWED`."""
    _LOGGER.log(level, event, extra={"values": values or {}})


def log_exception(event: str, error: BaseException, values: Values) -> None:
    """Write that something failed that should not: the type of the exception and its place, never its message."""
    frames = extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    log_event(event, {**values, "error": type(error).__name__, "place": place}, logging.ERROR)


def configure_log(level: str) -> None:
    """Send all logging of this process to standard error as JSON lines; what would log addresses is quiet."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """Writes a log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; of a library's record only who wrote it, and the server's own messages."""
        line: dict[str, object] = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname}
        values = getattr(record, "values", None)
        if record.name != _LOGGER.name or not isinstance(values, Mapping):
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
            message = _plain(record) if record.name == _SERVER and not kind else None
            values, event = {"error": kind, "place": record.name, "message": message}, "library.logged"
        else:
            event = record.getMessage()
        line["event"] = event
        line |= {name: values[name] for name in ALLOWED if values.get(name) is not None}
        return json.dumps(line, ensure_ascii=True)


def _plain(record: logging.LogRecord) -> str | None:
    """Return the server's message; one of several lines is a traceback, which ends with the text of an exception."""
    message = record.getMessage()
    return None if "\n" in message else message
