"""The bytes that digests are taken over are those of RFC 8785."""

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from cds.audit.canonical import JsonValue, canonical
from cds.errors import AuditError

_KEYS = st.text(st.characters(max_codepoint=126), max_size=8)
_PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"]))
)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@given(_VALUES)
def test_canonical_bytes_are_those_of_the_json_canonicalization_scheme(value: JsonValue) -> None:
    assert rfc8785.dumps(value) == canonical(value)


@given(_VALUES)
def test_canonical_bytes_read_back_as_the_same_value(value: JsonValue) -> None:
    assert value == orjson.loads(canonical(value))


@pytest.mark.parametrize("value", ["\ud800", 2**53, {"a": {"b": -(2**53)}}])
def test_what_has_no_canonical_form_is_refused(value: JsonValue) -> None:
    with pytest.raises(AuditError, match="CDS-407"):
        canonical(value)
