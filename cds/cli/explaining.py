"""``cds explain``: why a card was sent, or would be, or would not; verdict by verdict."""

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cds.app.create import read_knowledge
from cds.audit.record import DecisionRecord, Record
from cds.audit.visible import visible
from cds.audit.words import explain_decision
from cds.audit.words_seal import with_seal
from cds.cli.log import REFERENCE, key_option, open_log, own_key
from cds.cli.near_misses import with_near_misses
from cds.cli.options import HOOKS, Commands, add_command, database_option, read_settings
from cds.ehr import connect, read_bundles, read_order, request_for, request_from
from cds.engine.withhold import PATIENT_VIEW
from cds.errors import AuditError, FhirError, RequestError
from cds.hooks.prefetch import templates
from cds.hooks.services import SERVICES
from cds.service import Ports, consider

_NOON = time(12)
_USAGE = (
    "cds explain: give either RECORD, or --patient and --order (patient-view has no order). See cds explain --help."
)


class _NothingIsRecorded:
    """Stands where the service has its recorder: what is only explained leaves no record."""

    healthy = False

    async def append_async(self, record: Record) -> None:
        raise AuditError("CDS-408", "record", f"A {type(record).__name__} is not recorded here.")


def add_commands(commands: Commands) -> None:
    """Add the command."""
    told = add_command(
        commands,
        "explain",
        _explain,
        "Tell why: what was asked, read and missing, what each rule said and why, and which cards came of it.\n\n"
        "With RECORD it tells what was decided. With --patient and --order it decides here and now, with its own\n"
        "knowledge, and records nothing: each rule is listed, and what it saw and did not count.",
        {0: "told", 1: "the service would refuse the call", 2: "wrong use, or something that is named cannot be read"},
        "cds explain 17\n"
        "cds explain d1577c69-dfbe-44ad-ba6d-3e05e953b2ea\n"
        "cds explain --patient BUNDLE.json --order ORDER.json --at 2026-02-01\n"
        "cds explain --fhir http://127.0.0.1:28081/fhir --patient boris --order ORDER.json",
    )
    told.add_argument("record", metavar="RECORD", nargs="?", help=REFERENCE)
    database_option(told)
    told.add_argument("--json", action="store_true", help="with RECORD: the same for programs")
    key_option(told)
    told.add_argument("--patient", metavar="FILE", help="a FHIR Bundle of one patient; with --fhir the patient's id")
    told.add_argument("--fhir", metavar="URL", help="base URL of the FHIR R4 server that holds the patient")
    told.add_argument("--order", metavar="FILE", type=Path, help="a draft MedicationRequest or ServiceRequest")
    told.add_argument("--hook", choices=HOOKS, default=HOOKS[0], help=f"with --patient (default: {HOOKS[0]})")
    told.add_argument("--at", metavar="TIME", help="decide for this day or time, such as 2026-02-01 (default: now)")
    told.add_argument("--knowledge", metavar="FOLDER", type=Path, help="with --patient (default: CDS_KNOWLEDGE_DIR)")


def _explain(options: argparse.Namespace) -> int:
    has_order = bool(options.order) == (options.hook != PATIENT_VIEW)
    if bool(options.record) == bool(options.patient) or (options.patient and not has_order):
        print(_USAGE, file=sys.stderr)
        return 2
    if options.record:
        with open_log(options) as log:
            story = with_seal(log, log.find(options.record), own_key(options))
        print(story.json() if options.json else story.words())
        return 0
    return _decide(options)


def _decide(options: argparse.Namespace) -> int:
    ports = read_knowledge(read_settings(knowledge_dir=options.knowledge), _NothingIsRecorded())
    at = _moment(options.at, ports.zone)
    request = json.dumps(_request(options, ports)).encode()
    service = next(service for service in SERVICES.values() if service.hook == options.hook)
    try:
        record = consider(request, service, replace(ports, clock=lambda: at))
    except (RequestError, FhirError) as error:
        print(visible(f"The service would refuse this call: {error}"), file=sys.stderr)
        return 1
    if isinstance(record, DecisionRecord):
        record = with_near_misses(record, ports.knowledge)
    print(f"Decided for {at.isoformat()} with knowledge {ports.knowledge.version} ({ports.knowledge.digest})")
    print(explain_decision(record))
    return 0


def _request(options: argparse.Namespace, ports: Ports) -> dict[str, Any]:
    offered = templates(ports.knowledge)
    order = read_order(options.order) if options.order else None
    if not options.fhir:
        (bundle,) = read_bundles([Path(options.patient)])
        return request_for(bundle, order, options.hook, offered)
    with connect(options.fhir) as fhir:
        request, problems = request_from(fhir, options.patient, order, options.hook, offered)
    for key, reason in problems.items():
        print(visible(f"not read: {key}: {reason}"), file=sys.stderr)
    return request


def _moment(text: str | None, zone: ZoneInfo) -> datetime:
    """Return the time to decide for: a day means its noon, a time without an offset is one of the zone.

    Raises:
        RequestError: CDS-243 if it is neither a day nor a time.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(
            "CDS-243", "--at", f"{text!r} is no day and no time.", "2026-02-01, 2026-02-01T09:30"
        ) from None
    if moment.time() == time() and len(text) == len("2026-02-01"):
        moment = datetime.combine(moment.date(), _NOON)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
