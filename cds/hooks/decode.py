"""Read a hook request: what CDS Hooks requires is required, everything else is tolerated and noted.

A name that stands twice is refused in the request, its context and its prefetch, where it could hide what was meant;
deeper down the last one counts, as in every JSON parser.

Source: CDS Hooks 2.0.1, "HTTP Request"; clinical/rules.md D-ORDER; requests of 1.0 to 3.0 are read.
"""

import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

from cds.errors import RequestError
from cds.hooks.body import check_json
from cds.hooks.drafts import DRAFT_ORDERS, read_drafts
from cds.hooks.members import items, members, missing, require_text, shown, text, unique_members
from cds.hooks.request import Authorization, Draft, HookRequest

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = re.compile(r"[A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


def decode(body: bytes, hook: str) -> HookRequest:
    """Return the request in `body`, which was sent to the endpoint of `hook`.

    Raises:
        RequestError: CDS-201 to CDS-210 as `cds.hooks.body` says; CDS-213 another hook, CDS-214 a required member is
            missing, CDS-215 one of the wrong type, CDS-216 an id that is none, CDS-217 not FHIR R4,
            CDS-218 somebody else's order or token.
    """
    check_json(body)
    found = unique_members(body, "$")
    _check_hook(require_text(found, "hook", "$"), hook)
    if found.get("context", b"null") == b"null":
        raise missing("$.context", "an object")
    context = unique_members(found["context"], "$.context")
    prefetch = found.get("prefetch", b"null")
    request = HookRequest(
        hook=hook,
        patient_id=_patient_id(context),
        drafts=_drafts(context),
        hook_instance=_uuid(text(found.get("hookInstance"))),
        fhir_server=text(found.get("fhirServer")).rstrip("/"),
        user_id=text(context.get("userId")),
        encounter_id=_optional_id(text(context.get("encounterId")), "Encounter/"),
        selections=_selections(context),
        prefetch={} if prefetch == b"null" else unique_members(prefetch, "$.prefetch"),
        authorization=_authorization(found),
        extensions=_extensions(found),
        remarks=tuple(_remarks(found, context)),
    )
    _check_token(request)
    return request


def _check_hook(sent: str, hook: str) -> None:
    if sent != hook:
        raise RequestError(
            "CDS-213", "$.hook", f"The hook is {shown(sent)}.", f"Expected '{hook}' at this address.",
            "GET /cds-services lists the address of each hook.",
        )  # fmt: skip


def _patient_id(context: Mapping[str, bytes]) -> str:
    sent = require_text(context, "patientId", "$.context")
    bare = sent.removeprefix("Patient/")
    if not _ID.fullmatch(bare):
        raise RequestError(
            "CDS-216", "$.context.patientId", f"{shown(sent)} is not the id of a FHIR resource.",
            "Expected 1 to 64 letters, digits, '-' and '.'.", "Send the bare id of the Patient.",
        )  # fmt: skip
    return bare


def _drafts(context: Mapping[str, bytes]) -> tuple[Draft, ...] | None:
    sent = context.get("draftOrders", b"null")
    return None if sent == b"null" else read_drafts(sent, DRAFT_ORDERS)


def _selections(context: Mapping[str, bytes]) -> tuple[str, ...]:
    return tuple(selected for item in items(context.get("selections", b"null")) if (selected := text(item)))


def _uuid(text: str) -> str:
    """Return a UUID in its usual form, or an empty string if the text is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _optional_id(sent: str, prefix: str) -> str:
    bare = sent.removeprefix(prefix)
    return bare if _ID.fullmatch(bare) else ""


def _authorization(found: Mapping[str, bytes]) -> Authorization | None:
    held = members(found.get("fhirAuthorization", b"null"))
    if held is None:
        return None
    token, scope, patient = (text(held.get(name)) for name in ("access_token", "scope", "patient"))
    return Authorization(token, scope, patient.removeprefix("Patient/"))


def _check_token(request: HookRequest) -> None:
    """Refuse a token that was issued for another patient."""
    granted = request.authorization.patient if request.authorization else ""
    if granted and granted != request.patient_id:
        raise RequestError(
            "CDS-218", "$.fhirAuthorization.patient", "The token is for another patient than the request.",
            "Expected the id in $.context.patientId.",
        )  # fmt: skip


def _extensions(found: Mapping[str, bytes]) -> dict[str, str]:
    held = members(found.get("extension", b"null")) or {}
    return {name: hashlib.sha256(value).hexdigest() for name, value in held.items()}


def _remarks(found: Mapping[str, bytes], context: Mapping[str, bytes]) -> list[str]:
    """Return what is odd about the optional and the forgiven members, in the order of the request."""
    remarks = []
    sent = found.get("hookInstance", b"null")
    if not _uuid(text(found.get("hookInstance"))):
        remarks.append("hookInstance is missing" if sent == b"null" else f"hookInstance is no UUID: {_quoted(sent)}")
    if text(context.get("patientId")).startswith("Patient/"):
        remarks.append("patientId is written as a reference")
    encounter = context.get("encounterId", b"null")
    if encounter != b"null" and not _optional_id(text(context.get("encounterId")), "Encounter/"):
        remarks.append(f"encounterId is no id: {_quoted(encounter)}")
    remarks += _reference_remarks(context)
    if found.get("fhirAuthorization", b"null") != b"null" and members(found["fhirAuthorization"]) is None:
        remarks.append("fhirAuthorization is no object")
    return remarks


def _reference_remarks(context: Mapping[str, bytes]) -> list[str]:
    """Return what is odd about user and selections, each a reference such as ``Practitioner/123``."""
    remarks = [] if "userId" in context else ["userId is missing"]
    sent = [("userId", context["userId"])] if "userId" in context else []
    sent += [("selections", item) for item in items(context.get("selections", b"null"))]
    return remarks + [
        f"{name} is no reference: {_quoted(raw)}" for name, raw in sent if not _REFERENCE.fullmatch(text(raw))
    ]


def _quoted(raw: bytes) -> str:
    """Return the first characters of a member as it was sent."""
    return shown(raw.decode())
