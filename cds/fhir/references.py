"""Which resource a reference means, and whether a resource is about this patient.

Source: FHIR R4 references (literal references, Bundle.entry.fullUrl); the record's own rule that the same id on another
server is another patient.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from cds.fhir.datatypes import Reference
from cds.network.address import parse_address
from cds.network.failure import NetworkError

_RELATIVE = re.compile(r"[A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")


class Subject(StrEnum):
    """Whose resource it is."""

    OURS = "ours"
    ANOTHER = "another"
    NONE = "none"


@lru_cache(maxsize=4096)
def _below(sent: str, base_url: str) -> str:
    """Return the part of an absolute reference below the base, compared as parsed; another one as it was sent."""
    try:
        address, base = parse_address(sent), parse_address(base_url)
    except NetworkError:
        return sent
    return address.path.removeprefix(f"{base.path}/") if address.lies_under(base) and not address.query else sent


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that are known in one request.

    Attributes:
        patient_id: the bare id of the patient.
        base_url: the FHIR server's base, without a trailing slash; empty if the request names none. Then an absolute
            reference is taken by its end, because nothing says which server it is compared with.
        full_urls: the fullUrl of each entry that has one, to its ``Type/id``.
    """

    patient_id: str
    base_url: str = ""
    full_urls: Mapping[str, str] = field(default_factory=dict)

    def local(self, reference: Reference | None) -> str:
        """Return ``Type/id``, or the reference as sent if it cannot be written so; empty if there is none.

        >>> Addresses("1", "https://ehr.example/fhir").local(Reference("https://ehr.example/fhir/Patient/1/_history/2"))
        'Patient/1'
        """
        sent = (reference.reference or "").strip() if reference else ""
        if sent in self.full_urls:
            return self.full_urls[sent]
        path = self._path(sent)
        return path.partition("/_history/")[0] if _RELATIVE.fullmatch(path) else sent

    def subject(self, reference: Reference | None) -> Subject:
        """Say whether a resource with this subject is our patient's, somebody else's or nobody's."""
        ours = f"Patient/{self.patient_id}"
        if reference and reference.reference == ours:
            return Subject.OURS
        address = self.local(reference)
        if not address:
            return Subject.NONE
        return Subject.OURS if address == ours else Subject.ANOTHER

    def _path(self, sent: str) -> str:
        if "://" not in sent:
            return sent
        if self.base_url:
            return _below(sent, self.base_url)
        before, _, version = sent.partition("/_history/")
        return "/".join(before.split("/")[-2:]) + (f"/_history/{version}" if version else "")
