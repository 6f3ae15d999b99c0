"""The settings of one process, and which of them do not go together."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from cds.settings.addresses import is_loopback
from cds.settings.deciding import Deciding
from cds.settings.fetching import Fetching
from cds.settings.serving import Profile, Serving


class Stated(Deciding, Fetching, Serving):
    """The settings as they are stated, for commands that serve nobody; each stands in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="CDS_", env_ignore_empty=True, frozen=True, extra="forbid")

    @property
    def authenticated(self) -> bool:
        """Say whether every call needs a token."""
        return self.profile is Profile.PRODUCTION


class Settings(Stated):
    """The settings of a service: stated, and safe to serve with."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.authenticated:
            self._check_production()
        elif not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"CDS_HOST={self.host} is refused: in CDS_PROFILE=development calls are not authenticated, so only "
                "loopback is served. Set CDS_PROFILE=production, or CDS_ALLOW_REMOTE=true where something else keeps "
                "strangers out"
            )
        return self

    def _check_production(self) -> None:
        if self.clock:
            raise ValueError("CDS_CLOCK is refused unless CDS_PROFILE=development: advice must be about today")
        if self.order_for_testing:
            raise ValueError("CDS_ORDER_FOR_TESTING is refused unless CDS_PROFILE=development: it is for trying out")
        if not self.public_base_url:
            raise ValueError(
                "CDS_PUBLIC_BASE_URL is required in CDS_PROFILE=production: tokens must be made for that address"
            )
