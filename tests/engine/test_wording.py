"""The words of a card: filled, cut and made harmless (text from FHIR is never trusted)."""

import re
import unicodedata
from html import unescape

import cmarkgfm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds.engine.assessment import Evidence
from cds.engine.wording import (
    SUMMARY_LIMIT,
    escaped,
    evidence_values,
    fill,
    fill_summary,
    reference,
    shortened,
    visible,
)
from tests.engine.ask import FEW

TEXTS = st.text(max_size=200)
MARKUP = st.lists(
    st.sampled_from([
        "*", "_", "`", "**", "[x](y)", "<b>", "</b>", "&lt;", "<!--", "![a](b)", "~~", "|", "\\", "#", "http://x.org",
        "https://x.org/a", "www.x.org", "WWW.x.org", "ftp://x.org/a", "a@b.org", "mailto:a@b.org", "xmpp:a@b.org/c",
        "$x$", "{{value}}", " ", "a", "1", "(", ")", "!", ":", "@", "é",
        "mm[Hg]", "[", "]", "][", "](", "[a]: x", "_a_", "a_b", "&", "&copy", ">", "> ",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


def rendered(markdown: str) -> str:
    """Return the words that a reader sees; fails if the renderer makes anything but words of them."""
    html = cmarkgfm.github_flavored_markdown_to_html(f"Label: {markdown} end")
    inside = re.fullmatch(r"<p>Label: (.*) end</p>\n", html, re.DOTALL)
    assert inside, html
    assert "<" not in inside[1], html
    return unescape(inside[1])


@FEW
@given(MARKUP | TEXTS)
@example("a@b.org")
@example("mailto:a@b.org")
@example("www.x.org and WWW.x.org")
@example("ftp://x.org/a")
@example("<script>alert(1)</script>")
@example("[click](javascript:alert(1))")
@example("&lt;b&gt;")
@example("a\\*b")
@example("mm[Hg](x)")
@example("> a")
@example("\\& \\>")
def test_text_from_a_record_is_shown_as_words_and_nothing_else(text: str) -> None:
    """No link, no emphasis, no HTML, no entity: a GitHub Flavored Markdown renderer shows what was written."""
    shown = rendered(escaped(text)).replace("\u2060", "")

    assert visible(text).split() == shown.split()


@FEW
@given(TEXTS)
@example("gla\u202eucoma")
@example("a\x00b\x1b[31m")
@example("line\nline\u2028line\u2029line")
@example("invisible\u200b\U000e0041")
def test_no_character_that_hides_or_turns_text_survives(text: str) -> None:
    shown = visible(text)

    assert {"Cc", "Cf", "Zl", "Zp"}.isdisjoint(unicodedata.category(char) for char in shown)
    assert len(shown.splitlines()) <= 1


@FEW
@given(TEXTS, st.integers(1, 150))
def test_shortened_text_is_within_its_limit_and_says_that_it_was_cut(text: str, limit: int) -> None:
    short = shortened(text, limit)

    assert len(short) <= limit
    assert short == text or short.endswith("…")


@FEW
@given(st.dictionaries(st.sampled_from(["labels", "value", "date", "gaps", "count"]), TEXTS), TEXTS)
def test_a_summary_has_fewer_than_140_characters_in_one_line(values: dict[str, str], words: str) -> None:
    """CDS Hooks 2.0.1: a summary has fewer than 140 characters."""
    summary = fill_summary("{{labels}}: {{value}} ({{date}}) {{count}} {{gaps}} " + words, values)

    assert len(summary) <= SUMMARY_LIMIT == 139
    assert len(summary.splitlines()) <= 1


def test_a_long_label_is_cut_before_the_words_of_the_card() -> None:
    summary = fill_summary("{{labels}}: relative contraindication (grade C)", {"labels": "g" * 500})

    assert f"{'g' * 59}…: relative contraindication (grade C)" == summary


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    values = {"labels": "{{value}}", "value": "34 mm[Hg]"}

    assert fill("{{labels}} {{value}}", values) == "{{value}} 34 mm[Hg]"


def test_a_placeholder_without_a_value_is_empty() -> None:
    assert fill("Pressure {{value}} ({{date}})", {"value": "34"}) == "Pressure 34 ()"


@pytest.mark.parametrize("text", ["Condition/123", "Observation/iop-1.a"])
def test_a_reference_is_a_code_span(text: str) -> None:
    assert f"`{text}`" == reference(text)


@pytest.mark.parametrize("text", ["Condition/`x`", "javascript:alert(1)", "a/b/c", "Condition/1\n# x", "<b>/1"])
def test_what_is_no_reference_is_escaped(text: str) -> None:
    assert rendered(reference(text)).split() == visible(text).split()


def test_the_value_shown_is_that_of_the_first_fact_with_one() -> None:
    """The date belongs to the value beside it."""
    evidence = (
        Evidence("Condition/1", "", "Glaucoma", date="2019"),
        Evidence("Observation/1", "", "Eye pressure", value="34 mm[Hg]", date="2026-01-20"),
        Evidence("Observation/2", "", "Eye pressure", value="30 mm[Hg]", date="2026-01-10"),
    )

    expected = {"labels": "Glaucoma, Eye pressure", "value": "34 mm[Hg]", "date": "2026-01-20"}
    assert expected == evidence_values(evidence)


def test_without_a_value_the_date_is_that_of_the_first_fact() -> None:
    evidence = (Evidence("Condition/1", "", "Glaucoma", date="2019"), Evidence("Condition/2", "", "Cataract"))

    assert evidence_values(evidence) == {"labels": "Glaucoma, Cataract", "value": "", "date": "2019"}
