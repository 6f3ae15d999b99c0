"""Frozen dataclasses as JSON and back, without loss: what the engine read can be rebuilt from the record.

A field that has its default value is left out, names become camelCase, a Decimal a string, an Interval the date as
precisely as it is known. A field that is added later has its default in older records.

How a class is written is worked out once, from its type hints: every call encodes some hundred facts.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cds.audit.canonical import JsonValue
from cds.engine.dates import Interval

Decoded = TypeVar("Decoded")


@dataclass(frozen=True, slots=True)
class _Form:
    """How values of one type are written and read; `write` is None where the value is JSON already."""

    write: Callable[[Any], JsonValue] | None
    read: Callable[[Any], Any]


def encode(value: object) -> JsonValue:
    """Return the JSON form of a dataclass, or of tuples and mappings of such, enums, Decimals and plain values.

    Raises:
        TypeError: if it holds anything else (floats among them).

    >>> encode((Decimal("1.50"), Interval(date(2026, 2, 1), date(2026, 2, 28))))
    ['1.50', '2026-02-01/2026-02-28']
    """
    form = _form(type(value))  # type: ignore[arg-type] # every type is hashable
    return form.write(value) if form.write else value  # type: ignore[return-value]


def decode(kind: type[Decoded], value: JsonValue) -> Decoded:
    """Return the value of type `kind` that `encode` made this JSON from.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: if the JSON is not of that form.
    """
    result: Decoded = _form(kind).read(value)  # type: ignore[arg-type] # every type is hashable
    return result


@cache
def _form(kind: Any) -> _Form:  # noqa: ANN401 - a type hint: a class or a generic alias
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _optional(_form(next(argument for argument in arguments if argument is not NoneType)))
    if origin is tuple:
        return _list(_form(arguments[0]))
    if origin in (dict, Mapping):
        return _object(*map(_form, arguments))
    if kind in _FORMS:
        return _FORMS[kind]
    if is_dataclass(kind):
        return _members(kind)
    if issubclass(kind, StrEnum):
        return _Form(attrgetter("_value_"), kind)
    raise TypeError(f"A record holds no {kind.__name__}.")


def _optional(form: _Form) -> _Form:
    write, read = form.write, form.read
    return _Form(
        write and (lambda value: None if value is None else write(value)),
        lambda value: None if value is None else read(value),
    )


def _list(form: _Form) -> _Form:
    write, read = form.write, form.read
    return _Form(
        (lambda value: [write(item) for item in value]) if write else list, lambda value: tuple(map(read, value))
    )


def _object(key: _Form, item: _Form) -> _Form:
    return _Form(_write_object, lambda value: {key.read(name): item.read(member) for name, member in value.items()})


def _write_list(value: tuple[object, ...]) -> JsonValue:
    return [encode(item) for item in value]


def _write_object(value: Mapping[str, object]) -> JsonValue:
    return {str(key): encode(item) for key, item in value.items()}


def _members(kind: Any) -> _Form:  # noqa: ANN401 - any dataclass type
    hints = get_type_hints(kind)
    known = [(field.name, _camel(field.name), _default(field), _form(hints[field.name])) for field in fields(kind)]
    plan = [(attrgetter(name), key, default, form.write) for name, key, default, form in known]
    readers = {key: (name, form.read) for name, key, _, form in known}

    def write_members(value: object) -> JsonValue:
        written: dict[str, JsonValue] = {}
        for get, key, default, write in plan:
            item = get(value)
            if item is not default:
                written[key] = write(item) if write else item
        return written

    def read_members(value: dict[str, JsonValue]) -> object:
        return kind(**{readers[key][0]: readers[key][1](item) for key, item in value.items()})

    return _Form(write_members, read_members)


def _default(field: "Field[Any]") -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def _write_interval(value: Interval) -> JsonValue:
    start = value.start.isoformat()
    if value.start != value.end:
        end = value.end.isoformat()
        return [start, end, value.instant] if value.instant else f"{start}/{end}"
    if value.instant and not value.instant.startswith(f"{start}T"):
        return [start, start, value.instant]
    return value.instant or start


def _read_interval(value: JsonValue) -> Interval:
    if isinstance(value, list):
        first, last, instant = map(str, value)
        return Interval(date.fromisoformat(first), date.fromisoformat(last), instant)
    text = str(value)
    if "T" in text:
        day = date.fromisoformat(text[:10])
        return Interval(day, day, text)
    start, _, end = text.partition("/")
    return Interval(date.fromisoformat(start), date.fromisoformat(end or start))


_FORMS: dict[object, _Form] = {
    **{plain: _Form(None, lambda value: value) for plain in (str, int, bool, NoneType)},
    **{mapping: _Form(_write_object, dict) for mapping in (dict, MappingProxyType)},
    tuple: _Form(_write_list, tuple),
    Decimal: _Form(str, Decimal),
    Interval: _Form(_write_interval, _read_interval),
}
