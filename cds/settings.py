"""All settings, read once at start from the environment (``CDS_PORT=8080``), and never changed."""

from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import cds
from cds.hooks.body import MOST_BYTES

_PACKAGE = Path(cds.__file__).parent


class Profile(StrEnum):
    """What the service is run for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """How much is written to the operational log, which never holds patient data."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _knowledge_folder() -> Path:
    """Return the knowledge that came with this code: inside an installed package, beside it in a checkout."""
    inside = _PACKAGE / "cards"
    return inside if inside.is_dir() else _PACKAGE.parent / "cards"


class Settings(BaseSettings):
    """The settings of one process; each stands in docs/settings.md, which is written from this class."""

    model_config = SettingsConfigDict(env_prefix="CDS_", env_ignore_empty=True, frozen=True, extra="forbid")

    profile: Profile = Field(
        Profile.DEVELOPMENT,
        description="`development` allows what must not happen with real patients: a clock that is set. "
        "Calls are not authenticated yet, in either profile.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on. Anything but loopback needs CDS_ALLOW_REMOTE.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    allow_remote: bool = Field(
        False,
        description="Listen beyond loopback although calls are not authenticated. Only where something else keeps "
        "strangers out: a container whose port is published on loopback, a proxy that authenticates.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Names under which clients may call, as in the Host header without the port. A page in a browser "
        "that reaches the service under another name is refused. A JSON list.",
    )
    public_base_url: str = Field(
        "",
        description="Address under which clients reach the service, such as `https://cds.hospital.example`: https, or "
        "http on loopback. Links on cards begin with it, and its host is allowed besides CDS_ALLOWED_HOSTS. Empty: "
        "links begin with the address that the call named.",
    )
    fhir_bases: tuple[str, ...] = Field(
        (),
        description="Base URLs of the FHIR servers whose data this service may be asked about. A JSON list. "
        "Data are not read from them yet; everything comes as prefetch.",
    )
    database: Path = Field(
        Path("var/record/record.sqlite"),
        description="SQLite file of the record. Its folder is made if it does not exist.",
    )
    pseudonym_key: Path = Field(
        Path("var/keys/pseudonym.key"),
        description="File with the secret from which patients' pseudonyms in the record are made; created at the first "
        "start. It must not lie in the database's folder or below.",
    )
    signing_key: Path | None = Field(
        None,
        description="File with the key that signs the record's checkpoints. Empty: `signing.key` beside "
        "CDS_PSEUDONYM_KEY. In development it is created at the first start; else `cds log init` makes both keys.",
    )
    checkpoint_copy: Path | None = Field(
        None,
        description="File to which the newest signed checkpoint is copied at least once a minute; put it on another "
        "disk or machine than the record. Empty: `checkpoint` beside the signing key.",
    )
    knowledge_dir: Path = Field(
        default_factory=_knowledge_folder,
        description="Folder with the clinical knowledge. Default: the `cards` folder that came with this code.",
    )
    site_policy: Path | None = Field(
        None,
        description="File with this site's own numbers where the knowledge says `local policy`. Empty: "
        "`site_policy.yaml` in CDS_KNOWLEDGE_DIR, if there is one.",
    )
    max_body_bytes: int = Field(
        MOST_BYTES, ge=1_000, le=100_000_000, description="Largest request body that is read; a larger one is HTTP 413."
    )
    clock: datetime | None = Field(
        None,
        description="Take this moment (ISO 8601 with offset) as now for every decision, to try old test data. "
        "Refused unless CDS_PROFILE=development.",
    )
    time_zone: str = Field(
        "UTC", description="IANA name of the time zone in which days are counted, such as Europe/Zurich."
    )
    country: str = Field(
        "",
        pattern=r"^([A-Z]{2})?$",
        description="ISO 3166 code of the country, such as GB: cards add what only its authorities say.",
    )
    order_for_testing: bool = Field(
        False,
        description="Offer one service more, which suggests to order ketamine: for clients whose own list of drugs "
        "has none, such as the public CDS Hooks Sandbox. Refused unless CDS_PROFILE=development.",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least serious event that is logged.")

    @field_validator("clock")
    @classmethod
    def _has_an_offset(cls, clock: datetime | None) -> datetime | None:
        if clock and clock.tzinfo is None:
            raise ValueError("needs an offset, such as 2026-02-01T12:00:00+00:00")
        return clock

    @field_validator("public_base_url")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        parts = urlsplit(address)
        plain = not (parts.query or parts.fragment or parts.username)
        if address and not (plain and parts.hostname and (parts.scheme == "https" or _is_local(parts))):
            raise ValueError("is not an address such as https://cds.hospital.example (http only on loopback)")
        return address.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not an IANA time zone such as Europe/Zurich") from error
        return name

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.clock and self.profile is not Profile.DEVELOPMENT:
            raise ValueError("CDS_CLOCK is refused unless CDS_PROFILE=development: advice must be about today")
        if self.order_for_testing and self.profile is not Profile.DEVELOPMENT:
            raise ValueError("CDS_ORDER_FOR_TESTING is refused unless CDS_PROFILE=development: it is for trying out")
        if not self.allow_remote and not _is_loopback(self.host):
            raise ValueError(
                f"CDS_HOST={self.host} is refused: calls are not authenticated, so only loopback is served. "
                "Set CDS_ALLOW_REMOTE=true where something else keeps strangers out"
            )
        return self


def _is_local(address: SplitResult) -> bool:
    return address.scheme == "http" and _is_loopback(address.hostname or "")


def _is_loopback(host: str) -> bool:
    """Say whether an address can only be reached from this machine.

    >>> _is_loopback("127.0.0.1"), _is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def settings_page() -> str:
    """Return docs/settings.md: every setting with its environment variable, default and meaning."""
    rows = [
        f"| `CDS_{name.upper()}` | {_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join([*_PAGE_HEAD, *rows, ""])


_PAGE_HEAD = (
    "# Settings",
    "",
    "Read from the environment at start; an empty variable counts as not set. A value that is not allowed stops the",
    "start, with the reason.",
    "This page is written from `cds/settings.py`: `python -m cds.settings > docs/settings.md`.",
    "",
    "| variable | default | meaning |",
    "|---|---|---|",
)


def _default(name: str) -> str:
    if name == "knowledge_dir":
        return "`cards`"
    default = Settings.model_fields[name].default
    if isinstance(default, tuple):
        return f"`{list(default)}`".replace("'", '"')
    return f"`{default}`" if default not in (None, "") else "(none)"


if __name__ == "__main__":
    print(settings_page(), end="")
