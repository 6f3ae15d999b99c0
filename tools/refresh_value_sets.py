"""Write cards/value_sets/ from the reviewed input and from derived.yaml.

    python -m tools.refresh_value_sets                      write what differs
    python -m tools.refresh_value_sets --check              write nothing; exit status 1 if a file differs
    python -m tools.refresh_value_sets path/valuesets.json  with another input (unverified.json lies beside it)

Needs the ICD-10-CM classification (PyPI: simple-icd-10-cm) to turn rules on descriptions into prefixes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tools.icd10cm_families import Classification
from tools.value_set_files import head, table
from tools.value_set_parts import compiled_rules, read_parts
from tools.value_set_source import code_systems, read_sets

CARDS = Path(__file__).parent.parent / "cards"
DERIVED = "derived.yaml"
RELEASE = "ICD-10-CM of April 2026 (simple-icd-10-cm 1.5.0), ICD-10 of 2019 (WHO)"

# What stays out: id to reason.
LEFT_OUT = {
    "ucum_units": "units are the engine's, with exact conversions",
    "fhir_status": "status codes are no clinical content; cards/definitions.yaml names those that count",
}


def files_of(source: Path, cards: Path) -> dict[str, str]:
    """Return file name to content for everything that belongs into cards/value_sets/, but derived.yaml."""
    systems = code_systems(cards / "code_systems.yaml")
    table_of_systems = yaml.safe_load((cards / "code_systems.yaml").read_text(encoding="utf-8"))
    titles = {name: entry["title"] for name, entry in table_of_systems.items()}
    classification = Classification()
    sets = read_sets(source, systems, LEFT_OUT)
    found = [(part, compiled_rules(part, classification)) for part in sets]
    found += read_parts(cards / "value_sets" / DERIVED, {part.id: part for part in sets}, classification)
    origin = f"clinical/{source.name}; {RELEASE}"
    files = {}
    for part, families in found:
        files[f"{part.id}.yaml"] = head(part, families, titles, DERIVED if part.derived_from else origin)
        files[f"{part.id}.csv"] = table(part)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files; return the exit status: 0, or 1 if --check found a difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path, default=CARDS.parent.parent / "shared/clinical/valuesets.json")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file differs")
    options = parser.parse_args(arguments)
    folder = CARDS / "value_sets"
    wanted = files_of(options.source, CARDS)
    present = {path.name: path for path in folder.iterdir() if path.suffix in {".yaml", ".csv"}}
    present.pop(DERIVED, None)
    stale = sorted(set(present) - set(wanted))
    changed = [
        name for name, text in wanted.items() if name not in present or present[name].read_bytes() != text.encode()
    ]
    for name in (*changed, *stale):
        print(f"{'differs' if name in wanted else 'does not belong here'}: {folder.name}/{name}")
    if options.check:
        return 1 if changed or stale else 0
    for name in changed:
        (folder / name).write_bytes(wanted[name].encode())
    for name in stale:
        present[name].unlink()
    print(f"{len(wanted) // 2} value sets; {len(changed)} files written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
