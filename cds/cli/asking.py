"""``cds ask``, ``cds seed`` and ``cds lint``: what an EHR, or its developer, does."""

import argparse
import json
import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

from cds.audit.visible import visible
from cds.cli.client_signing import signature, signing_options
from cds.cli.options import HOOKS, Commands, add_command
from cds.ehr import call, connect, discover, read_bundles, read_order, request_from, seed
from cds.ehr.wire import UNKNOWN_CALLER
from cds.engine.withhold import PATIENT_VIEW
from cds.errors import FhirError, RequestError
from cds.fhir.shift import as_of
from cds.hooks.body import check_json
from cds.hooks.decode import decode
from cds.terminal import cards_in_words

_SERVICE = "http://127.0.0.1:8000"
_REFUSED = 1


def add_commands(commands: Commands) -> None:
    """Add the three commands."""
    _add_ask(commands)
    seeding = add_command(
        commands,
        "seed",
        _seed,
        "Load patients into a FHIR server, under the ids that their Bundles give them.\n\n"
        "Doing it again changes nothing. PATH is a Bundle (.json, .json.gz) or a folder of them. With --as-of, dates\n"
        "are moved from 2026-02-01, for which the fixtures are written: what is recent in them is recent then.",
        {0: "all are loaded", 2: "a file or the server cannot be used"},
        "cds seed --fhir http://127.0.0.1:28081/fhir --as-of today fhir_fixtures/patients",
    )
    seeding.add_argument("--fhir", metavar="URL", required=True, help="base URL of the FHIR R4 server")
    seeding.add_argument("--as-of", metavar="DAY", type=_day, help="today, or a day such as 2026-03-01")
    seeding.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    lint = add_command(
        commands,
        "lint",
        _lint,
        "Say what in a request is not valid FHIR R4, for its developer.\n\n"
        "The service reads most of it all the same: it is tolerant, this is not.",
        {0: "valid", 1: "not valid", 2: "the file cannot be read"},
        "cds lint REQUEST.json",
    )
    lint.add_argument("request", metavar="REQUEST", type=Path, help="a CDS Hooks request")


def _add_ask(commands: Commands) -> None:
    ask = add_command(
        commands,
        "ask",
        _ask,
        "Call the service as an EHR does and print the cards.\n\n"
        "With REQUEST the file is sent as it is. With --fhir the prefetch that discovery names is read from that FHIR\n"
        "server for the patient and the draft order (patient-view has no order). A service that is run in the\n"
        "production profile answers only calls that are signed as a registered EHR: with --key and --issuer.",
        {0: "answered, with or without cards", 1: "refused or not answered", 2: "wrong use, or a file cannot be used"},
        "cds ask REQUEST.json\ncds ask --fhir http://127.0.0.1:28081/fhir --patient boris --order ORDER.json\n"
        "cds ask --fhir http://127.0.0.1:28081/fhir --patient boris --hook patient-view\n"
        "cds ask REQUEST.json --service https://cds.hospital.example --key ehr.pem --issuer https://ehr.example",
    )
    ask.add_argument("request", metavar="REQUEST", nargs="?", type=Path, help="a CDS Hooks request")
    ask.add_argument("--fhir", metavar="URL", help="base URL of the FHIR R4 server that holds the patient")
    ask.add_argument("--patient", metavar="ID", help="the patient's id on that server")
    ask.add_argument("--order", metavar="FILE", type=Path, help="a draft MedicationRequest or ServiceRequest")
    ask.add_argument("--hook", choices=HOOKS, default=HOOKS[0], help=f"with --fhir (default: {HOOKS[0]})")
    ask.add_argument("--no-prefetch", action="store_true", help="with --fhir: send no data; the service reads them")
    ask.add_argument("--fhir-server", metavar="URL", help="with --fhir: where the service finds it (default: there)")
    ask.add_argument("--service", metavar="URL", default=_SERVICE, help=f"address of the service (default: {_SERVICE})")
    signing_options(ask)


def _ask(options: argparse.Namespace) -> int:
    gathering = [options.fhir, options.patient, *([options.order] if options.hook != PATIENT_VIEW else [])]
    beside = [options.no_prefetch, options.fhir_server]
    if bool(options.request) == any([*gathering, *beside]) or (not options.request and not all(gathering)):
        print("cds ask: give either REQUEST, or --fhir, --patient and --order. See cds ask --help.", file=sys.stderr)
        return 2
    order = read_order(options.order) if options.order else None
    content = _read(options.request) if options.request else b""
    try:
        with connect(options.service, auth=signature(options)) as service:
            answer = _send_file(content, service) if options.request else _gather_and_send(options, order, service)
    except FhirError as error:
        print(visible(str(error)), file=sys.stderr)
        return _REFUSED
    print(cards_in_words(answer, shutil.get_terminal_size().columns))
    return 0


def _gather_and_send(
    options: argparse.Namespace, order: dict[str, Any] | None, service: httpx.Client
) -> dict[str, Any]:
    found = discover(service, options.hook)
    with connect(options.fhir) as fhir:
        templates = {} if options.no_prefetch else found.prefetch
        request, problems = request_from(fhir, options.patient, order, options.hook, templates)
    for key, reason in problems.items():
        print(visible(f"not sent: {key}: {reason}"), file=sys.stderr)
    if options.no_prefetch:
        del request["prefetch"]
    if options.fhir_server:
        request["fhirServer"] = options.fhir_server
    return call(service, found, request)


def _send_file(content: bytes, service: httpx.Client) -> dict[str, Any]:
    """Send a request byte by byte as it stands in its file; what is wrong with it is for the service to say."""
    try:
        hook = str(json.loads(content).get("hook"))
    except (ValueError, AttributeError):
        hook = HOOKS[0]
    url = f"cds-services/{discover(service, hook).id}"
    try:
        response = service.post(url, content=content, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        raise FhirError("CDS-331", str(service.base_url), f"No answer ({type(error).__name__}).") from error
    return _answer(response)


def _answer(response: httpx.Response) -> dict[str, Any]:
    """Return the answer; a refusal is repeated with its own code, and one without words is told by its status."""
    where = f"HTTP {response.status_code}"
    try:
        answer: dict[str, Any] = response.json()
        issue = answer["issue"][0] if response.is_error else None
    except (ValueError, LookupError, TypeError):
        what = UNKNOWN_CALLER if response.status_code == httpx.codes.UNAUTHORIZED else "The service says nothing else."
        raise FhirError("CDS-331", where, what) from None
    if issue:
        raise FhirError(issue["details"]["coding"][0]["code"], where, issue["diagnostics"])
    return answer


def _day(text: str) -> date:
    return datetime.now(UTC).date() if text == "today" else date.fromisoformat(text)


def _seed(options: argparse.Namespace) -> int:
    bundles = read_bundles(options.paths)
    if options.as_of:
        bundles = (as_of(bundle, options.as_of) for bundle in bundles)
    with connect(options.fhir) as fhir:
        seed(fhir, bundles, lambda patient, count: print(f"{patient}: {count} resources"))
    return 0


def _lint(options: argparse.Namespace) -> int:
    from cds.fhir.r4b import lint_request

    content = _read(options.request)
    try:
        check_json(content)
        problems = lint_request(request := json.loads(content))
        for problem in problems:
            print(visible(str(problem)))
        decode(content, str(request.get("hook")))
    except RequestError as error:
        print(visible(f"The service refuses it: {error}"))
        return 1
    print(f"{len(problems)} problems. The service reads it all the same." if problems else "Valid.")
    return 1 if problems else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError("CDS-233", str(path), f"Cannot be read: {error.strerror}.") from None
