"""render(): what stands on a card, what is not shown, and that text of a record can do nothing on it."""

import re
from dataclasses import replace

import cmarkgfm
import pytest

from cds.engine.facts import Gap, GapScope, Source
from cds.engine.logic import Verdict
from cds.engine.render import render
from cds.engine.rules import (
    AllOf,
    AnyOf,
    Citation,
    ConditionCriterion,
    GapCriterion,
    Knowledge,
    Level,
    Line,
    SuggestionText,
)
from tests.engine.ask import answer, assessed, rule, with_rules
from tests.engine.build import (
    CRPS,
    DEPRESSION,
    GLAUCOMA,
    PSYCHOSIS,
    Record,
    blood_pressure,
    concept,
    condition,
    gap,
    order,
    patient,
    record,
)

CRITICAL, WARNING, INFO = Level.CRITICAL, Level.WARNING, Level.INFO
YES, NO = AllOf(()), AnyOf(())
GLAUCOMA_ACTIVE = ConditionCriterion(("glaucoma",))
HOSTILE = (
    "<img src=x onerror=alert(1)> [click](javascript:alert(1)) **bold** `code` http://evil.example a@b.org\n# head"
)


def links_and_tags(detail: str) -> set[str]:
    """Return the HTML elements that a GitHub Flavored Markdown renderer makes of a card's detail."""
    return set(re.findall(r"<(\w+)", cmarkgfm.github_flavored_markdown_to_html(detail)))


def test_a_card_says_what_was_found_and_whose_evidence_says_so(knowledge: Knowledge) -> None:
    citation = Citation("cohen-2018", "Cohen 2018", "Use with extreme caution.", "C", url="https://example.org")
    one = rule("one", {WARNING: GLAUCOMA_ACTIVE}, summary="{{labels}}: caution", detail=(Line("Consider asking."),),
               because=(citation,))  # fmt: skip
    own = with_rules(knowledge, replace(one, local_policy=("Look-back 180 days",)))

    (card,) = render(own, [assessed(own, record(condition(GLAUCOMA, onset="2019", display="Glaucoma")))])

    assert ("Glaucoma: caution", "Cohen 2018", "https://example.org") == (
        card.summary, card.source_label, card.source_url,
    )  # fmt: skip
    for words in (
        "**Glaucoma**: 2019, ICD-10-CM H40.1190 (`Condition/c1`)",
        "Consider asking.",
        "Source: Cohen 2018: Use with extreme caution. (grade C)",
        "Local policy, not from a source: Look-back 180 days",
    ):
        assert words in card.detail


def test_a_statement_from_memory_is_never_shown_as_a_quotation(knowledge: Knowledge) -> None:
    one = rule("one", {WARNING: YES}, because=(Citation("s", "Label", "Says so.", sure="M"),))

    (card,) = render(with_rules(knowledge, one), [assessed(with_rules(knowledge, one), record())])

    assert "Source, wording not checked against it: Label: Says so." in card.detail


def test_a_rule_without_a_source_is_local_policy(knowledge: Knowledge) -> None:
    own = with_rules(knowledge, rule("one", {WARNING: YES}, because=()))

    assert render(own, [assessed(own, record())])[0].source_label == "Local policy"


@pytest.mark.parametrize("summary", ["{{labels}}", "plain"])
def test_text_of_a_record_can_do_nothing_on_a_card(knowledge: Knowledge, summary: str) -> None:
    one = rule("one", {WARNING: GLAUCOMA_ACTIVE}, summary=summary, detail=(Line("Recorded: {{labels}}."),))
    own = with_rules(knowledge, one, rule("two", {INFO: GLAUCOMA_ACTIVE}, family="one", summary=summary))

    (card,) = render(own, [assessed(own, record(condition(GLAUCOMA, display=HOSTILE)))])

    assert links_and_tags(card.detail) <= {"p", "strong", "ul", "li", "code"}
    assert "\n" not in card.summary


@pytest.mark.parametrize("scope", [GapScope.SOURCE, GapScope.ENTRY])
def test_the_reason_of_a_gap_can_do_nothing_on_a_card(knowledge: Knowledge, scope: GapScope) -> None:
    """A gap's reason may hold text from outside: a unit, a label, what a server said."""
    asks = GapCriterion((Source.LABORATORY,), whole=scope is GapScope.SOURCE)
    one = rule("gaps", {INFO: asks}, kind="data_gap", summary="{{gaps}}", detail=(Line("Could not use {{gaps}}."),))
    own = with_rules(knowledge, one)
    odd = Gap(Source.LABORATORY, scope, f"it said '{HOSTILE}'", "Observation/1")

    (card,) = render(own, [assessed(own, record(odd))])

    assert links_and_tags(card.detail) <= {"p", "strong", "ul", "li", "code"}


def test_a_level_that_could_not_be_ruled_out_stands_on_the_card(knowledge: Knowledge) -> None:
    worse = ConditionCriterion(("psychosis_active",))
    own = with_rules(knowledge, rule("one", {CRITICAL: worse, WARNING: YES}))

    (card,) = render(own, [assessed(own, record(gap(Source.CONDITIONS)))])

    assert "Could be critical; not settled: " in card.detail
    assert "HTTP 403" in card.detail


@pytest.mark.parametrize(
    "quiet",
    [
        rule("one", {CRITICAL: NO}),
        rule("one", {CRITICAL: ConditionCriterion(("psychosis_active",))}),
        rule("one", {CRITICAL: YES}, withheld_when=(Line("palliative care is recorded"),)),
        replace(rule("one", {CRITICAL: YES}), card=None),
    ],
    ids=["not found", "unknown", "withheld", "without words"],
)
def test_only_what_is_present_and_not_withheld_is_shown(knowledge: Knowledge, quiet: object) -> None:
    own = with_rules(knowledge, quiet)  # type: ignore[arg-type]

    assert render(own, [assessed(own, record(gap(Source.CONDITIONS)))]) == ()


