"""A small, good folder of knowledge, for tests that spoil one thing in it."""

from pathlib import Path

from cds.knowledge.attributes import NAMES

RULE = "contraindications/raised_eye_pressure.yaml"
SECOND_RULE = "cautions/glaucoma_seen.yaml"

RULE_TEXT = """\
id: raised_eye_pressure
title: Raised eye pressure
topic: KETEYE1
implements: [CR-IOP]
kind: contraindication
family: eye_pressure
strength: relative
version: 1
status: active
reviewed: {by: nobody yet, on: "2026-01-15", next: "2027-01-15"}
applies_to:
  drugs: [ketamine]
  contexts: {therapy: info}
levels:
  critical:
    observation: {in: eye_pressure, above: "30 mm[Hg]", within: "180 days", if_missing: not_found}
  warning:
    condition: {in: glaucoma, state: active}
    unless: {criterion: controlled}
  info: {condition: {in: glaucoma, state: active}}
where:
  controlled:
    observation: {in: eye_pressure, at_most: "21 mm[Hg]", within: "180 days"}
local_policy:
  - "Thresholds 21 and 30 mm[Hg]"
because:
  - {source: cohen-2018, statement: pressure}
card:
  summary:
    critical: "Eye pressure {{value}} ({{date}})"
    warning: "Glaucoma"
    info: "Glaucoma, pressure controlled"
  detail:
    - "Consider asking the ophthalmologist."
  not_checked: "eye pressure"
  override_reasons: [specialist-cleared]
"""

SECOND_RULE_TEXT = """\
id: glaucoma_seen
title: Glaucoma on record
topic: KETEYE2
implements: [CW-1]
kind: caution
family: eye
strength: caution
version: 1
status: active
reviewed: {by: nobody yet, on: "2026-01-15", next: "2027-01-15"}
applies_to:
  drugs: [ketamine]
  contexts: {therapy: info}
levels:
  info: {rule: {id: raised_eye_pressure, is: present}}
because:
  - {source: cohen-2018, statement: pressure}
card:
  summary: {info: "Glaucoma"}
  not_checked: "eyes"
"""

SOURCES = """\
cohen-2018:
  evidence_id: CIT-COHEN18
  label: Cohen 2018
  kind: guideline
  title: Consensus guidelines
  doi: "10.1097/AAP.0000000000000808"
  statements:
    pressure: {says: "Elevated intraocular pressure: extreme caution", grade: C, sure: V}
    setting: {says: "A trained clinician supervises", sure: M}
"""

OVERRIDE_REASONS = """\
system: "urn:ketamine-cds:override"
reasons: {specialist-cleared: A specialist has cleared it}
"""

CODE_SYSTEMS = """\
icd10cm: {title: ICD-10-CM, uri: "http://hl7.org/fhir/sid/icd-10-cm", from: a test}
loinc: {title: LOINC, uri: "http://loinc.org", from: a test}
"""

