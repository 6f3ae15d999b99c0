"""How commands are declared: the same look of help, exit statuses and examples for all."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from cds.errors import RequestError
from cds.hooks.services import SERVICES
from cds.settings import Settings, Stated

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
else:
    Commands = argparse.Action

HOOKS = tuple(service.hook for service in SERVICES.values())
"""The hooks that are answered."""

_Kind = TypeVar("_Kind", bound=Stated)
Run = Callable[[argparse.Namespace], int]


def add_command(
    commands: Commands, name: str, run: Run, about: str, statuses: Mapping[int, str], examples: str
) -> argparse.ArgumentParser:
    """Add a command whose help ends with its exit statuses and examples.

    Args:
        commands: where to add it.
        name: what is typed after ``cds``.
        run: does it and returns the exit status.
        about: one sentence for the list, then what else is worth knowing.
        statuses: exit status to its meaning.
        examples: one command a line.
    """
    ends = " · ".join(f"{status} {meaning}" for status, meaning in statuses.items())
    indented = "\n".join(f"  {line}" for line in examples.splitlines())
    parser = commands.add_parser(
        name,
        help=about.partition("\n")[0],
        description=about,
        epilog=f"Exit status: {ends}\n\nExample:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def read_settings(**given: object) -> Stated:
    """Return the settings of the environment, with what was given on the command line instead.

    Raises:
        RequestError: CDS-240 a setting is not allowed, with its reason.
    """
    return _read(Stated, given)


def serving_settings(**given: object) -> Settings:
    """Return the same for a service: they must be safe to serve with.

    Raises:
        RequestError: CDS-240 a setting is not allowed, with its reason.
    """
    return _read(Settings, given)


def _read(kind: type[_Kind], given: Mapping[str, object]) -> _Kind:
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = f"CDS_{str(first['loc'][0]).upper()}" if first["loc"] else "settings"
        what = first["msg"].removeprefix("Value error, ")
        raise RequestError("CDS-240", name, f"{what}.", action="See docs/settings.md.") from None


def database_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--database``."""
    parser.add_argument("--database", type=Path, metavar="FILE", help="the record (default: CDS_DATABASE)")
