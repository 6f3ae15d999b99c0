"""Where the service listens, who may call it, and how much it takes in."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from cds.hooks.body import MOST_BYTES
from cds.settings.addresses import Network, is_base, is_origin


class Profile(StrEnum):
    """What the service is run for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Serving(BaseSettings):
    """Listening, callers and limits."""

    profile: Profile = Field(
        Profile.DEVELOPMENT,
        description="`production`: every call needs a JWT of a registered client. `development`, for trying out with "
        "invented patients: calls are not authenticated, so only loopback is served, and CDS_CLOCK is allowed.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but loopback needs CDS_PROFILE=production or CDS_ALLOW_REMOTE.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(
        1, ge=1, le=64, description="How many processes answer. They share the record, the clients and the used tokens."
    )
    allow_remote: bool = Field(
        False,
        description="Listen beyond loopback in development, although calls are not authenticated. Only where something "
        "else keeps strangers out, such as a container whose port is published on loopback.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Names under which clients may call, as in the Host header without the port, besides the host of "
        "CDS_PUBLIC_BASE_URL. A call under another name is refused. A JSON list.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (),
        description="Addresses of the reverse proxies in front, whose `X-Forwarded-For` says who calls: else all of a "
        "proxy's callers share one limit of failed tokens. A JSON list of addresses or networks.",
    )
    public_base_url: str = Field(
        "",
        description="Address under which clients reach the service, such as `https://cds.hospital.example`: https, or "
        "http on loopback. Tokens must be made for it (`aud`), and links on cards begin with it. Required in "
        "production; else empty: links begin with the address that the call named.",
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins of web pages that may call from a browser, such as `https://app.hospital.example`, "
        "exactly as the browser names them. Empty: none. A JSON list.",
    )
    clients: Path = Field(
        Path("var/clients.json"), description="File of the registered clients, written by `cds client add`."
    )
    jti_database: Path = Field(
        Path("var/jti/jti.sqlite"),
        description="SQLite file of the tokens that were used: each is accepted once. Its folder is made if missing.",
    )
    calls_per_minute: int = Field(
        600,
        ge=1,
        description="How many calls a client may make in a minute to one worker process; more are HTTP 429. A client's "
        "own registered number goes first. Not counted in development.",
    )
    failed_tokens_per_minute: int = Field(
        30,
        ge=1,
        description="How many tokens of one peer address may fail in a minute at one worker process; until the minute "
        "is over, every call from there is then HTTP 429.",
    )
    most_calls_at_once: int = Field(
        100,
        ge=1,
        description="How many calls one worker process answers at the same time, in production at most half of them of "
        "one client, so that none keeps the others out; one more is HTTP 503.",
    )
    max_body_bytes: int = Field(
        MOST_BYTES, ge=1_000, le=100_000_000, description="Largest request body that is read; a larger one is HTTP 413."
    )

    @field_validator("public_base_url")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        if address and not is_base(address):
            raise ValueError("is not an address such as https://cds.hospital.example (http only on loopback)")
        return address.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not is_origin(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://app.hospital.example: exact, no `*`")
        return origins
