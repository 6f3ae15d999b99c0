"""docs/settings.md, written from the settings themselves."""

from pydantic_settings import BaseSettings

from cds.settings.deciding import Deciding
from cds.settings.fetching import Fetching
from cds.settings.serving import Serving

_PAGE_HEAD = (
    "# Settings",
    "",
    "Read from the environment at start; an empty variable counts as not set. A value that is not allowed stops the",
    "start, with the reason.",
    "This page is written from `cds/settings/`: `python -m cds.settings > docs/settings.md`.",
)
_TABLE_HEAD = ("| variable | default | meaning |", "|---|---|---|")
_SECTIONS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Listening, callers and limits", Serving),
    ("Reading what a client did not send", Fetching),
    ("Knowledge, time, place and record", Deciding),
)


def settings_page() -> str:
    """Return docs/settings.md: every setting with its environment variable, default and meaning."""
    sections = (line for title, group in _SECTIONS for line in ("", f"## {title}", "", *_table(group)))
    return "\n".join([*_PAGE_HEAD, *sections, ""])


def _table(group: type[BaseSettings]) -> list[str]:
    fields = group.model_fields.items()
    rows = [
        f"| `CDS_{name.upper()}` | {_default(field.default, name)} | {field.description} |" for name, field in fields
    ]
    return [*_TABLE_HEAD, *rows]


def _default(default: object, name: str) -> str:
    if name == "knowledge_dir":
        return "`cards`"
    if isinstance(default, tuple):
        return f"`{list(default)}`".replace("'", '"')
    return f"`{default}`" if default not in (None, "") else "(none)"
