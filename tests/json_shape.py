"""What is wrong with the small parts of an answer, in words: texts, codings, UUIDs, addresses, empty members.

It imports nothing of the service; `tests.response_checker` says why.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

CODING = {"system", "code", "display", "version", "userSelected"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def strict_json(content: bytes) -> Any:  # noqa: ANN401 - whatever is in it
    """Return what JSON as of RFC 8259 holds.

    Raises:
        ValueError: it is none: not UTF-8, a comment, a trailing comma, NaN, or a name that stands twice in an object.
    """
    return json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_refuse)


def objects(thing: dict[str, Any], name: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the objects of a list, and what is wrong if it is no list or holds something else; absent is no items."""
    held = thing.get(name, [])
    if not isinstance(held, list):
        return [], [f"{name!r} is no array"]
    found = [one for one in held if isinstance(one, dict)]
    return found, [f"{name!r} holds what is no object"] * (len(found) < len(held))


def unknown_members(thing: dict[str, Any], known: set[str]) -> list[str]:
    """Return the members that nobody knows."""
    return [f"unknown member {name!r}" for name in thing if name not in known]


def empty_members(value: Any, path: str) -> list[str]:  # noqa: ANN401
    """Return where there is null or an empty string, list or object."""
    if value is None or value in ("", [], {}):
        return [f"{path} is empty"]
    if isinstance(value, dict):
        return [words for name, part in value.items() for words in empty_members(part, f"{path}.{name}")]
    if isinstance(value, list):
        return [words for number, part in enumerate(value) for words in empty_members(part, f"{path}[{number}]")]
    return []


def text(thing: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong with a member that must be text without control and bidi characters."""
    held = thing.get(name)
    if not isinstance(held, str) or not held.strip():
        return [f"{name!r} is missing"]
    return [f"{name!r} holds control characters"] if CONTROL.search(held) else []


def boolean(thing: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong with a member that may be there and is true or false."""
    return [f"{name!r} is neither true nor false"] * (not isinstance(thing.get(name, True), bool))


def uuid(thing: dict[str, Any]) -> list[str]:
    """Return what is wrong with the member `uuid`."""
    held = thing.get("uuid")
    return [] if isinstance(held, str) and UUID4.fullmatch(held) else [f"uuid {held!r} is no lower-case UUID 4"]


def coding(held: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield what is wrong with a Coding."""
    if not isinstance(held, dict):
        yield "is no Coding"
        return
    yield from (*unknown_members(held, CODING), *text(held, "system"), *text(held, "code"))


def is_safe(address: Any) -> bool:  # noqa: ANN401
    """Say whether an address is https, or http on loopback."""
    parts = urlsplit(address) if isinstance(address, str) else None
    return bool(parts and parts.netloc and (parts.scheme == "https" or _is_local(parts.scheme, parts.hostname)))


def is_absolute(address: Any) -> bool:  # noqa: ANN401
    """Say whether an address is http or https and names its host."""
    parts = urlsplit(address) if isinstance(address, str) else None
    return bool(parts and parts.scheme in {"http", "https"} and parts.netloc)


def _is_local(scheme: str, host: str | None) -> bool:
    return scheme == "http" and host in LOOPBACK


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in members}) < len(members):
        raise ValueError("a name stands twice")
    return dict(members)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
