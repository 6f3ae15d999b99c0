"""All settings, read once at start from the environment (``CDS_PORT=8080``), and never changed."""

from cds.settings.deciding import Deciding, LogLevel
from cds.settings.fetching import Fetching
from cds.settings.page import settings_page
from cds.settings.serving import Profile, Serving
from cds.settings.settings import Settings, Stated

__all__ = ["Deciding", "Fetching", "LogLevel", "Profile", "Serving", "Settings", "Stated", "settings_page"]
