"""Requests per second and CPU per request of the service, beside a handler that answers a constant (``make bench``).

Both servers are pinned to one core and the load to another. The two sides alternate within one run; what counts is the
ratio within each pair, as the median of all pairs with the lowest and the highest. Absolute times mean little: the same
code varies by half or more between minutes on a shared machine. The CPU time per request (user and system, of the
server's process) is the steadier figure.

PAIRS=10 in the environment sets the number of pairs.
"""

import gzip
import json
import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import post, requests_answered
from benchmarks.servers import Server, serving, serving_cds
from cds.ehr import ask, connect, discover

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = (1, 8, 32)
SECONDS = 2.0
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things compared: its name, its server, and the request it is sent."""

    name: str
    server: Server
    request: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of one side gave."""

    requests_per_second: float
    cpu_milliseconds: float


def main() -> None:
    """Measure and print the table."""
    pairs = int(os.environ.get("PAIRS", "10"))
    body, origin = _body()
    with _sides(body) as (service, constant):
        print(f"Request: {origin}, {len(body):,} bytes. {pairs} pairs of {SECONDS:g} s, alternating.\n")
        print(f"{'connections':>11}  {'':9} {'service':>24} {'constant':>24} {'service / constant':>24}")
        for connections in CONNECTIONS:
            for side in (service, constant):
                requests_answered(side.server.port, side.request, connections, WARM_UP_SECONDS)
            runs = [(_run(service, connections), _run(constant, connections)) for _ in range(pairs)]
            _print_row(f"{connections:>11}", "requests/s", runs, lambda run: run.requests_per_second)
            _print_row(f"{'':>11}", "CPU ms", runs, lambda run: run.cpu_milliseconds)
    print("\nMedian (lowest to highest).")


@contextmanager
def _sides(body: bytes) -> Iterator[tuple[Side, Side]]:
    """Start both servers on one core, keep the load (this process) on another, and show what is answered."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])  # the servers inherit it
    baseline = ["uvicorn", "benchmarks.constant:app", "--no-access-log", "--log-level", "warning"]
    with serving_cds() as service, serving(baseline, {"PYTHONPATH": str(ROOT)}) as constant:
        os.sched_setaffinity(0, cores[-1:])
        if len(cores) == 1:
            print("One core only: the load takes time from the servers, so only the CPU figures mean something.")
        with connect(service.url) as client:
            hook = json.loads(body)["hook"]
            path = f"/cds-services/{discover(client, hook).id}"
            indicators = [card["indicator"] for card in ask(client, json.loads(body))["cards"]]
            print(f"Cards answered: {', '.join(indicators) or 'none'}.")
        yield Side("service", service, post(path, body)), Side("constant", constant, post(path, body))


def _run(side: Side, connections: int) -> Run:
    cpu_before = side.server.cpu_seconds()
    answered, seconds = requests_answered(side.server.port, side.request, connections, SECONDS)
    cpu_seconds = side.server.cpu_seconds() - cpu_before
    return Run(answered / seconds, 1000 * cpu_seconds / answered)


def _print_row(head: str, what: str, runs: list[tuple[Run, Run]], figure: Callable[[Run], float]) -> None:
    service = [figure(run) for run, _ in runs]
    constant = [figure(run) for _, run in runs]
    ratios = [ours / theirs for ours, theirs in zip(service, constant, strict=True)]
    print(f"{head}  {what:10}{_spread(service):>24} {_spread(constant):>24} {_spread(ratios):>24}", flush=True)


def _spread(figures: Iterable[float]) -> str:
    """Return the median with the lowest and the highest.

    >>> _spread([1, 2, 30])
    '2.00 (1.00 to 30.0)'
    """
    ordered = sorted(figures)
    return "{} ({} to {})".format(*map(_three_digits, (statistics.median(ordered), ordered[0], ordered[-1])))


def _three_digits(figure: float) -> str:
    return f"{figure:.{2 if figure < 10 else 1 if figure < 100 else 0}f}"


def _body() -> tuple[bytes, str]:
    """Return the request of the shared benchmark, or where that is absent a smaller one of the fixtures."""
    shared = ROOT.parent / "shared" / "bench" / "request.json.gz"
    if shared.exists():
        return gzip.decompress(shared.read_bytes()), "../shared/bench/request.json.gz"
    fixture = ROOT / "fhir_fixtures" / "hooks" / "complete.request.json"
    return fixture.read_bytes(), str(fixture.relative_to(ROOT))


if __name__ == "__main__":
    main()
