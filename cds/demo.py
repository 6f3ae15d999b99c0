"""``make demo``: a service of its own, real calls over HTTP for synthetic patients, and the cards as people read them.

What is played, and what must come back, stands in fhir_fixtures/demo.yaml.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

import cds
from cds.audit.queries import LogReader
from cds.audit.words_list import listing
from cds.ehr import ask, connect, discover, request_for
from cds.errors import FhirError, RequestError
from cds.fhir.shift import as_of
from cds.knowledge.strict_yaml import read_mapping
from cds.terminal import cards_in_words

FIXTURES = Path(cds.__file__).parents[1] / "fhir_fixtures"
"""The synthetic patients, beside the package in a checkout."""

_START_SECONDS = 30
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """One call of the demonstration.

    Attributes:
        title: who is asked about, and what is to be seen.
        patient, order: names of files in fhir_fixtures/patients and fhir_fixtures/orders; no order in ``patient-view``.
        hook: such as ``order-select``.
        leave_out: prefetch keys that this EHR does not send.
        expected: the topics of the cards that must come back; none for an empty list.
    """

    title: str
    patient: str
    order: str
    hook: str
    leave_out: tuple[str, ...]
    expected: frozenset[str]


def run_demo() -> int:
    """Play every scene, print what is answered and where it is recorded; return 0 if all was as expected, else 1."""
    scenes = read_scenes(FIXTURES / "demo.yaml")
    folder = Path(tempfile.mkdtemp(prefix="ketamine-cds-demo-"))
    database = folder / "record" / "record.sqlite"
    with _service(folder, database) as address, connect(address) as client:
        print(f"The service runs at {address} for this demonstration. All patients are invented.\n")
        as_expected = [_play(number, scene, client) for number, scene in enumerate(scenes, start=1)]
        print(f"THE RECORD: {database}\n")
        with LogReader(database) as log:
            entries = list(log.list())
        print(listing(entries))
        print(f"\nMore: cds explain {entries[-1].seq} --database {database}")
    all_well = all(as_expected) and len(entries) == len(scenes)
    print("\nAll answers are as expected." if all_well else "\nNOT ALL ANSWERS ARE AS EXPECTED.")
    return 0 if all_well else 1


def read_scenes(path: Path) -> tuple[Scene, ...]:
    """Return the scenes of a file.

    Raises:
        RequestError: CDS-241 if the fixtures are not there (they come with the source, not with an installed package).
    """
    if not path.is_file():
        raise RequestError(
            "CDS-241", str(path), "The fixtures are not here.", action="Run it in a clone of the source."
        )
    return tuple(
        Scene(
            title=scene["title"],
            patient=scene["patient"],
            order=scene.get("order", ""),
            hook=scene.get("hook", "order-select"),
            leave_out=tuple(scene.get("leave_out", ())),
            expected=frozenset(scene["cards"]),
        )
        for scene in read_mapping(path)["scenes"]
    )


def request_of(scene: Scene, templates: dict[str, str], today: datetime) -> dict[str, Any]:
    """Return the call that an EHR would make, with the fixture's dates moved to today."""
    bundle = as_of(_fixture("patients", scene.patient), today.date())
    order = as_of(_fixture("orders", scene.order), today.date()) if scene.order else None
    request = request_for(bundle, order, scene.hook, templates)
    for key in scene.leave_out:
        del request["prefetch"][key]
    return request


def _play(number: int, scene: Scene, client: httpx.Client) -> bool:
    width = shutil.get_terminal_size().columns
    print(f"{'=' * min(width, 100)}\n{number}. {scene.title}\n")
    templates = dict(discover(client, scene.hook).prefetch)
    request = request_of(scene, templates, datetime.now(UTC))
    try:
        answer = ask(client, request)
    except FhirError as error:
        print(f"{error}\n")
        return False
    print(cards_in_words(answer, width))
    got = {card["source"]["topic"]["code"] for card in answer["cards"]}
    print(f"\n({scene.hook}, {len(json.dumps(request))} bytes)\n")
    if got != scene.expected:
        print(f"EXPECTED {', '.join(sorted(scene.expected)) or 'no cards'}, GOT {', '.join(sorted(got)) or 'none'}\n")
    return got == scene.expected


def _fixture(folder: str, name: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads((FIXTURES / folder / f"{name}.json").read_bytes())


@contextmanager
def _service(folder: Path, database: Path) -> Iterator[str]:
    """Run the service on a free port, with its record in `folder`; yield its address, stop it at the end."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    own = {"CDS_DATABASE": str(database), "CDS_PSEUDONYM_KEY": str(folder / "keys" / "pseudonym.key")}
    others = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    command = [sys.executable, "-m", "cds", "serve", "--port", str(port)]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=others | own, stdout=log, stderr=log)  # noqa: S603 - our own command
        try:
            _wait_until_ready(address, process, folder / "service.log")
            yield address
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/healthz", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RequestError("CDS-242", address, "The service did not start.", action=f"Its log: {log.read_text()[-2000:]}")
