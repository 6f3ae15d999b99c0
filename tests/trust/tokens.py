"""A registered EHR that signs its calls, for every test that speaks to a service in the production profile."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import msgspec

from cds.audit.keys import KeyFiles
from cds.ehr.identity import Identity
from cds.ehr.keypair import KeyPair, make_key_pair
from cds.trust.registration import Entry
from cds.trust.registry import write_entries

BASE = "https://cds.example"
"""The public address of the service under test, whatever port it listens on."""

ISSUER = "https://ehr.example"
NAME = "test-ehr"


@dataclass(frozen=True, slots=True)
class Ehr:
    """A registered EHR.

    Attributes:
        folder: holds its registration (clients.json), the file of spent tokens, the record and its keys.
        identity: its keys and names.
    """

    folder: Path
    identity: Identity

    @property
    def clients(self) -> Path:
        """The clients' file."""
        return self.folder / "clients.json"

    @property
    def production(self) -> dict[str, Any]:
        """The settings of a service that accepts this EHR alone, and of its record."""
        return {
            "profile": "production",
            "clients": self.clients,
            "jti_database": self.folder / "jti" / "jti.sqlite",
            "public_base_url": BASE,
            "database": self.folder / "record" / "record.sqlite",
            "pseudonym_key": self.record_keys.pseudonym,
        }

    @property
    def record_keys(self) -> KeyFiles:
        """The keys of the record, which production does not make by itself."""
        return KeyFiles(self.folder / "keys" / "pseudonym.key")

    def token(
        self,
        path: str = "/cds-services",
        header: dict[str, Any] | None = None,
        now: datetime | None = None,
        **changes: object,
    ) -> str:
        """Return a fresh token for a path. Claims in `changes` replace those of a good token; None removes one."""
        claims = self.identity.claims(BASE + path, now or datetime.now(UTC)) | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        pair = self.identity.keys
        named = {"kid": self.identity.kid or pair.public_jwk["kid"], **(header or {})}
        return jwt.encode(kept, pair.private, pair.algorithm, named)

    def headers(self, path: str = "/cds-services", **changes: Any) -> dict[str, str]:  # noqa: ANN401 - as `token`
        """Return the headers of a call with a fresh token; arguments as for `token`."""
        return {"Authorization": f"Bearer {self.token(path, **changes)}"}

    def with_keys(self, keys: KeyPair) -> "Ehr":
        """Return the same EHR that signs with other keys, which are not registered."""
        return replace(self, identity=replace(self.identity, keys=keys))


def registered_ehr(folder: Path, keys: KeyPair | None = None, **registration: object) -> Ehr:
    """Register one EHR in a new clients' file, and make the keys of the record, as production wants it.

    Args:
        folder: where the file is written; the record's keys lie in ``keys`` beside it.
        keys: its keys; None makes new ones on P-384.
        registration: members of its entry that differ from a plain one (`Entry`).
    """
    pair = keys or make_key_pair("ES384")
    entry = entry_of(pair, **registration)
    ehr = Ehr(folder, Identity(pair, entry.issuer, entry.tenant or "", entry.subject or ""))
    write_entries(ehr.clients, [entry])
    if not ehr.record_keys.pseudonym.exists():
        ehr.record_keys.make("cds.example/audit/1")
    return ehr


def entry_of(keys: KeyPair, **registration: object) -> Entry:
    """Return a plain entry of the clients' file with the public half of `keys`, changed by `registration`."""
    plain = {"name": NAME, "issuer": ISSUER, "tenant": None, "subject": None, "jwks": keys.public_jwks}
    return msgspec.convert(plain | registration, Entry)
