"""Bring JSON that is not quite FHIR into the shape that is expected, without guessing at its meaning.

What real systems send (seen in collected CDS Hooks requests): an object where a list belongs, a list of one where an
object belongs, a number or a plain text where a string or an object belongs, null for a missing member. What cannot be
brought into shape is left as it is, so that decoding it says what is wrong.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from cds.fhir.datatypes import FhirObject

_T = TypeVar("_T", bound=msgspec.Struct)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_TRUTH = {"true": True, "false": False}


def decode_leniently(raw: bytes | msgspec.Raw, wanted: type[_T]) -> _T:
    """Return the JSON object as a struct, after bringing it into shape.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: if it cannot be read even so.

    >>> from cds.fhir.resources import Condition
    >>> decode_leniently(b'{"resourceType": "Condition", "id": 12, "category": {"text": "problem"}}', Condition).id
    '12'
    """
    return msgspec.convert(_shaped(_DECODER.decode(raw), _type_of(wanted)), wanted)


@lru_cache(maxsize=128)
def _type_of(wanted: type) -> inspect.Type:
    return inspect.type_info(wanted)


def _shaped(value: Any, kind: inspect.Type) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(kind, inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    shape = _SHAPES.get(type(kind))
    return shape(value, kind) if shape else value


def _as_list(value: Any, kind: inspect.VarTupleType) -> Any:  # noqa: ANN401
    items = value if isinstance(value, list) else [value]
    return [_shaped(item, kind.item_type) for item in items if item is not None]


def _as_object(value: Any, kind: inspect.StructType) -> Any:  # noqa: ANN401
    value = _only_item(value)
    plain_member = kind.cls.plain_member if issubclass(kind.cls, FhirObject) else ""
    if plain_member and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        value = {plain_member: value}
    if not isinstance(value, dict):
        return value
    shaped = {
        member.encode_name: _shaped(value[member.encode_name], member.type)
        for member in kind.fields
        if value.get(member.encode_name) not in (None, [])
    }
    return shaped | ({kind.tag_field: value.get(kind.tag_field)} if kind.tag_field else {})


def _as_text(value: Any, _: inspect.Type) -> Any:  # noqa: ANN401
    value = _only_item(value)
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _as_truth(value: Any, _: inspect.Type) -> Any:  # noqa: ANN401
    value = _only_item(value)
    return _TRUTH.get(value.lower(), value) if isinstance(value, str) else value


def _as_number(value: Any, _: inspect.Type) -> Any:  # noqa: ANN401
    value = _only_item(value)
    return value.strip() if isinstance(value, str) else value


def _as_raw(value: Any, _: inspect.Type) -> Any:  # noqa: ANN401
    return msgspec.Raw(_ENCODER.encode(value))


def _only_item(value: Any) -> Any:  # noqa: ANN401
    return value[0] if isinstance(value, list) and len(value) == 1 else value


_SHAPES: dict[type[inspect.Type], Callable[[Any, Any], Any]] = {
    inspect.VarTupleType: _as_list,
    inspect.StructType: _as_object,
    inspect.StrType: _as_text,
    inspect.BoolType: _as_truth,
    inspect.DecimalType: _as_number,
    inspect.RawType: _as_raw,
}
