"""Change a valid request as broken, old and hostile EHRs would: structure, types, numbers, dates, codes, prefetch."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.odd_values import CODES, DATES, SYSTEMS, VALUES, as_json
from tests.running import Json

Path = tuple[str | int, ...]
"""Where a value stands in a request: names of members and places in lists, from the root."""

_DATE_MEMBERS = ("date", "time", "on", "start", "end", "issued", "recorded")
_CODE_MEMBERS = ("code", "unit", "status", "type", "use", "intent")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A request that was changed.

    Attributes:
        body: as it is sent.
        changes: what was done to it, in words.
        changed: where, as the first two names of each path.
    """

    body: bytes
    changes: tuple[str, ...]
    changed: frozenset[Path]


@st.composite
def mutants(draw: st.DrawFn, request: Json, most_changes: int = 4) -> Mutant:
    """Return a request with one to `most_changes` changes, most of them in its FHIR content."""
    mutant: Any = json.loads(json.dumps(request))
    changes, changed = [], set()
    for _ in range(draw(st.integers(1, most_changes))):
        where = [path for path in paths(mutant) if path] or [()]
        path = draw(st.sampled_from(where))
        if path == ():
            break
        name, change = draw(st.sampled_from(_CHANGES))
        change(draw, mutant, path)
        changes.append(f"{name} {'.'.join(map(str, path))}")
        changed.add(path[:2])
    return Mutant(as_json(mutant), tuple(changes), frozenset(changed))


def paths(value: Any, start: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any JSON
    """Yield the path of every value, outermost first."""
    yield start
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from paths(member, (*start, name))


_Change = Callable[[st.DrawFn, Any, Path], None]


def _parent(value: Any, path: Path) -> Any:  # noqa: ANN401
    for name in path[:-1]:
        value = value[name]
    return value


def _delete(_: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    del _parent(value, path)[path[-1]]


def _replace(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    _parent(value, path)[path[-1]] = copy.deepcopy(draw(st.sampled_from(_odd_values(path))))


def _odd_values(path: Path) -> tuple[Any, ...]:
    member = next((part.lower() for part in reversed(path) if isinstance(part, str)), "")
    if member.endswith(_DATE_MEMBERS):
        return DATES
    if member.endswith("system"):
        return SYSTEMS
    return CODES if member in _CODE_MEMBERS else VALUES


def _swap_type(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    _parent(value, path)[path[-1]] = copy.deepcopy(draw(st.sampled_from(VALUES)))


def _wrap(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    parent[path[-1]] = [parent[path[-1]]] if draw(st.booleans()) else {"coding": parent[path[-1]]}


def _unwrap(_: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    held = parent[path[-1]]
    if isinstance(held, list | dict) and held:
        parent[path[-1]] = held[0] if isinstance(held, list) else next(iter(held.values()))


def _nest(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    for _ in range(draw(st.sampled_from((5, 20, 40, 70)))):
        parent[path[-1]] = {"extension": [parent[path[-1]]]}


def _duplicate(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    copies = [copy.deepcopy(parent[path[-1]]) for _ in range(draw(st.sampled_from((1, 2, 30))))]
    if isinstance(parent, list):
        parent.extend(copies)
    else:
        parent[path[-1]] = [parent[path[-1]], *copies]


def _move(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    source = draw(st.sampled_from([other for other in paths(value) if other]))
    parent[path[-1]] = copy.deepcopy(_parent(value, source)[source[-1]])


def _rename(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    parent = _parent(value, path)
    if isinstance(parent, dict):
        name = str(path[-1])
        parent[draw(st.sampled_from((name.upper(), f"_{name}", f"{name}Extra", "extension", "id", "")))] = parent.pop(
            name
        )


def _shuffle(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    held = _parent(value, path)[path[-1]]
    if isinstance(held, list):
        held[:] = draw(st.permutations(held)) if len(held) < 50 else held[::-1]


def _other_number(draw: st.DrawFn, value: Any, path: Path) -> None:  # noqa: ANN401
    """Put another number anywhere where one stands; `path` only says that there is something."""
    numbers = [other for other in paths(value) if other and _is_number(_parent(value, other)[other[-1]])]
    path = draw(st.sampled_from(numbers)) if numbers else path
    exponent = draw(st.integers(-40, 40))
    number = draw(st.integers(-1, 999_999))
    _parent(value, path)[path[-1]] = number * 10**exponent if exponent >= 0 else number / 10**-exponent


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_CHANGES: tuple[tuple[str, _Change], ...] = (
    ("delete", _delete),
    ("delete", _delete),
    ("odd value at", _replace),
    ("odd value at", _replace),
    ("other type at", _swap_type),
    ("other number near", _other_number),
    ("other number near", _other_number),
    ("wrap", _wrap),
    ("unwrap", _unwrap),
    ("nest", _nest),
    ("duplicate", _duplicate),
    ("copy onto", _move),
    ("rename", _rename),
    ("shuffle", _shuffle),
)
