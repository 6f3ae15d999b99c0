"""Records as the store takes them."""

import secrets

from cds.audit.record import Record
from cds.audit.seal import seal
from cds.audit.sealed import Sealed
from tests.audit.records import PSEUDONYM, STAMP


def sealed_of(record: Record) -> Sealed:
    """Seal a record as the recorder does."""
    return seal(record, STAMP, PSEUDONYM, secrets.token_bytes)
