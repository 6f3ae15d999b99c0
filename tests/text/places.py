"""Every place in a request where a caller's text stands, and the same request with another text there."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.running import Json

FREE_TEXT = frozenset({
    "comment", "description", "diagnostics", "display", "div", "family", "given", "line", "patientInstruction", "text",
    "title", "unit", "valueString",
})  # fmt: skip
"""Members that hold words and mean nothing to a rule wherever a code stands beside them."""


def places(request: Json) -> list[str]:
    """Return the name of every place that holds a string, each once: ``prefetch Condition.code.text``."""
    return list(dict.fromkeys(place for place, _ in _strings(request, "")))


def with_text(request: Json, change: Callable[[str], str], chosen: Callable[[str], bool]) -> Json:
    """Return a copy of a request with the text changed in every place that is chosen by its name."""
    changed: Json = _replaced(request, "", change, chosen)
    return changed


def is_free_text(place: str) -> bool:
    """Say whether a place holds words."""
    return place.rpartition(".")[2] in FREE_TEXT


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, place)
    elif isinstance(value, dict):
        start = _start(value, place)
        for name, member in value.items():
            yield from _strings(member, f"{start}.{name}")


def _replaced(value: Any, place: str, change: Callable[[str], str], chosen: Callable[[str], bool]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return change(value) if chosen(place) else value
    if isinstance(value, list):
        return [_replaced(item, place, change, chosen) for item in value]
    if isinstance(value, dict):
        start = _start(value, place)
        return {name: _replaced(member, f"{start}.{name}", change, chosen) for name, member in value.items()}
    return value


def _start(value: Json, place: str) -> str:
    """Return the name of an object: a resource is called by where it came from and its type."""
    kind = value.get("resourceType")
    return f"{place.lstrip('.').partition('.')[0].partition(' ')[0]} {kind}" if isinstance(kind, str) else place
