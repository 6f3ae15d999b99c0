"""The draft orders of a request, and which of them are asked about.

Source: CDS Hooks order-select and order-sign; clinical/rules.md D-ORDER.
"""

from dataclasses import dataclass

from cds.errors import FhirError, RequestError
from cds.hooks.members import items, members, require_text, text, wrong_type
from cds.hooks.request import Draft, HookRequest

SUPPORTED_RELEASE = "FHIR R4 (4.0.1)"
"""The one release of FHIR that is read."""

DRAFT_ORDERS = "$.context.draftOrders"
"""Where the draft orders stand in a request."""

MOST_DRAFTS = 500
"""How many entries draftOrders may have."""

SEND_DRAFTS = "Send draftOrders; some EHRs leave orders out when the client lacks a scope for unsigned orders."
"""What to do where an order is missing."""

_OLDER_ORDERS = {"MedicationOrder": "DSTU2", "MedicationPrescription": "DSTU1", "DiagnosticOrder": "DSTU2"}
_OLDER_ORDERS |= {"DeviceUseRequest": "DSTU2", "ProcedureRequest": "STU3", "ReferralRequest": "STU3"}
_ORDERS = frozenset({"MedicationRequest", "ServiceRequest"})
_NOT_ORDERED = frozenset({"cancelled", "stopped", "completed", "entered-in-error", "on-hold", "revoked"})
_ONLY_IF_SELECTED = frozenset({"option", "proposal"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The drafts that are asked about, and remarks on how they were found.

    `not_sent` says that orders are selected of which none is among the drafts: what is asked about was never seen.
    """

    drafts: tuple[Draft, ...]
    remarks: tuple[str, ...] = ()
    not_sent: bool = False


def read_drafts(raw: bytes, path: str) -> tuple[Draft, ...]:
    """Return the entries of a draftOrders Bundle that hold a resource; a Bundle without type or entries is tolerated.

    Raises:
        RequestError: CDS-215 if it is no Bundle or an entry is none, CDS-209 if it has too many entries, CDS-214 if a
            resource does not say its type, CDS-217 if an order is of an older release of FHIR.
    """
    bundle = members(raw)
    if bundle is None or text(bundle.get("resourceType")) not in {"", "Bundle"}:
        raise wrong_type(path, "a FHIR Bundle")
    entries = items(bundle.get("entry", b"null"))
    if len(entries) > MOST_DRAFTS:
        raise RequestError(
            "CDS-209", path, f"There are {len(entries)} draft orders.", f"Expected at most {MOST_DRAFTS}.",
            "Send fewer at once.",
        )  # fmt: skip
    drafts = [draft for number, entry in enumerate(entries) if (draft := _read_entry(entry, f"{path}.entry[{number}]"))]
    for draft in drafts:
        _check_release(draft)
    return tuple(drafts)


def select(request: HookRequest) -> Selection:
    """Return the orders that the hook asks about: in order-select those that are selected, in order-sign all.

    Selections that are missing or name no draft stand for all drafts, with a remark. An order that is already ended or
    says that something is not to be done is left out; an option or a proposal counts only if it is selected.

    Raises:
        FhirError: CDS-302 (HTTP 412) if draftOrders was not sent, or holds nothing although orders are selected.
    """
    drafts = _required(request)
    selections = frozenset(request.selections)
    chosen = tuple(draft for draft in drafts if _is_selected(draft, selections))
    asked_for_all = request.hook != "order-select" or not chosen
    remarks: tuple[str, ...] = ()
    if request.hook == "order-select" and asked_for_all:
        why = "name no draft order" if request.selections else "are missing or empty"
        remarks = (f"selections {why}: all draft orders are looked at",)
    orders = tuple(draft for draft in (drafts if asked_for_all else chosen) if _is_order(draft))
    if asked_for_all:
        orders = tuple(draft for draft in orders if draft.intent not in _ONLY_IF_SELECTED)
    return Selection(orders, remarks, not_sent=bool(remarks and request.selections))


def _required(request: HookRequest) -> tuple[Draft, ...]:
    """Return the drafts; an EHR that withholds what its client has no scope for may leave an empty Bundle behind."""
    if request.drafts is None or (request.selections and not request.drafts):
        what = "No draft orders were sent." if request.drafts is None else "Orders are selected, and none was sent."
        raise FhirError(
            "CDS-302", DRAFT_ORDERS, what, "Expected a Bundle of the unsigned orders.",
            SEND_DRAFTS,
        )  # fmt: skip
    return request.drafts


def _read_entry(raw: bytes, path: str) -> Draft | None:
    """Return a draft, None if the entry holds no resource; what cannot be read might be an order for ketamine."""
    entry = {} if raw == b"null" else members(raw)
    if entry is None:
        raise wrong_type(path, "an entry of a FHIR Bundle")
    if entry.get("resource", b"null") == b"null":
        return None
    path = f"{path}.resource"
    resource = members(entry["resource"])
    if resource is None:
        raise wrong_type(path, "a FHIR resource")
    require_text(resource, "resourceType", path)
    kind, identifier = text(resource.get("resourceType")), text(resource.get("id"))
    subject = members(resource.get("subject", b"null")) or {}
    return Draft(
        path=path,
        reference=f"{kind}/{identifier}",
        full_url=text(entry.get("fullUrl")),
        raw=entry["resource"],
        status=text(resource.get("status")),
        intent=text(resource.get("intent")),
        do_not_perform=resource.get("doNotPerform") == b"true",
        subject=text(subject.get("reference")),
    )


def _check_release(draft: Draft) -> None:
    if older := _OLDER_ORDERS.get(draft.resource_type):
        raise RequestError(
            "CDS-217", draft.path, f"{draft.resource_type} is a resource of FHIR {older}.",
            f"Expected {SUPPORTED_RELEASE}.", "Send orders as R4 MedicationRequest.",
        )  # fmt: skip


def _is_selected(draft: Draft, selections: frozenset[str]) -> bool:
    identifier = draft.reference.partition("/")[2]
    names = {draft.full_url} | ({draft.reference, identifier} if identifier else set())
    return not selections.isdisjoint(names)


def _is_order(draft: Draft) -> bool:
    return draft.resource_type in _ORDERS and draft.status not in _NOT_ORDERED and not draft.do_not_perform