def test_the_draft_can_be_deleted_by_its_own_reference(knowledge: Knowledge) -> None:
    own = with_rules(
        knowledge, rule("one", {CRITICAL: YES}, suggestions=(SuggestionText("delete", "Remove this draft order"),))
    )

    (card,) = render(own, [assessed(own, record())])

    assert ["MedicationRequest/draft-1"] == [one.delete for one in card.suggestions]


def test_a_draft_without_an_id_offers_no_deletion(knowledge: Knowledge) -> None:
    own = with_rules(
        knowledge, rule("one", {CRITICAL: YES}, suggestions=(SuggestionText("delete", "Remove this draft order"),))
    )
    nameless = order(route="IV")
    nameless = replace(nameless, provenance=replace(nameless.provenance, reference=""))

    (card,) = render(own, [assessed(own, record(), nameless)])

    assert card.suggestions == ()


# With the published rules


def rows(knowledge: Knowledge, text: str, *facts: Record) -> dict[str, str]:
    """Return the rows of the clinical rules that are shown for an order with these words, with their levels."""
    trace = assessed(knowledge, record(*facts), order(route="IV", text=text))
    shown = {topic for card in render(knowledge, [trace]) for topic in card.rules}
    return {
        row: answer(trace.finding(one.id)) for one in knowledge.rules if one.topic in shown for row in one.implements
    }


def test_in_a_procedural_order_only_critical_findings_of_few_rules_are_shown(knowledge: Knowledge) -> None:
    """RG-CONTEXT: no indication, prerequisite or psychosis before an intubation; a blood pressure crisis is shown."""
    facts = (
        condition(CRPS),
        condition(PSYCHOSIS, name="c2"),
        condition(GLAUCOMA, name="c3"),
        condition("icd10cm|I21.3", name="c4", onset="2026-01-25"),
        condition("icd10cm|C71.9", name="c5"),
        blood_pressure("196", "112"),
    )

    assert rows(knowledge, "for RSI", *facts) == {"CA-2": "critical", "CR-CV": "critical"}
    assert {"CR-PSY", "CR-IOP", "IN-CRPS", "CR-ICP"} <= set(rows(knowledge, "", *facts))


def test_a_card_before_a_procedure_says_why_the_context_was_assumed(knowledge: Knowledge) -> None:
    trace = assessed(knowledge, record(blood_pressure("196", "112")), order(text="for RSI"))

    (card,) = render(knowledge, [trace])

    assert "Procedural context assumed because the order says 'RSI'." in card.detail


def test_in_acute_pain_indications_and_prerequisites_are_off_and_the_rest_runs(knowledge: Knowledge) -> None:
    shown = rows(knowledge, "acute postoperative pain", condition(PSYCHOSIS))

    assert {"CR-PSY": "critical"} == shown


def test_a_source_that_was_not_read_is_one_card_that_names_it_and_what_was_not_judged(knowledge: Knowledge) -> None:
    """Worked case 42: no IN-NONE where the problem list could not be read."""
    trace = assessed(knowledge, record(gap(Source.CONDITIONS)))

    (card,) = render(knowledge, [trace])

    assert (WARNING, "HTTP 403" in card.summary) == (card.level, True)
    assert "**Not checked**" in card.detail
    unknown = [one.rule_id for one in trace.findings if one.verdict is Verdict.UNKNOWN]
    spoken = {one.id: one.card.not_checked for one in knowledge.rules if one.card}
    assert all(spoken[name] in card.detail for name in unknown if spoken.get(name))


def test_an_order_for_both_purposes_with_one_indication_says_the_other_shortfall_as_a_line(
    knowledge: Knowledge,
) -> None:
    """Worked case 49: CRPS is an indication, so the missing antidepressant trials are a line, not a card."""
    shown = rows(knowledge, "", condition(CRPS), condition(DEPRESSION, name="c2"))

    assert "IN-CRPS" in shown
    assert shown.get("PR-TRD", "info") == "info"


def test_no_card_is_shown_for_a_deceased_patient(knowledge: Knowledge) -> None:
    trace = assessed(knowledge, record(condition(PSYCHOSIS), patient(deceased=True)))

    assert render(knowledge, [trace]) == ()


def test_the_cards_of_a_very_ill_patient_stay_within_the_limits(knowledge: Knowledge) -> None:
    codes = (
        PSYCHOSIS, GLAUCOMA, "icd10cm|I21.3", "icd10cm|K72.10", "icd10cm|G93.2", "icd10cm|C71.9", "icd10cm|Z34.02",
        "icd10cm|F10.20", "icd10cm|I16.9", "snomed|724715004", CRPS, DEPRESSION,
    )  # fmt: skip
    facts = [condition(code, name=f"c{number}", onset="2026-01-25") for number, code in enumerate(codes)]
    trace = assessed(knowledge, record(*facts, blood_pressure("196", "112"), gap(Source.LABORATORY)))

    shown = render(knowledge, [trace])

    critical = [one for one in trace.findings if answer(one) == "critical" and not one.withheld]
    assert len(critical) == sum(card.level is CRITICAL for card in shown)
    assert len(shown) <= max(8, len(critical))
    assert all(len(card.summary) < 140 for card in shown)


def test_an_order_with_its_reason_coded_needs_no_problem_list_for_its_indication(knowledge: Knowledge) -> None:
    trace = assessed(knowledge, record(gap(Source.CONDITIONS)), order(route="IV", reasons=(concept(CRPS),)))

    assert answer(trace.finding("complex_regional_pain_syndrome")) == "info"
