"""Read what an EHR did not send from its FHIR server: allowed addresses only, one deadline, page by page."""

from cds.fhir.client.circuit import Circuits
from cds.fhir.client.reader import FhirReader, Query, Reply
from cds.fhir.client.server import NOT_REGISTERED, Server, base_of, server_for

__all__ = ["NOT_REGISTERED", "Circuits", "FhirReader", "Query", "Reply", "Server", "base_of", "server_for"]
