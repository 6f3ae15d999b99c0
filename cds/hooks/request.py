"""The hook request as the service uses it: checked, and with its FHIR content still as raw bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry of ``context.draftOrders``, as far as it must be read to select it.

    Attributes:
        path: where it stands: ``$.context.draftOrders.entry[0].resource``.
        reference: ``MedicationRequest/request-123``; only the type and a slash if it has no id.
        full_url: the entry's fullUrl, empty if it has none.
        raw: the resource as JSON bytes.
        status, intent: FHIR codes, empty if not given.
        do_not_perform: the order forbids instead of asking.
        subject: the reference to the patient, empty if not given.
    """

    path: str
    reference: str
    full_url: str
    raw: bytes = field(repr=False)
    status: str = ""
    intent: str = ""
    do_not_perform: bool = False
    subject: str = ""

    @property
    def resource_type(self) -> str:
        """Return the FHIR resource type, such as ``MedicationRequest``."""
        return self.reference.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Authorization:
    """``fhirAuthorization``: the token is in no representation, no record and no log; it lives as long as the call."""

    access_token: str = field(default="", repr=False)
    scope: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a hook.

    Attributes:
        hook: ``order-select`` or ``order-sign``.
        hook_instance: the UUID of the call in lower case; empty if what was sent is none (see `remarks`).
        fhir_server: base URL without a trailing slash, empty if not given.
        patient_id: the bare id.
        user_id: ``Practitioner/123`` as sent, empty if not given.
        encounter_id: the bare id, empty if not given.
        selections: as sent; empty if not given.
        drafts: the entries of draftOrders that hold a resource, in their order; None if draftOrders was not sent.
        prefetch: key to raw JSON, ``b"null"`` where the EHR says that it has nothing.
        extensions: name to SHA-256 (hex) of each extension of the request; their content is not kept.
        remarks: what was odd about the request although it could be read; may repeat what the caller wrote.
    """

    hook: str
    patient_id: str
    drafts: tuple[Draft, ...] | None
    hook_instance: str = ""
    fhir_server: str = ""
    user_id: str = ""
    encounter_id: str = ""
    selections: tuple[str, ...] = ()
    prefetch: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    authorization: Authorization | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
