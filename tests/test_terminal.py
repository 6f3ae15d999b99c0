"""Cards in a terminal: everything that was sent, readable, and nothing that could deceive the eye."""

from cds.terminal import cards_in_words

CARD = {
    "summary": "Eye pressure 31 mm[Hg]: relative contraindication (grade C)",
    "detail": "- **Pressure**: 31 mm\\[Hg\\], 2026\\-01\\-20 (`Observation/iop-1`)\n\nA &lt;b&gt; in text\\.",
    "indicator": "critical",
    "source": {"label": "A guideline, 2018", "url": "https://guideline.example"},
    "suggestions": [{"label": "Remove this draft order"}],
    "links": [{"label": "Source attributes", "url": "https://cds.example/knowledge/a/source-attributes"}],
    "overrideReasons": [{"display": "Emergency"}, {"display": "Benefit outweighs risk"}],
    "extension": {"org.ketamine-cds": {"record": "0a2f6f60-6d0b-4a52-9d0e-6a3f6f0f9a11"}},
}


def test_a_card_is_printed_with_level_evidence_source_and_record() -> None:
    assert """\
CRITICAL  Eye pressure 31 mm[Hg]: relative contraindication (grade C)
          - Pressure: 31 mm[Hg], 2026-01-20 (Observation/iop-1)
          A <b> in text.
          Source: A guideline, 2018 https://guideline.example
          Offered: Remove this draft order
          Reasons to override: Emergency; Benefit outweighs risk
          Source attributes: https://cds.example/knowledge/a/source-attributes
          Record: 0a2f6f60-6d0b-4a52-9d0e-6a3f6f0f9a11""" == cards_in_words({"cards": [CARD]}, 100)


def test_lines_keep_to_the_width_of_the_terminal() -> None:
    text = cards_in_words({"cards": [CARD | {"detail": "- " + "word " * 60, "links": []}]}, 60)

    assert max(map(len, text.splitlines())) <= 60


def test_a_link_stays_in_one_line_so_that_it_can_be_followed() -> None:
    assert "Source attributes: https://cds.example/knowledge/a/source-attributes\n" in cards_in_words(
        {"cards": [CARD]}, 40
    )


def test_no_card_is_said_in_words_that_do_not_promise_safety() -> None:
    assert "has nothing to say about this order" in cards_in_words({"cards": []}, 80)


def test_control_and_direction_characters_are_made_visible() -> None:
    text = cards_in_words({"cards": [{"summary": "a\u202eb\x1b[31m", "detail": "\x07", "indicator": "info"}]}, 80)

    assert "a\\u{202e}b\\u{1b}[31m" in text
    assert text.replace("\n", "").isprintable()
