"""The command `cds`: thin, every command a call of the module that does the work."""

import argparse
import sys
from collections.abc import Sequence

import cds
from cds.audit.visible import visible
from cds.cli import asking, client, explaining, feedback, knowledge, log_commands, serving
from cds.errors import CdsError

_DESCRIPTION = "Ketamine CDS: cited, advisory cards for ketamine and esketamine orders. Not a medical device."
_EPILOG = """\
Every command has its own help: cds ask --help

Exit status: 0 done; 2 wrong use, or something that is named cannot be used. Each command's help has the rest.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an expected error is one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="cds", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"cds {cds.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (serving, asking, client, explaining, knowledge, log_commands, feedback):
        module.add_commands(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except CdsError as error:
        print(visible(str(error)), file=sys.stderr)
        print(f"See docs/problems.md#{error.code.lower()}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return status
