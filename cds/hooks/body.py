"""Refuse a request body that is not safe or not unambiguous to read, and say exactly what is wrong with it.

Source: RFC 8259 (JSON), CDS Hooks 2.0.1 "Use of JSON". The limits are ours: real requests lie far below them.
"""

import re

import orjson

from cds.errors import RequestError
from cds.hooks.members import shown

MOST_BYTES = 10_000_000
"""The largest body that is read, unless the settings say otherwise."""
DEEPEST = 64
"""How many objects and arrays may lie in one another; FHIR resources reach about 20."""
MOST_RESOURCES = 20_000
"""How many resources one request may hold."""
LONGEST_STRING_BYTES = 200_000
"""The longest string, as it is written; longer ones are attachments, which no rule reads."""

_EXPECTED = "Expected a JSON object: the CDS Hooks request."
_MEDIA_TYPES = frozenset({"", "application/json", "application/fhir+json", "application/json+fhir"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
_ONLY_SHORT_STRINGS = re.compile(rb'(?:[^"]+|"[^"]{0,%d}")*+' % LONGEST_STRING_BYTES)
_LEVELS = bytes.maketrans(b"[]", b"{}")
_NO_LEVELS = bytes(set(range(256)) - set(b'{}[]"'))
_NO_NUMBER = (b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf")


def check_headers(content_type: str, content_encoding: str) -> None:
    """Refuse a body whose headers say that it is not plain JSON; a missing Content-Type is taken as JSON.

    Raises:
        RequestError: CDS-211 (an encoding such as gzip) or CDS-212 (another media type), both HTTP 415.
    """
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise RequestError(
            "CDS-211", "Content-Encoding", f"The body is encoded as {shown(content_encoding)}.",
            "Expected a body without Content-Encoding.", "Send the JSON as it is.", 415,
        )  # fmt: skip
    media_type, *parameters = [part.strip() for part in content_type.lower().split(";")]
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    if media_type not in _MEDIA_TYPES or not set(charsets) <= _CHARSETS:
        raise RequestError(
            "CDS-212", "Content-Type", f"The body is said to be {shown(content_type)}.",
            "Expected application/json or application/fhir+json in UTF-8.", "Set the Content-Type header.", 415,
        )  # fmt: skip


def check_size(size: int, most: int) -> None:
    """Refuse a body of more than `most` bytes.

    Raises:
        RequestError: CDS-204, HTTP 413.
    """
    if size > most:
        raise RequestError(
            "CDS-204", "$", f"The body is larger than {most} bytes.", f"Expected at most {most} bytes.",
            "Send less prefetch, or raise CDS_MAX_BODY_BYTES.", 413,
        )  # fmt: skip


def check_json(body: bytes) -> None:
    """Refuse a body that is not one JSON object within the limits of this module.

    Raises:
        RequestError: CDS-201 no JSON, 202 no object, 203 not UTF-8 or with a byte order mark, 205 too deep,
            206 a number that JSON does not have or that is out of range, 207 half of a surrogate pair,
            209 too many resources, 210 a string that is too long.
    """
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _syntax_error(body, error) from None
    if not isinstance(decoded, dict):
        raise RequestError("CDS-202", "$", "The body is JSON, but no object.", _EXPECTED)
    _check_limits(body)


def _check_limits(body: bytes) -> None:
    plain = _ESCAPE.sub(b"__", body) if b"\\" in body else body
    if _is_deeper(plain, DEEPEST):
        raise RequestError(
            "CDS-205", "$", f"The body is nested deeper than {DEEPEST} levels.", "Expected flatter JSON."
        )
    if (count := body.count(b'"resourceType"')) > MOST_RESOURCES:
        raise RequestError(
            "CDS-209",
            "$",
            f"The body holds {count} resources.",
            f"Expected at most {MOST_RESOURCES}.",
            "Send less prefetch.",
        )
    if len(body) > LONGEST_STRING_BYTES and not _ONLY_SHORT_STRINGS.fullmatch(plain):
        raise RequestError(
            "CDS-210", "$", f"A string is longer than {LONGEST_STRING_BYTES} bytes.",
            f"Expected at most {LONGEST_STRING_BYTES} bytes.", "Leave attachments out.",
        )  # fmt: skip


def _is_deeper(text: bytes, levels: int) -> bool:
    """Say whether valid JSON without escapes is nested deeper, by taking away its innermost objects level by level."""
    quotes_and_braces = text.translate(_LEVELS, _NO_LEVELS).replace(b'""', b"")
    nesting = _STRING.sub(b"", quotes_and_braces)
    for _ in range(levels):
        if not nesting:
            return False
        nesting = nesting.replace(b"{}", b"")
    return bool(nesting)


def _syntax_error(body: bytes, error: orjson.JSONDecodeError) -> RequestError:
    """Return the error that says what makes this no JSON; only for bodies that could not be decoded."""
    if not body.strip():
        return RequestError("CDS-201", "$", "The body is empty.", _EXPECTED)
    if (wrong := _encoding_error(body)) is not None:
        return wrong
    where, what = f"line {error.lineno} column {error.colno}", str(error.msg)
    at = body.decode()[error.pos :].encode()
    if "surrogate" in what:
        return RequestError(
            "CDS-207", where, "Half of a surrogate pair: no character.", "Expected both halves, or none."
        )
    if "infinity" in what or at.startswith(_NO_NUMBER) or "no digit after sign" in what:
        return RequestError(
            "CDS-206", where, "Not a number that JSON has, or out of range.", "Expected a finite number."
        )
    if "depth limit" in what:
        return RequestError(
            "CDS-205", where, f"The body is nested deeper than {DEEPEST} levels.", "Expected flatter JSON."
        )
    return RequestError("CDS-201", where, f"The body is not JSON: {what}.", _EXPECTED)


def _encoding_error(body: bytes) -> RequestError | None:
    """Return the error of a body that is not UTF-8, or that starts with a byte order mark, else None."""
    expected = "Expected UTF-8 without a byte order mark."
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return RequestError("CDS-203", "$", "The body starts with a byte order mark.", expected)
    if b"\x00" in body[:4]:
        return RequestError("CDS-203", "$", "The body is UTF-16 or UTF-32.", expected)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return RequestError("CDS-203", f"byte {error.start}", "The body is not UTF-8.", expected)
    return None
