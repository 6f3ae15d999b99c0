r"""Raw identifiers of a call stand in its subject section alone; in the others a sign stands for each of them.

A sign is ``\u007bpatient}``: JSON for ``{patient}``, written as no serialiser of ours writes a brace, so that it can be
told from a text of a caller and be turned back to the very bytes. Without the subject section it reads as
``Patient/{patient}``.

Source: trust/design.md 1.3 (the raw id stands in `subject` only).
"""

import re
from collections.abc import Iterator

from cds.audit.members import Section, text
from cds.audit.record import Subject

_ENDS = rb"(?![A-Za-z0-9.\-])"
_SIGN = re.compile(rb"(?<!\\)((?:\\\\)*)\\u007b(patient|encounter|user)\}")


def hidden(content: bytes, subject: Subject) -> bytes:
    r"""Return a section, as JSON bytes, with a sign for each identifier of the subject.

    >>> hidden(b'{"patientId":"7","about":["Patient/7","Patient/77"]}', Subject(patient="7"))
    b'{"patientId":"\\u007bpatient}","about":["Patient/\\u007bpatient}","Patient/77"]}'
    """
    for pattern, sign in _patterns(subject):
        content = re.sub(pattern, rb"\1\\u007b" + sign + rb"}", content)
    return content


def restored(content: bytes, subject: Section) -> bytes:
    r"""Return the section as it was, from the subject section; without that the signs stay.

    >>> restored(b'{"about":"Patient/\\u007bpatient}"}', {"patient": "7"})
    b'{"about":"Patient/7"}'
    """
    known = {name: value.encode() for name, value in _identifiers(text(subject, "patient"), text(subject, "encounter"))}
    known[b"user"] = text(subject, "user").encode()

    def identifier(sign: re.Match[bytes]) -> bytes:
        return sign[1] + known[sign[2]] if known.get(sign[2]) else sign[0]

    return _SIGN.sub(identifier, content) if b"\\u007b" in content else content


def _identifiers(patient: str, encounter: str) -> tuple[tuple[bytes, str], ...]:
    return (b"patient", patient.removeprefix("Patient/")), (b"encounter", encounter.removeprefix("Encounter/"))


def _patterns(subject: Subject) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is looked for, with what stands before it as its first group, and its sign."""
    for sign, identifier in _identifiers(subject.patient, subject.encounter):
        if identifier:
            kind = sign.capitalize()
            before = rb"(\b" + kind + rb'\\*/|"' + sign + rb'Id":")'
            yield before + re.escape(identifier.encode()) + _ENDS, sign
    if _is_reference(subject.user):
        yield rb"()\b" + re.escape(subject.user.encode()) + _ENDS, b"user"


def _is_reference(user: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9\-.]{1,64}", user))
