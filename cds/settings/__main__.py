"""``python -m cds.settings > docs/settings.md``."""

from cds.settings.page import settings_page

print(settings_page(), end="")
