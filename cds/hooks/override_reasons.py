"""Why a card was overridden, in every form that clients write it.

Source: CDS Hooks 2.0.1 "Feedback" and its draft of May 2020; Epic's CDS Hooks tutorial for the extensions.
"""

import hashlib
import re
from dataclasses import dataclass

from cds.hooks.members import members, text

NULL = b"null"
"""What stands for a member that was not sent."""

_NUMBER = re.compile(rb"-?[0-9.]{1,40}")
_EPIC = "com.epic.cdshooks.feedback.overrideReason."
_SAID_IN_EXTENSIONS = ("reasonTitle", "reasonDisplay", "reasonCategory")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card was overridden; members that were not sent are empty."""

    system: str = ""
    code: str = ""
    display: str = ""


def reasons_of(overriding: bytes) -> list[Reason]:
    """Return the reason of one `overrideReason`: a Coding, the draft's own code and system, or Epic's extensions."""
    if members(overriding) is None:
        return [Reason(display=text(overriding))] if text(overriding) else []
    nested = member(overriding, "reason")
    coded = _coding(overriding if nested == NULL else nested)
    return [coded] if coded != Reason() else _reasons_in_extension(overriding, nested)


def _coding(raw: bytes) -> Reason:
    return Reason(*(_plain(member(raw, name)) for name in ("system", "code", "display"))) if members(raw) else Reason()


def _reasons_in_extension(*holders: bytes) -> list[Reason]:
    extensions = [member(holder, "extension") for holder in holders]
    said = [_plain(member(extension, _EPIC + name)) for extension in extensions for name in _SAID_IN_EXTENSIONS]
    return [Reason(display=words) for words in said if words][:1]


def extensions_of(holders: list[bytes]) -> dict[str, str]:
    """Return name and SHA-256 (hex) of every extension of some objects."""
    held = [members(member(holder, "extension")) or {} for holder in holders]
    return {name: hashlib.sha256(value).hexdigest() for one in held for name, value in one.items()}


def member(raw: bytes, name: str) -> bytes:
    """Return a member of an object as raw JSON; ``null`` if it is missing or there is no object."""
    return (members(raw) or {}).get(name, NULL)


def _plain(raw: bytes) -> str:
    """Return a string, or a number as it is written: codes are sometimes sent as numbers."""
    return text(raw) or (raw.decode() if _NUMBER.fullmatch(raw) else "")
