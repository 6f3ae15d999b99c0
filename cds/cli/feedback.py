"""``cds feedback report`` and ``cds feedback shadow-report``: what clinicians did with the cards."""

import argparse
import sys
from datetime import date
from pathlib import Path

import orjson

from cds.audit import feedback_report, shadow_report
from cds.audit.canonical import JsonValue
from cds.audit.feedback_export import as_csv, as_members, rows
from cds.audit.feedback_log import FeedbackLog, Period
from cds.audit.visible import visible_json
from cds.cli.options import Commands, add_command, database_option, read_settings

_STATUSES = {0: "reported", 2: "wrong use, or the record cannot be read"}
_TREND = {"month": feedback_report.month_of, "week": feedback_report.week_of}


def add_commands(commands: Commands) -> None:
    """Add ``feedback`` with its two commands."""
    about = "Tell what clinicians did with the cards."
    feedback = commands.add_parser("feedback", help=about, description=about)
    parts = feedback.add_subparsers(title="commands", metavar="COMMAND", required=True)
    report = add_command(
        parts,
        "report",
        _report,
        "Tell how often each rule's card was shown, accepted, overridden and ignored, why, and how that changed.\n\n"
        "--csv and --json have one row for every card with intervention, action taken, user feedback, user, date and\n"
        "location (45 CFR 170.315(b)(11)(ii)(C)). They name users: keep them as you keep the record.",
        _STATUSES,
        "cds feedback report --since 2026-01-01 --by week\n"
        "cds feedback report --rule raised_intraocular_pressure --csv FILE",
    )
    _add_period(report)
    report.add_argument("--by", choices=tuple(_TREND), default="month", help="what the trend is told by")
    report.add_argument("--csv", metavar="FILE", type=Path, help="write one row for every card; - is standard output")
    _add_json(report)
    shadow = add_command(
        parts,
        "shadow-report",
        _shadow_report,
        "Tell what clients in shadow mode would have been shown, and what was ordered next without it.",
        _STATUSES,
        "cds feedback shadow-report --client north-hospital",
    )
    _add_period(shadow)
    _add_json(shadow)


def _add_period(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="DAY", type=date.fromisoformat, help="first day (UTC), such as 2026-02-01")
    parser.add_argument("--until", metavar="DAY", type=date.fromisoformat, help="last day (UTC)")
    parser.add_argument("--rule", default="", help="only this rule's cards, by its id")
    parser.add_argument("--client", default="", help="only this client's calls")
    database_option(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _report(options: argparse.Namespace) -> int:
    period = Period(options.since, options.until, options.client)
    with _open(options) as log:
        report = feedback_report.feedback_report(log, period, options.rule, _TREND[options.by])
        if options.csv:
            _write(options.csv, as_csv(rows(log, period, options.rule)))
        if options.json:
            _print_json({"report": report.members(), "rows": as_members(rows(log, period, options.rule))})
        elif str(options.csv) != "-":
            print(feedback_report.in_words(report))
    return 0


def _shadow_report(options: argparse.Namespace) -> int:
    with _open(options) as log:
        report = shadow_report.shadow_report(log, Period(options.since, options.until, options.client), options.rule)
    if options.json:
        _print_json(report.members())
    else:
        print(shadow_report.in_words(report))
    return 0


def _open(options: argparse.Namespace) -> FeedbackLog:
    return FeedbackLog(read_settings(database=options.database).database)


def _write(path: Path, content: str) -> None:
    if str(path) == "-":
        sys.stdout.write(content)
        return
    path.touch(mode=0o600)
    path.write_text(content, "utf-8", newline="")


def _print_json(value: JsonValue) -> None:
    print(visible_json(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()))
