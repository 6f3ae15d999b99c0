"""What is decided with, where it is recorded, and what is logged."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

import cds

_PACKAGE = Path(cds.__file__).parent


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


class Deciding(BaseSettings):
    """Knowledge, time, place and record."""

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

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not an IANA time zone such as Europe/Zurich") from error
        return name
