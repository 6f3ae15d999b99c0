"""Two registered EHRs on one service as in production: one whose clinicians see cards, one in shadow mode."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cds.ehr.identity import Identity
from cds.ehr.keypair import make_key_pair
from cds.trust.registry import write_entries
from tests.feedback.clinic import Clinic
from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, entry_of


@dataclass(frozen=True, slots=True)
class Hospitals:
    """The service, and who may call it."""

    service: Running
    live: Ehr
    shadow: Ehr

    def clinic(self, ehr: Ehr) -> Clinic:
        """Return a new patient of a hospital."""
        return Clinic(self.service, headers=ehr.headers)


@contextmanager
def two_hospitals(folder: Path) -> Iterator[Hospitals]:
    """Run the service for both until the block ends."""
    live, shadow = (_hospital(folder, name) for name in ("live", "shadow"))
    entries = [
        entry_of(
            ehr.identity.keys, name=name, issuer=ehr.identity.issuer, shadow=name == "shadow", calls_per_minute=100_000
        )
        for name, ehr in (("live", live), ("shadow", shadow))
    ]
    write_entries(live.clients, entries)
    live.record_keys.make("cds.example/audit/1")
    with running(settings_in(folder, **live.production)) as service:
        yield Hospitals(service, live, shadow)


def _hospital(folder: Path, name: str) -> Ehr:
    return Ehr(folder, Identity(make_key_pair("ES384"), f"https://{name}.example", "", ""))
