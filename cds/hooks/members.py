"""Take JSON objects apart one level at a time, so that one bad member costs only itself."""

from collections.abc import Mapping

import msgspec

from cds.errors import RequestError


class _Name(str):
    """The name of a member. Two are never equal, so that a dict keeps a name that stands twice."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def _name(kind: type, text: object) -> object:
    return kind(text)


_ALL_MEMBERS = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=_name)
_LAST_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_LONGEST_SHOWN = 80
MOST_MEMBERS = 1_000
"""How many members the request, its context or its prefetch may have; real ones have a few dozen."""


def unique_members(raw: bytes, path: str) -> dict[str, bytes]:
    """Return the members of a JSON object as raw JSON.

    Raises:
        RequestError: CDS-215 if it is no object, CDS-209 if it has too many members, CDS-208 if a name stands twice.

    >>> unique_members(b'{"a": 1, "b": [2]}', "$")
    {'a': b'1', 'b': b'[2]'}
    """
    try:
        found = _ALL_MEMBERS.decode(raw)
    except msgspec.DecodeError:
        raise wrong_type(path, "an object") from None
    if len(found) > MOST_MEMBERS:
        raise RequestError(
            "CDS-209", path, f"There are {len(found)} members.", f"Expected at most {MOST_MEMBERS}.", "Send less."
        )
    members = {str(name): bytes(value) for name, value in found.items()}
    if len(members) < len(found):
        names = [str(name) for name in found]
        double = next(name for name in names if names.count(name) > 1)
        raise RequestError(
            "CDS-208",
            path,
            f"The member {shown(double)} stands twice.",
            "Expected every member once.",
            "Send the one that counts.",
        )
    return members


def members(raw: bytes) -> dict[str, bytes] | None:
    """Return the members of a JSON object as raw JSON, the last of a name; None if it is no object."""
    try:
        return {name: bytes(value) for name, value in _LAST_MEMBERS.decode(raw).items()}
    except msgspec.DecodeError:
        return None


def items(raw: bytes) -> list[bytes]:
    """Return the items of a JSON array as raw JSON; anything else is the only item (an object where a list belongs)."""
    try:
        return [bytes(item) for item in _ITEMS.decode(raw)]
    except msgspec.DecodeError:
        return [] if raw == b"null" else [raw]


def text(raw: bytes | None) -> str:
    """Return a JSON string; empty if it is missing or something else."""
    try:
        return _TEXT.decode(raw) if raw else ""
    except msgspec.DecodeError:
        return ""


def require_text(found: Mapping[str, bytes], name: str, path: str) -> str:
    """Return a member that must be a string with something in it.

    Raises:
        RequestError: CDS-214 if it is missing, null or empty, CDS-215 if it is something else.
    """
    raw = found.get(name, b"null")
    if raw == b"null" or raw.strip(b'" ') == b"":
        raise missing(f"{path}.{name}", "a string that is not empty")
    if not raw.startswith(b'"'):
        raise wrong_type(f"{path}.{name}", "a string")
    return text(raw)


def missing(path: str, expected: str) -> RequestError:
    """Return the error of a required member that was not sent."""
    return RequestError("CDS-214", path, "The member is missing.", f"Expected {expected}.", "See CDS Hooks 2.0.1.")


def wrong_type(path: str, expected: str) -> RequestError:
    """Return the error of a member that is something else than CDS Hooks says."""
    return RequestError("CDS-215", path, "The member is of the wrong type.", f"Expected {expected}.")


def shown(sent: str) -> str:
    r"""Return what a caller wrote as an error may repeat it: cut, in quotes, control and bidi characters visible.

    >>> shown("order-\u202eselect")
    "'order-\\u202eselect'"
    """
    return repr(sent if len(sent) <= _LONGEST_SHOWN else f"{sent[:_LONGEST_SHOWN]}...")
