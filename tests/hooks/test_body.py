"""A body that could be read in two ways, or that could harm the service, is refused with the reason."""

import pytest

from cds.errors import RequestError
from cds.hooks.body import DEEPEST, LONGEST_STRING_BYTES, MOST_RESOURCES, check_headers, check_json, check_size

BAD_BODIES = {
    "empty": (b"", "CDS-201", "$", "empty"),
    "not JSON": (b"hook=order-select", "CDS-201", "line 1 column 1", "not JSON"),
    "truncated": (b'{"hook": "order-sel', "CDS-201", "line 1", "not JSON"),
    "trailing comma": (b'{"hook": "order-select",}', "CDS-201", "line 1", "trailing comma"),
    "two documents": (b"{} {}", "CDS-201", "line 1 column 4", "not JSON"),
    "array": (b"[]", "CDS-202", "$", "no object"),
    "null": (b"null", "CDS-202", "$", "no object"),
    "byte order mark": (b"\xef\xbb\xbf{}", "CDS-203", "$", "byte order mark"),
    "UTF-16 with a mark": ('{"hook": 1}'.encode("utf-16"), "CDS-203", "$", "byte order mark"),
    "UTF-16 without a mark": ('{"hook": 1}'.encode("utf-16-le"), "CDS-203", "$", "UTF-16"),
    "Latin-1": ('{"hook": "é"}'.encode("latin-1"), "CDS-203", "byte 10", "not UTF-8"),
    "surrogate in UTF-8": (b'{"a": "\xed\xa0\x80"}', "CDS-203", "byte 7", "not UTF-8"),
    "nested too deep": (b'{"a":' * 65 + b"1" + b"}" * 65, "CDS-205", "$", "64 levels"),
    "nested too deep to parse": (b"[" * 5000, "CDS-205", "line 1", "64 levels"),
    "NaN": (b'{"a": NaN}', "CDS-206", "line 1 column 7", "Not a number"),
    "Infinity": (b'{"a": Infinity}', "CDS-206", "line 1 column 7", "Not a number"),
    "minus Infinity": (b'{"a": -Infinity}', "CDS-206", "line 1 column 8", "Not a number"),
    "1e999": (b'{"a": 1e999}', "CDS-206", "line 1 column 7", "out of range"),
    "high surrogate alone": (b'{"a": "\\ud83d"}', "CDS-207", "line 1", "surrogate"),
    "low surrogate alone": (b'{"a": "\\udc00"}', "CDS-207", "line 1", "surrogate"),
    "too many resources": (
        b'{"a": [' + b",".join([b'{"resourceType": "X"}'] * (MOST_RESOURCES + 1)) + b"]}",
        "CDS-209",
        "$",
        "20001 resources",
    ),
    "string too long": (b'{"a": "' + b"x" * (LONGEST_STRING_BYTES + 1) + b'"}', "CDS-210", "$", "200000 bytes"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_cannot_be_read_safely_is_refused_with_place_and_reason(name: str) -> None:
    body, code, where, words = BAD_BODIES[name]

    with pytest.raises(RequestError) as caught:
        check_json(body)

    assert (code, 400) == (caught.value.code, caught.value.status)
    assert where in caught.value.where
    assert words in str(caught.value)
    assert caught.value.expected.startswith("Expected ")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": 1}\n',
        b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST,
        b'{"a": "' + b"{[" * 200 + b'"}',
        b'{"a": "\\"' + b"{" * 200 + b'"}',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": "' + b"x" * LONGEST_STRING_BYTES + b'"}',
        b'{"a": 1' + b" " * LONGEST_STRING_BYTES * 2 + b"}",
        b'{"a": 123456789012345678901234567890}',
    ],
)
def test_what_is_within_the_limits_is_read(body: bytes) -> None:
    """Braces in text, escapes, emoji, white space and long integers are no reason to refuse a call."""
    assert None is check_json(body)  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/fhir+json",
        'application/json; charset="utf-8"',
    ],
)
def test_json_under_its_usual_names_is_read(content_type: str) -> None:
    assert None is check_headers(content_type, "")  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("content_type", "content_encoding", "code"),
    [
        ("text/plain", "", "CDS-212"),
        ("application/fhir+xml", "", "CDS-212"),
        ("application/json; charset=iso-8859-1", "", "CDS-212"),
        ("application/json", "gzip", "CDS-211"),
    ],
)
def test_another_media_type_or_encoding_is_refused(content_type: str, content_encoding: str, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_headers(content_type, content_encoding)

    assert (code, 415) == (caught.value.code, caught.value.status)
    assert caught.value.expected.startswith("Expected ")


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    check_size(10, 10)

    with pytest.raises(RequestError) as caught:
        check_size(11, 10)

    assert ("CDS-204", 413) == (caught.value.code, caught.value.status)
    assert caught.value.expected.startswith("Expected ")
