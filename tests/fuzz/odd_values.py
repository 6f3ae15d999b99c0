"""What stands in requests where something else belongs."""

import json
from typing import Any

RAW = "raw JSON: "
"""Begins a text that stands for JSON as it is written behind it."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 1e308, 5e-324, 10**30, 2**63, -(2**63) - 1, RAW + "1e400", RAW + "1E-9999",
    RAW + "1." + "3" * 400, RAW + "9" * 5000, RAW + "NaN", "", " ", "\x00", "\ufeff", "\u202ecba", "a" * 5_000,
    "\U0001f600", "\ud83d", "null", "true", "NaN", "{{context.patientId}}", "../../Patient/boris", "Patient/", "#",
    "Patient/boris", "http://127.0.0.1:1/fhir/Patient/amara", "urn:uuid:00000000-0000-4000-8000-000000000000", [], {},
    [[]], [{}], [None], {"": None}, {"resourceType": "Patient"}, {"resourceType": ["Bundle"]}, {"reference": "#"},
)  # fmt: skip
"""What stands where something else belongs."""
DATES = (
    "2026", "2026-02", "2026-02-30", "2026-13-01", "0000-01-01", "9999-12-31", "99999-01-01", "-0044-03-15", "1900",
    "2026-02-01T24:00:00Z", "2026-02-01T12:00:60Z", "2026-02-01T12:00:00", "2026-02-01T12:00:00+99:99", "01.02.2026",
    "2026-02-01 12:00", "20260201", "2200-01-01", "2026-02-01T12:00:00.123456789123Z", "today",
    "0001-01-01T00:00:00+14:00",
)  # fmt: skip
CODES = (
    "F20.0", "f20.0", "F200", "H40.1190", "6130", "999999999999", "59621000", "not-a-code", "8480-6",
    "entered-in-error", "active", "stopped", "draft", "refuted", "mm[Hg]", "mmHg", "kg", "[lb_av]", "mg/kg/h", "%",
    "10*3/uL", "{score}",
)  # fmt: skip
SYSTEMS = ("http://loinc.org", "urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct", "urn:x", "", "loinc")
"""Code systems under other names."""

MEMBERS = {
    "NaN": b'"prefetch": {"patient": NaN}',
    "1e999": b'"prefetch": {"patient": {"multipleBirthInteger": 1e999}}',
    "integer of 5,000 digits": b'"prefetch": {"patient": {"multipleBirthInteger": ' + b"9" * 5000 + b"}}",
    "half of a surrogate pair": b'"prefetch": {"patient": "\\ud800"}',
    "NUL": b'"prefetch": {"patient": "\\u0000"}',
    "byte order mark inside": b'"prefetch": {"patient": "\xef\xbb\xbf"}',
    "key that stands twice": b'"prefetch": {"a": 1, "a": 2}',
    "id that stands twice": b'"prefetch": {"patient": {"resourceType": "Patient", "id": "amara", "id": "boris"}}',
    "deep arrays": b'"prefetch": {"patient": ' + b"[" * 60 + b"]" * 60 + b"}",
    "deep objects": b'"prefetch": {"patient": ' + b'{"a":' * 60 + b"1" + b"}" * 61,
    "arrays without end": b'"prefetch": ' + b"[" * 100_000,
}
"""Members of a request, as they are written, by what is odd about them."""


def as_json(value: Any) -> bytes:  # noqa: ANN401
    """Return JSON bytes; a text that is marked as raw JSON is written as it is, valid or not."""
    text = json.dumps(value)
    for raw in {odd for odd in VALUES if isinstance(odd, str) and odd.startswith(RAW)}:
        text = text.replace(json.dumps(raw), raw.removeprefix(RAW))
    return text.encode()
