"""What may be read from FHIR servers, and for how long."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from cds.settings.addresses import Network, is_private


class Fetching(BaseSettings):
    """Reading what a client did not send."""

    fhir_bases: tuple[str, ...] = Field(
        (),
        description="Base URLs of the FHIR servers that are read in development, besides those on loopback. In "
        "production each client has its own, registered ones. A JSON list.",
    )
    private_networks: tuple[Network, ...] = Field(
        (),
        description="Networks with private addresses where FHIR servers and key sets may lie, such as `10.20.0.0/16`; "
        "they may be reached by plain http too. No other private address is. A JSON list.",
    )
    deadline_ms: int = Field(
        2500,
        ge=500,
        le=30_000,
        description="Milliseconds from the last byte of a call to its answer; 300 of them are kept for assessing and "
        "recording. What could not be read in time is unknown. A client's own registered number goes first.",
    )
    most_pages: int = Field(
        8, ge=1, le=100, description="How many pages of one search are read; what lies behind them is unknown."
    )

    @field_validator("private_networks")
    @classmethod
    def _are_private(cls, networks: tuple[Network, ...]) -> tuple[Network, ...]:
        for network in networks:
            if not is_private(network):
                raise ValueError(f"{network} is not a network of private addresses such as 10.20.0.0/16")
        return networks