DEFINITIONS = """\
drug:
  source: D-DRUG
  taken_out: 'no ketamine'
  esketamine: {in: drugs, patterns: ['esketamine']}
  ketamine: {in: drugs, patterns: ['ketamine']}
  injectable_words: [vial]
  nasal_words: [spray]
services: {source: D-ORDER, words: [infusion], never: [level]}
routes:
  source: D-ROUTE
  in_this_order:
    intravenous: {in: routes, words: [iv]}
    intramuscular: {in: routes, words: [im]}
    subcutaneous: {in: routes, words: [sc]}
    nasal: {in: routes, words: [nasal]}
    sublingual: {in: routes, words: [sublingual]}
    oral: {in: routes, words: [oral]}
    topical: {in: routes, words: [cream]}
pain: {source: D-PURPOSE, value_sets: [pain], words: [pain]}
mood: {source: D-PURPOSE, value_sets: [pain], words: [mood]}
context:
  source: D-CONTEXT
  procedural_words: [induction]
  acute_pain_words: [acute pain]
  emergency_classes: [EMER]
  bolus_at_least: "1 mg/kg"
condition:
  source: D-COND-ACTIVE
  active: [active]
  past: [resolved]
  remission: [remission]
  unconfirmed: [unconfirmed]
  refuted: [refuted]
  problem_categories: [problem-list-item]
  encounter_categories: [encounter-diagnosis]
  encounter_diagnosis_within: "30 days"
  remission_value_sets: [pain]
  sequela_value_sets: [pain]
  family_history_value_sets: [pain]
medication:
  source: D-MED
  active_statuses: [active]
  trial_statuses: [active]
  stale_after: "365 days"
  local_forms: [eye]
  local_value_sets: [drugs]
blood_pressure:
  source: D-BP
  panel: measured
  systolic: measured
  diastolic: measured
  unit: "mm[Hg]"
  plausible_systolic: "40 to 300"
  plausible_diastolic: "20 to 200"
observations:
  source: D-OBS
  sets:
    eye_pressure: {unit: "mm[Hg]", read_with: measurements, plausible: "0 to 80"}
    measured: {unit: mg/dL, read_with: laboratory, factors: {umol/L: "1/20"}}
trials:
  pain:
    source: PR-PAIN
    title: Treatments
    within: "5 years"
    groups:
      - {in: [drugs], distinct_by: value_set, exposure_at_least: "28 days"}
child_pugh:
  source: CR-HEP
  within: "90 days"
  bilirubin: {in: measured, two_points_from: "2 mg/dL", to: "3 mg/dL"}
  albumin: {in: measured, two_points_from: "2 mg/dL", to: "3 mg/dL"}
  inr: {in: measured, two_points_from: "2 mg/dL", to: "3 mg/dL"}
  points_of_findings: {pain: 2}
  classes: {A: "5 to 6", B: "7 to 9", C: "10 to 15"}
weight: {source: DO-1, in: measured, within: "90 days"}
cards: {source: D-MERGE, at_most: 8}
snooze: {source: D-SNOOZE, override_for: "90 days", renewal_after: "30 days", repeat_info_after: "60 minutes"}
"""

ATTRIBUTES = """\
developer: A developer
funding_source: No funding
without_citation: No citation
releases: {"2026.1": "2026-01-15"}
health_status_assessments: [score]
social_determinants: []
titles:
""" + "".join(f"  {name}: Title of {name}\n" for name in NAMES) + "uses:\n" + "".join(
    f"  {name}: {{used: '{name} is used: {{{{assessments}}}}', not_used: '{name} is not used'}}\n" for name in NAMES[4:]
)  # fmt: skip

_COLUMNS = "system,code,display,ingredient,verified_by"
_CODES = {
    "glaucoma": ("icd10cm", "H40.9"),
    "eye_pressure": ("loinc", "79892-6"),
    "measured": ("loinc", "1975-2"),
    "drugs": ("loinc", "1-8"),
    "routes": ("loinc", "2-6"),
    "pain": ("icd10cm", "G90.5"),
    "score": ("loinc", "3-4"),
}


def write_package(folder: Path) -> Path:
    """Write the package and return its folder, ``cards`` in the folder given."""
    cards = folder / "cards"
    files = {
        "VERSION": "2026.1\n",
        "sources.yaml": SOURCES,
        "override_reasons.yaml": OVERRIDE_REASONS,
        "code_systems.yaml": CODE_SYSTEMS,
        "definitions.yaml": DEFINITIONS,
        "attributes.yaml": ATTRIBUTES,
        RULE: RULE_TEXT,
        SECOND_RULE: SECOND_RULE_TEXT,
    }
    for name, (system, code) in _CODES.items():
        files[f"value_sets/{name}.yaml"] = (
            f"id: {name}\ntitle: {name}\npurpose: a test\nsource: a test\ncoverage: [{system}]\nnot_covered: []\n"
        )
        files[f"value_sets/{name}.csv"] = (
            f"system,code,display,ingredient,verified_by\n{system},{code},A code,,a test\n"
        )
    for name, content in files.items():
        path = cards / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return cards


def spoil(cards: Path, file: str, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file, which must be there."""
    text = (cards / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    (cards / file).write_text(text.replace(old, new, 1), encoding="utf-8")
